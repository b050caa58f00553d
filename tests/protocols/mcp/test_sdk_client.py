"""The Python SDK's own client, in both eras, over HTTP and over pipes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import mcp_types as types
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from tests.e2e.mcp import judged
from tests.e2e.mcp.judged import judge

from wakeful.providers.scripted import call, say

JUDGED = Path(judged.__file__)
Mode = Literal["auto", "legacy"]
ERAS = {"auto": "2026-07-28", "legacy": "2025-11-25"}
BOTH = pytest.mark.parametrize("mode", ["auto", "legacy"])
Connect = Callable[..., AbstractAsyncContextManager[Client]]


@asynccontextmanager
async def piped(store: str, mode: Mode, **options: Any) -> AsyncIterator[Client]:
    """The demo behind pipes; what is said is judged in the end."""
    record = f"{store.removeprefix('sqlite:///')}.jsonl"
    server = [sys.executable, "-m", "wakeful", "mcp", "--store", store]
    parameters = StdioServerParameters(command=sys.executable, args=[str(JUDGED), "pipe", record, *server])
    async with Client(stdio_client(parameters), mode=mode, **options) as client:
        yield client
    judge(record)


def url_of(peer: Any) -> str:
    return f"http://127.0.0.1:{peer.client.base_url.port}/v1/mcp"


class User:
    """Answers forms."""

    def __init__(self, *, approves: bool) -> None:
        self.approves = approves
        self.asked: list[str] = []

    async def __call__(self, context: Any, params: Any) -> types.ElicitResult:
        self.asked.append(params.message)
        return types.ElicitResult(action="accept", content={"approved": self.approves})


@BOTH
async def test_it_lists_calls_reads_and_is_told_of_progress(offer: Any, mode: Mode) -> None:
    peer = await offer([call("nothing"), "Sunny."])
    shown: list[float] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        shown.append(done)

    async with asyncio.timeout(20), Client(url_of(peer), mode=mode) as client:
        assert client.protocol_version == ERAS[mode]
        tools = (await client.list_tools()).tools
        found = await client.call_tool("assistant", {"message": "go"}, progress_callback=progress)
        resources = (await client.list_resources()).resources
        guide = await client.read_resource("docs:guide")
        prompt = await client.get_prompt("review", {"code": "x"})

    assert [tool.name for tool in tools] == ["assistant", "add", "erase"]
    assert found.structured_content["text"] == "Sunny."
    assert len(shown) > 1
    assert len(resources) == 3
    assert guide.contents[0].text == "# Guide"
    assert prompt.messages[0].content.text == "Review x, be kind."


@BOTH
@pytest.mark.parametrize("approves", [True, False])
async def test_its_user_approves_or_not(offer: Any, mode: Mode, approves: bool) -> None:
    peer = await offer()
    user = User(approves=approves)

    async with asyncio.timeout(20), Client(url_of(peer), mode=mode, elicitation_callback=user) as client:
        found = await client.call_tool("erase", {"name": "all"})

    assert len(user.asked) == 1
    assert found.is_error is not approves
    assert ("erased all" in found.content[0].text) is approves


@BOTH
async def test_a_call_it_abandons_is_cancelled(offer: Any, mode: Mode) -> None:
    peer = await offer([[say("one "), asyncio.Event()]])
    begun = asyncio.Event()

    async def progress(*_: Any) -> None:
        begun.set()

    async with asyncio.timeout(20), Client(url_of(peer), mode=mode) as client:
        calling = asyncio.create_task(client.call_tool("assistant", {"message": "go"}, progress_callback=progress))
        await begun.wait()
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        (run,) = (await peer.client.get("/v1/runs")).json()["items"]
        await peer.client.get(f"/v1/runs/{run['run_id']}/events/stream")

    assert (await peer.client.get(f"/v1/runs/{run['run_id']}")).json()["status"] == "cancelled"


@pytest.mark.proves("P01")
@BOTH
async def test_the_demo_answers_over_pipes_and_its_runs_are_in_the_store(tmp_path: Path, mode: Mode) -> None:
    store = f"sqlite:///{tmp_path / 'store.db'}"
    user, logged = User(approves=True), []

    async def log(message: Any) -> None:
        logged.append(message.level)

    async with (
        asyncio.timeout(60),
        piped(store, mode, elicitation_callback=user, logging_callback=log) as client,
    ):
        assert client.protocol_version == ERAS[mode]
        assert [tool.name for tool in (await client.list_tools()).tools] == ["assistant"]
        found = await client.call_tool("assistant", {"message": "email bob@example.com hi"})
    async with asyncio.timeout(60), piped(store, mode) as client:
        thread = await client.read_resource(f"wakeful://threads/{found.structured_content['threadId']}")

    assert not found.is_error
    assert len(user.asked) == 1
    assert "bob@example.com" in thread.contents[0].text
    assert logged == ([] if mode == "auto" else ["info", "info", "info", "info", "notice"])
