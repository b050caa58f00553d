"""One state, shared by an AG-UI client, an agent's tools and the server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wakeful.contracts.tool import ToolContext
from wakeful.providers.scripted import ScriptedProvider, call
from wakeful.sdk.agent import Agent
from wakeful.sdk.tool import tool

RUNS = "/v1/ag-ui/agents/assistant/runs"


@tool
def add(context: ToolContext, item: str) -> int:
    """Add an item."""
    items = [*context.state.get("items", []), item]
    context.state["items"] = items
    return len(items)


@tool(approval=True)
def buy(context: ToolContext) -> str:
    """Buy everything."""
    context.state["bought"] = context.state.get("items", [])
    return "bought"


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for line in text.split("\n") if line.startswith("data: ")]


def ask(run: str, **body: Any) -> dict[str, Any]:
    message = {"id": f"u-{run}", "role": "user", "content": "go"}
    return {"threadId": "t", "runId": run, "protocolVersion": "1.0", "messages": [message], **body}


async def serving(serve: Any, *replies: Any) -> Any:
    agent = Agent("assistant", model="scripted:any", tools=[add, buy])
    return await serve(agents=[agent], providers=[ScriptedProvider(replies)])


class Page:
    """A client that sends what it holds and holds what it is shown."""

    def __init__(self, server: Any, client: Any, state: Any) -> None:
        self.server = server
        self.client = client
        self.client.history.state = state

    async def post(self, run: str, **body: Any) -> list[dict[str, Any]]:
        sent = ask(run, state=self.client.history.state, **body)
        shown = events((await self.server.client.post(RUNS, json=sent)).text)
        self.client.begin()
        for event in shown:
            self.client.feed(json.dumps(event).encode())
        assert self.client.history.misfits == 0
        return shown

    @property
    def state(self) -> Any:
        return self.client.history.state


@pytest.mark.proves("G08")
async def test_what_the_client_sends_and_what_tools_write_is_one_state(serve: Any, verifier: Any) -> None:
    add_eggs, add_tea = call("add", {"item": "eggs"}), call("add", {"item": "tea"})
    server = await serving(serve, add_eggs, "Done.", add_tea, "Done.")
    page = Page(server, verifier(modern=True), {"items": ["milk"], "page": {"theme": None}})

    first = await page.post("r1")
    after_one = page.state
    page.client.history.state = {**after_one, "page": {"theme": "dark"}}
    await page.post("r2")

    assert [event["type"] for event in first if event["type"].startswith("STATE_")] == ["STATE_SNAPSHOT", "STATE_DELTA"]
    assert after_one == {"items": ["milk", "eggs"], "page": {"theme": None}}
    assert page.state == {"items": ["milk", "eggs", "tea"], "page": {"theme": "dark"}}


@pytest.mark.parametrize("nothing", [{}, None, [], ""])
async def test_a_client_without_a_state_is_shown_the_first_one(nothing: Any, serve: Any, verifier: Any) -> None:
    server = await serving(serve, call("add", {"item": "eggs"}), "Done.", "Hello.")
    page = Page(server, verifier(modern=True), nothing)

    await page.post("r1")
    page.client.history.state = nothing
    await page.post("r2")

    assert page.state == {"items": ["eggs"]}


async def test_a_question_is_preceded_by_the_state_and_its_answer_may_change_it(serve: Any, verifier: Any) -> None:
    server = await serving(serve, call("add", {"item": "eggs"}), call("buy"), "Done.")
    page = Page(server, verifier(modern=True), {"a": 1})
    asked = await page.post("r1")
    (question,) = asked[-1]["outcome"]["interrupts"]
    page.client.history.state = {"items": ["tea"]}

    await page.post(
        "r2",
        messages=[],
        resume=[{"interruptId": question["id"], "status": "resolved", "payload": {"approved": True}}],
    )

    before = [event for event in asked if event["type"] == "STATE_SNAPSHOT"][-1]
    assert before["snapshot"] == {"a": 1, "items": ["eggs"]}
    assert page.state == {"items": ["tea"], "bought": ["tea"]}


async def test_a_page_that_comes_back_is_shown_the_state(serve: Any, verifier: Any) -> None:
    server = await serving(serve, call("add", {"item": "eggs"}), "Done.")
    await server.client.post(RUNS, json=ask("r1", state={"a": None}))
    client = verifier(modern=True)

    for path in ("stream", "replay"):
        client.history.state = {"stale": True}
        client.begin()
        for event in events((await server.client.get(f"/v1/ag-ui/threads/t/{path}")).text):
            client.history.apply(event)
        assert client.history.state == {"a": None, "items": ["eggs"]}
