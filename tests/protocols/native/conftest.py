"""One thread of a server whose model plays a script, and the few things a client does there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from wakeful.providers.scripted import Reply, ScriptedProvider
from wakeful.sdk.agent import Agent


class Talk:
    """A client of the thread `thread`."""

    def __init__(self, server: Any, model: ScriptedProvider) -> None:
        self.server = server
        self.client: httpx.AsyncClient = server.client
        self.model = model

    async def say(self, text: str, *, key: str | None = None, **fields: Any) -> httpx.Response:
        """A message to the thread."""
        headers = {"idempotency-key": key} if key else {}
        body = {"messages": [{"content": text}], **fields}
        return await self.client.post("/v1/threads/thread/messages", json=body, headers=headers)

    async def add(self, run: str, *, key: str | None = None, **body: Any) -> httpx.Response:
        """Input for a run."""
        headers = {"idempotency-key": key} if key else {}
        return await self.client.post(f"/v1/runs/{run}/inputs", json=body, headers=headers)

    async def run(self, run: str) -> dict[str, Any]:
        """A run as it is now."""
        return (await self.client.get(f"/v1/runs/{run}")).json()

    async def status(self, run: str) -> tuple[str, str | None]:
        """Where it is, and why it ended."""
        found = await self.run(run)
        return found["status"], found["stop_reason"]

    async def until(self, run: str, kind: str) -> dict[str, Any]:
        """The first event of this type that a run shows."""
        async with asyncio.timeout(5), self.server.stream("GET", f"/v1/runs/{run}/events/stream") as frames:
            async for frame in frames:
                if frame.data and frame.json["type"] == kind:
                    return frame.json
        raise AssertionError(f"run {run} never showed {kind}")

    async def ended(self, *runs: str) -> list[tuple[str, str | None]]:
        """How each run ended, waiting for all: a stream of events ends with its run."""
        async with asyncio.timeout(5):
            for run in runs:
                await self.client.get(f"/v1/runs/{run}/events/stream")
        return [await self.status(run) for run in runs]

    async def mailbox(self) -> dict[str, Any]:
        """What waits on the thread."""
        return (await self.client.get("/v1/threads/thread/mailbox")).json()

    async def waiting(self) -> list[str]:
        """The runs that wait there, in the order of their turns."""
        return [item["run_id"] for item in (await self.mailbox())["items"]]

    async def asked(self, run: str = "r") -> list[str]:
        """The interrupts of a run that waits."""
        return [interrupt["id"] for interrupt in (await self.until(run, "run_waiting"))["interrupts"]]

    async def transcript(self) -> list[tuple[str, str]]:
        """Role and text of each message of the thread, tool results by their status."""
        messages = (await self.client.get("/v1/threads/thread/messages?limit=200")).json()["messages"]
        return [(item["role"], "".join(_shown(part) for part in item["parts"])) for item in messages]

    def told(self, request: int) -> list[str]:
        """The texts of the user's messages in the model's nth request."""
        return [message.text for message in self.model.requests[request].messages if message.role == "user"]


def _shown(part: dict[str, Any]) -> str:
    return part.get("text") or part.get("status") or part.get("name") or ""


Talking = Callable[..., Awaitable[Talk]]


@pytest.fixture
def talking(serve: Any) -> Talking:
    """Serves the agent `assistant`, whose model gives these replies: `await talking("Hi", call("x"), tools=[x])`."""

    async def start(*replies: Reply, tools: Any = (), store: Any = None, **agent: Any) -> Talk:
        model = ScriptedProvider(list(replies))
        agents = [Agent("assistant", model="scripted:any", tools=tools, **agent)]
        agents.append(Agent("other", model="scripted:any"))
        talk = Talk(await serve(agents=agents, providers=[model], store=store), model)
        await talk.client.post("/v1/threads", json={"id": "thread"})
        return talk

    return start
