"""A server that exposes a scripted agent, tools, a resource and a prompt, and clients of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from tests.protocols.mcp.peer import Peer
from tests.protocols.mcp.traffic import Sent, Tap, Told, Traffic, canonical

from wakeful.contracts.exposure import PromptLine
from wakeful.contracts.tool import ToolContext
from wakeful.embed import AgentRuntime, AgentServer
from wakeful.protocols.mcp import wire
from wakeful.providers.scripted import ScriptedProvider
from wakeful.sdk.agent import Agent
from wakeful.sdk.exposure import Exposed, prompt, resource
from wakeful.sdk.tool import tool
from wakeful.server.config import ServerConfig

PATIENCE = 10


@tool(approval=True)
def launch(name: str = "") -> str:
    """Launch."""
    return f"launched {name}"


@tool(effect="pure")
def add(context: ToolContext, a: int, b: int) -> dict[str, int]:
    """Add two numbers.

    Args:
        a: One.
        b: The other.
    """
    context.progress("adding", progress=1, total=2)
    return {"sum": a + b}


@tool(approval=True)
def erase(name: str) -> str:
    """Erase something."""
    return f"erased {name}"


@resource("docs:guide", media_type="text/markdown")
def guide() -> str:
    """How to do it."""
    return "# Guide"


@resource("docs:logo", media_type="image/png")
async def logo() -> bytes:
    """The picture."""
    return b"\x89PNG"


@prompt
def review(code: str, tone: str = "kind") -> list[PromptLine]:
    """Review some code.

    Args:
        code: What to review.
        tone: How to say it.
    """
    return [PromptLine("user", f"Review {code}, be {tone}."), PromptLine("assistant", "I will.")]


def exposed(**changes: Any) -> Exposed:
    parts: dict[str, Any] = {"agents": ["assistant"], "tools": [add, erase], "resources": [guide, logo]}
    return Exposed(**{**parts, "prompts": [review], "instructions": "Ask the assistant.", **changes})


Offer = Callable[..., Awaitable[Peer]]


@pytest.fixture
def traffic() -> Traffic:
    """All that is said in a test to servers of this process."""
    return Traffic()


@pytest.fixture(autouse=True)
def none_escapes(traffic: Traffic, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails when the server read or wrote a message that the judge never saw.

    What it wrote in vain, because its client had gone, counts only where no client went before its time.
    """
    read: Counter[str] = Counter()
    written: Counter[str] = Counter()

    def noting(name: str) -> None:
        made = getattr(wire, name)

        def note(*arguments: Any) -> Any:
            found = made(*arguments)
            written[canonical(json.loads(found))] += 1
            return found

        monkeypatch.setattr(wire, name, note)

    def parse(body: bytes) -> wire.Received:
        found = parsed(body)
        read[canonical(json.loads(body))] += 1
        return found

    parsed = wire.parse
    monkeypatch.setattr(wire, "parse", parse)
    for name in ("result", "request", "notification", "failure"):
        noting(name)
    yield
    assert not read - traffic.count(Sent), "the server read what nobody judged"
    assert traffic.count(Told).keys() <= written.keys(), "the server is said to have said what it did not"
    assert not traffic.complete or written.keys() == traffic.count(Told).keys(), "it wrote what nobody judged"


@pytest.fixture
async def offer(listen: Any, traffic: Traffic, none_escapes: None) -> AsyncIterator[Offer]:
    """Serves an agent that plays a script: `await offer(["hello"], task_after_seconds=0)` is a client of it.

    Whatever servers and their clients say to each other is judged in the end.
    """
    async with AsyncExitStack() as stack:

        async def start(
            replies: Any = (),
            *,
            store: Any = None,
            clock: Any = None,
            config: dict[str, Any] | None = None,
            **changes: Any,
        ) -> Peer:
            agent = Agent(
                "assistant",
                model="scripted:any",
                instructions="the secret prompt",
                description="Helps with everything.",
                tools=[launch],
            )
            runtime = AgentRuntime(
                agents=[agent],
                providers=[ScriptedProvider(replies)],
                store=store,
                clock=clock,
                exposed=exposed(**changes),
            )
            server = AgentServer(runtime, ServerConfig(**(config or {})))
            port = await stack.enter_async_context(listen(Tap(server.app, traffic)))
            client = httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE, trust_env=False, verify=False
            )
            stack.callback(runtime.inner.cut_off)
            return Peer(server, await stack.enter_async_context(client), traffic)

        yield start
    traffic.assert_all_fits()
