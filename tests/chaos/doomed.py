"""A nursery of processes that kill themselves at a named point of a request's way.

Reads lines `[database, ledger, question, point, about]` as JSON, forks a process for each, and says with which status
it ended. The parts of the process are the real ones, wrapped from outside where the point is.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import httpx
from tests.chaos.ledger import Ledger, tools
from tests.chaos.script import Teller

from wakeful.bootstrap.plugs import open_store
from wakeful.contracts.model import ModelChunk, ModelRequest
from wakeful.contracts.store import Append, Claim
from wakeful.embed import AgentRuntime, AgentServer
from wakeful.sdk.agent import Agent

RUN = "doomed"
Reach = Callable[[str, str], None]
"""Told where the process is, and about what; it may never return."""


class DoomedStore:
    """The store: `before` and `after` each of its methods is a point."""

    def __init__(self, inner: Any, reach: Reach) -> None:
        self._inner = inner
        self._reach = reach

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        async def reached(*arguments: Any, **named: Any) -> Any:
            self._reach(f"before {name}", _about(arguments))
            answer = await method(*arguments, **named)
            self._reach(f"after {name}", _about(arguments) or _about((answer,)))
            return answer

        return reached


def _about(values: tuple[Any, ...]) -> str:
    """The events of a batch of appends, the runs of claims."""
    batch = values[0] if values and isinstance(values[0], Sequence) else ()
    events = [type(entry.event).__name__ for more in batch if isinstance(more, Append) for entry in more.entries]
    return " ".join([*events, *(claim.run.id for claim in batch if isinstance(claim, Claim))])


class DoomedTeller(Teller):
    """The model: each piece of a reply is a point."""

    def __init__(self, reach: Reach) -> None:
        super().__init__(0)
        self._reach = reach

    async def stream(self, request: ModelRequest) -> AsyncGenerator[list[ModelChunk]]:
        """Give the reply."""
        self._reach("model asked", "")
        async for chunks in super().stream(request):
            yield chunks
            self._reach("model wrote", type(chunks[0]).__name__)


class DoomedLedger(Ledger):
    """The tools' side file: when it is written, the tool has done its work."""

    def __init__(self, path: Path, reach: Reach) -> None:
        super().__init__(path)
        self._reach = reach

    def note(self, name: str, context: Any) -> None:
        """Write, and perhaps never return to the tool."""
        super().note(name, context)
        self._reach("tool ran", name)


def doomed_app(app: Any, reach: Reach) -> Any:
    """The HTTP side: a request that comes, its body, and each frame before and after it is sent are points."""

    async def wrapped(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        reach("request came", scope["path"])

        async def receiving() -> Any:
            message = await receive()
            reach("body came", message["type"])
            return message

        async def sending(message: Any) -> None:
            about = f"{message['type']} {message.get('body', b'').decode()}"
            reach("before send", about)
            await send(message)
            reach("after send", about)

        await app(scope, receiving, sending)

    return wrapped


def asking(question: str) -> tuple[str, dict[str, Any]]:
    """Path and body of the request."""
    message = {"id": "question", "role": "user", "parts": [{"type": "text", "text": question}]}
    return "/v1/ai-sdk/agents/teller/runs", {"threadId": "thread", "runId": RUN, "messages": [message]}


async def decide(client: httpx.AsyncClient, *, approved: bool) -> None:
    """Answer what the run asks; nothing when it does not wait."""
    for asked in (await client.get("/v1/threads/thread/runs/active")).json()["interrupts"]:
        answer = {"interrupt_id": asked["id"], "approved": approved}
        (await client.post(f"/v1/runs/{RUN}/decision", json=answer)).raise_for_status()


async def _live(database: str, ledger: str, question: str, reach: Reach) -> None:
    """Ask, approve, and follow the run to its end, if it comes to that."""
    agent = Agent("teller", model="teller:tales", tools=tools(DoomedLedger(Path(ledger), reach), 0))
    store = DoomedStore(open_store(database), reach)
    async with AgentRuntime(agents=[agent], providers=[DoomedTeller(reach)], store=store) as runtime:
        app = doomed_app(AgentServer(runtime).app, reach)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://doomed") as client:
            path, body = asking(question)
            (await client.post(path, json=body)).raise_for_status()
            await decide(client, approved=True)
            await client.get(f"/v1/runs/{RUN}/events/stream")


def _die_at(point: str, about: str) -> Reach:
    def reach(place: str, what: str) -> None:
        if place == point and about in what:
            os.kill(os.getpid(), signal.SIGKILL)

    return reach


def main() -> None:
    """Fork one process per line."""
    for line in sys.stdin:
        database, ledger, question, point, about = json.loads(line)
        child = os.fork()
        if child == 0:
            try:
                asyncio.run(_live(database, ledger, question, _die_at(point, about)))
            finally:
                os._exit(1)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
