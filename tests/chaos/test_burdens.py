"""A reader that stalls and readers that come and go cost a run nothing, and the process no memory."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests.chaos.frames import Frame
from tests.chaos.mortal import Mortal, serving
from tests.chaos.readers import Stalled, come_and_go, resident, stalled
from tests.chaos.script import replies
from tests.chaos.served import LEDGER, PACE, STORE

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]
MIB = 1024 * 1024
FLAT = 20 * MIB
AS_LONG = 1.1
TRIES = 3
"""Whatever else the machine does can only make a run longer: one undisturbed measurement is enough."""


@dataclass(frozen=True, slots=True)
class Burden:
    """How many words a run has, how many seconds lie between two, and how often readers come back meanwhile."""

    words: int
    pace: float
    reconnects: int


@dataclass(frozen=True, slots=True)
class Measured:
    """A run: its seconds, the server's memory after it, and what its readers saw."""

    seconds: float
    memory: int
    stalled: list[bytes]
    reconnected: list[Frame]


async def measure(server: Mortal, burden: Burden, run: str, *, readers: bool) -> Measured:
    """Start a run in the background and wait for its end; with `readers`, under the burden."""
    base, text = await server.base(), f"saga {burden.words}"
    path, over = f"/v1/runs/{run}/events/stream", asyncio.Event()
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(
            httpx.AsyncClient(base_url=base, timeout=120, trust_env=False, verify=False)
        )
        await http.post("/v1/threads", json={"id": run})
        began = time.monotonic()
        accepted = await http.post(f"/v1/threads/{run}/messages", json={"run_id": run, "messages": [{"content": text}]})
        assert accepted.status_code == 202, accepted.text
        sleeper = await stack.enter_async_context(stalled(base, path)) if readers else None
        coming = asyncio.create_task(
            come_and_go(http, path, times=burden.reconnects if readers else 0, done=over), name="readers"
        )
        await _until_finished(http, run)
        seconds = time.monotonic() - began
        over.set()
        return Measured(seconds, resident(server.process.pid), await _awake(sleeper), await coming)


async def _until_finished(http: httpx.AsyncClient, run: str) -> None:
    """One reader that follows the run to its end, as there is in every measurement."""
    async with http.stream("GET", f"/v1/runs/{run}/events/stream") as response:
        async for _ in response.aiter_bytes():
            pass


async def _awake(sleeper: Stalled | None) -> list[bytes]:
    return await sleeper.read() if sleeper else []


async def under(burden: Burden, folder: Path) -> tuple[Measured, Measured]:
    """The same run in one process that is warm: alone and with its burden."""
    environment = {
        STORE: f"sqlite:///{folder / 'saga.db'}",
        LEDGER: str(folder / "ledger.jsonl"),
        PACE: str(burden.pace),
    }
    async with serving("tests.chaos.served:runtime", **environment) as server:
        for warming in range(2):
            await measure(server, burden, f"warm {warming}", readers=True)
        alone = await measure(server, burden, "alone", readers=False)
        return alone, await measure(server, burden, "burdened", readers=True)


def check(burden: Burden, alone: Measured, burdened: Measured) -> None:
    """Everybody saw the run whole and in order, and the process did not grow."""
    said = [json.loads(line.removeprefix(b"data: ")) for line in burdened.stalled]
    text = "".join(event["delta"] for event in said if event["type"] == "text_delta")
    numbers = [frame.id for frame in burdened.reconnected]

    assert text == "".join(replies(f"saga {burden.words}")[0].words)
    assert said[-1]["type"] == "run_finished"
    assert numbers == sorted(set(numbers)) == [event["seq"] for event in said[: len(numbers)]]
    assert burdened.memory - alone.memory < FLAT, f"{(burdened.memory - alone.memory) / MIB:.1f} MiB more"


@pytest.mark.proves("E14")
async def test_readers_that_stall_or_come_and_go_see_everything_and_cost_no_memory(tmp_path: Path) -> None:
    burden = Burden(words=400, pace=0.001, reconnects=100)

    alone, burdened = await under(burden, tmp_path)

    check(burden, alone, burdened)


@pytest.mark.chaos
@pytest.mark.proves("E14")
async def test_a_thousand_reconnects_and_a_stalled_reader_do_not_slow_a_run(tmp_path: Path) -> None:
    burden = Burden(words=1100, pace=0.015, reconnects=1000)
    ratios: list[float] = []

    while len(ratios) < TRIES and min(ratios, default=AS_LONG) >= AS_LONG:
        folder = tmp_path / str(len(ratios))
        folder.mkdir()
        alone, burdened = await under(burden, folder)
        check(burden, alone, burdened)
        assert len(burdened.reconnected) > 900
        ratios.append(burdened.seconds / alone.seconds)

    assert min(ratios) < AS_LONG, f"{ratios} times as long"
