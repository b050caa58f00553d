"""The agents of the other server, and how to wait for what happens there."""

from __future__ import annotations

import asyncio
from typing import Any

from wakeful import (
    Agent,
    AgentFailed,
    AgentRequest,
    Artifact,
    AskAuthorisation,
    AskUser,
    Data,
    FilePart,
    Refused,
    Status,
    agent,
)
from wakeful.contracts.query import RunQuery
from wakeful.providers.scripted import ScriptedProvider, call
from wakeful.sdk.tool import tool

PNG = FilePart("image/png", "data:image/png;base64,eA==", "x.png")


class Gate:
    """What a test holds an agent with."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()
        self.asked: list[AgentRequest] = []


async def report(request: AgentRequest) -> Any:
    yield Status("Looking it up.")
    yield "Here "
    yield "it is."
    yield Data({"rows": 2}, name="table")
    yield PNG
    yield Artifact("doc", "Chapter one. ", name="Report", description="All of it")
    yield Artifact("doc", "Chapter two.", append=True, last=True)


async def ask(request: AgentRequest) -> Any:
    yield "Weather: "
    if "n" in request.answers:
        yield f"fine for {request.answers['n']} days."
    elif "n" in request.declined:
        yield "nobody knows."
    else:
        yield AskUser("How many days?", key="n", schema={"type": "string"})


async def both(request: AgentRequest) -> Any:
    if len(request.answers) == 2:
        yield f"From {request.answers['from']} to {request.answers['to']}."
    else:
        yield AskUser("From where?", key="from", more=True)
        yield AskUser("To where?", key="to")


async def login(request: AgentRequest) -> Any:
    if "authorisation" in request.answers:
        yield "You are in."
    else:
        yield AskAuthorisation("Please log in.", url="https://login.example.com/")


async def refuse(request: AgentRequest) -> Any:
    yield Refused("Not this.")


async def fail(request: AgentRequest) -> Any:
    yield "Writing. "
    raise AgentFailed("The disk is full.")


async def paper(request: AgentRequest) -> Any:
    yield Artifact("p", "All there is.", name="Paper", last=True)


async def echo(request: AgentRequest) -> Any:
    yield f"You said: {request.text}"


DEEDS: dict[str, Any] = {deed.__name__: deed for deed in (report, ask, both, login, refuse, fail, paper)}


def agents(gate: Gate) -> list[Any]:
    """Agents that do what their message says."""

    async def slow(request: AgentRequest) -> Any:
        yield "One, "
        gate.reached.set()
        await gate.open.wait()
        yield "two."

    @agent("worker", description="Does what it is told.")
    async def worker(request: AgentRequest) -> Any:
        gate.asked.append(request)
        deed = {**DEEDS, "slow": slow}.get(request.text.split(" ")[0], echo)
        async for value in deed(request):
            yield value

    return [worker]


@tool(approval=True)
def launch(name: str = "") -> str:
    """Launch a rocket."""
    return f"launched {name}"


def approver() -> dict[str, Any]:
    """What serves an agent that asks before it launches."""
    model = ScriptedProvider([call("launch", {"name": "Apollo"}), "Done."])
    return {"agents": [Agent("worker", model="scripted:any", tools=[launch])], "providers": [model]}


async def tasks(server: Any) -> list[Any]:
    """The runs of a server, oldest first."""
    rows = await server.store.list_runs(RunQuery(scope="default", limit=50))
    return sorted(rows.items, key=lambda run: run.key)


async def until(server: Any, *statuses: str) -> list[Any]:
    """The server's runs, once they have these statuses."""
    async with asyncio.timeout(20):
        while [run.status for run in await tasks(server)] != list(statuses):  # noqa: ASYNC110  another runtime does it
            await asyncio.sleep(0.02)
    return await tasks(server)
