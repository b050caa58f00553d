"""Whatever a tool does, it is the trouble of its own run: the server goes on, can cancel it, and can stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from tests.chaos.hostile import MIB, Obedient, agent
from tests.chaos.mortal import serving

pytestmark = pytest.mark.network


async def outcome(client: httpx.AsyncClient, text: str, run: str) -> str:
    """How a run of its own thread ends."""
    body = {"thread_id": run, "run_id": run, "messages": [{"content": text}]}
    (await client.post("/v1/runs", json=body)).raise_for_status()
    return (await client.get(f"/v1/runs/{run}")).json()["status"]


@asynccontextmanager
async def hanging(client: httpx.AsyncClient, tool: str) -> AsyncIterator[str]:
    """A run whose tool has begun and does not return; gives its id."""
    body = {"thread_id": tool, "run_id": tool, "messages": [{"content": tool}]}
    async with client.stream("POST", "/v1/runs", json=body) as response:
        async for line in response.aiter_lines():
            if "tool_call_started" in line:
                break
        yield tool


@pytest.mark.parametrize("tool", ["hang", "hang_in_thread"])
async def test_a_tool_that_never_returns_keeps_nothing_else_waiting_and_can_be_cancelled(serve, tool: str) -> None:
    client = (await serve(agents=[agent], providers=[Obedient()])).client
    async with asyncio.timeout(10), hanging(client, tool) as run:
        beside = await outcome(client, "hello", "another")
        (await client.post(f"/v1/runs/{run}/cancel")).raise_for_status()
        await client.get(f"/v1/runs/{run}/events/stream")
        cancelled = (await client.get(f"/v1/runs/{run}")).json()["status"]

    assert (beside, cancelled) == ("completed", "cancelled")
    assert await outcome(client, "hello", tool + "-again") == "completed"


@pytest.mark.parametrize("tool", ["hang", "hang_in_thread"])
async def test_a_server_whose_tool_never_returns_stops_when_its_grace_is_over(tool: str) -> None:
    async with (
        serving("tests.chaos.served_hostile:runtime", WAKEFUL_SHUTDOWN_GRACE_SECONDS="0.2") as server,
        httpx.AsyncClient(base_url=await server.base(), trust_env=False, verify=False) as client,
        hanging(client, tool),
        asyncio.timeout(20),
    ):
        server.process.send_signal(signal.SIGTERM)
        code = await server.process.wait()

    assert code == 0, "".join(server.said)


@pytest.mark.parametrize(
    "tool", ["doom", "doom_in_thread", "leave", "leave_in_thread", "interrupt", "interrupt_in_thread"]
)
async def test_a_tool_that_raises_what_nobody_catches_fails_its_call_only(tool: str) -> None:
    async with (
        serving("tests.chaos.served_hostile:runtime") as server,
        httpx.AsyncClient(base_url=await server.base(), trust_env=False, verify=False) as client,
        asyncio.timeout(10),
    ):
        ended = await outcome(client, tool, tool)
        results = (await client.get(f"/v1/threads/{tool}/messages")).json()["messages"][2]["parts"]
        beside = await outcome(client, "hello", "another")

    assert (ended, beside) == ("completed", "completed")
    assert [part["status"] for part in results] == ["failed"]


async def test_a_tool_result_of_50_mb_is_bounded_and_says_so(serve) -> None:
    client = (await serve(agents=[agent], providers=[Obedient()])).client

    ended = await outcome(client, "flood", "flood")

    output = (await client.get("/v1/threads/flood/messages")).json()["messages"][2]["parts"][0]["output"]
    assert ended == "completed"
    assert len(str(output)) < MIB
    assert str(output).strip("x")
    assert await outcome(client, "hello", "another") == "completed"
