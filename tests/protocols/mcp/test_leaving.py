"""Clients that know tasks and leave, or give up, before they are told of one."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

from tests.protocols.mcp.judge import META, MODERN
from tests.protocols.mcp.peer import WITH_TASKS, Peer
from tests.protocols.mcp.traffic import Traffic

from wakeful.protocols.mcp.stdio import Connection
from wakeful.providers.scripted import say
from wakeful.server.auth import DEFAULT_SCOPE, Principal
from wakeful.server.config import ServerConfig
from wakeful.server.metrics import Metrics
from wakeful.server.operations import Operations

CALL = {"name": "assistant", "arguments": {"message": "go"}}
LONG = 3600


class Lines:
    """Both pipes, in memory."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self.to_server: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.written: list[dict[str, Any]] = []

    def say(self, **message: Any) -> None:
        said = {"jsonrpc": "2.0", **message}
        self._traffic.sent(said)
        self.to_server.put_nowait(json.dumps(said).encode())

    async def read(self) -> bytes | None:
        return await self.to_server.get()

    async def write(self, line: bytes) -> None:
        self.written.append(json.loads(line))
        self._traffic.told(self.written[-1])


def endless() -> list[Any]:
    return [[say("one "), asyncio.Event()]]


async def begun(peer: Peer) -> str:
    """The one run, once there is one."""
    async with asyncio.timeout(10):
        while not (runs := (await peer.client.get("/v1/runs")).json()["items"]):
            pass
    return runs[0]["run_id"]


async def outcome(peer: Peer, run: str) -> str:
    """How the run ended."""
    async with asyncio.timeout(10):
        await peer.client.get(f"/v1/runs/{run}/events/stream")
        return (await peer.client.get(f"/v1/runs/{run}")).json()["status"]


async def test_a_client_that_leaves_before_its_task_is_announced_has_cancelled(offer: Any) -> None:
    peer = await offer(endless(), task_after_seconds=LONG)
    calling = asyncio.create_task(peer.post(peer.asking("tools/call", CALL, can=WITH_TASKS)))
    run = await begun(peer)

    calling.cancel()
    with suppress(asyncio.CancelledError):
        await calling

    assert await outcome(peer, run) == "cancelled"


async def test_a_client_that_leaves_after_its_task_was_announced_has_not_cancelled(offer: Any) -> None:
    held = asyncio.Event()
    peer = await offer([[held, "done"]], task_after_seconds=0)

    made = await peer.call(can=WITH_TASKS)
    await peer.client.aclose()
    held.set()

    store = peer.server.runtime.inner.store
    run = await store.get_run(DEFAULT_SCOPE, made["taskId"])
    async with asyncio.timeout(10):
        await peer.server.runtime.inner.feed.until_rest(run.key)
    assert (await store.get_run(DEFAULT_SCOPE, made["taskId"])).status == "completed"


async def test_a_call_given_up_over_pipes_before_its_task_is_announced_is_not_answered(offer: Any) -> None:
    peer = await offer(endless(), task_after_seconds=LONG)
    runtime = peer.server.runtime.inner
    lines = Lines(peer.traffic)
    connection = Connection(Operations(runtime, ServerConfig(), Metrics(runtime)), Principal(DEFAULT_SCOPE), lines)
    meta = {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": WITH_TASKS}

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(connection.serve())
        lines.say(id="long", method="tools/call", params={**CALL, "_meta": meta})
        run = await begun(peer)
        lines.say(method="notifications/cancelled", params={"requestId": "long"})
        ended = await outcome(peer, run)
        lines.to_server.put_nowait(None)

    assert ended == "cancelled"
    assert lines.written == []
