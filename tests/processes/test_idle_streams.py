"""Very many streams on which nothing happens."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.processes.frames import Events
from tests.processes.statements import LEARNING, overheard

pytestmark = pytest.mark.network

READERS = 500
RUNS = 10
POOL = 4
QUIET_SECONDS = 12
"""Two sweeps of the logs, and one renewal of leases."""
LEASE_SECONDS = 30

CONNECTIONS = """
select application_name, count(*)
from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
group by application_name
"""
SWEEPS = {
    "lock_due_threads": 1,
    "expired_interrupts": 1,
    "last_seqs": 5,
    "runs_to_pack": 60,
    "select 1": 30,
    "renew_leases": LEASE_SECONDS / 3,
    "orders": LEASE_SECONDS / 3,
}
"""What a process asks when nothing happens, and the seconds between two times. `select 1` is the listener's."""
LEARNED = 6
"""The most a connection asks when it is new: three statements for each of two kinds of array."""


async def test_idle_streams_cost_no_connection_and_no_query(fleet: Any, postgres: Any, eventually: Any) -> None:
    processes = await fleet.serve_all(3, at=f"{fleet.url}&pool_size={POOL}", WAKEFUL_LEASE_SECONDS=str(LEASE_SECONDS))
    await asyncio.gather(*(begin(processes[number % 3], number) for number in range(RUNS)))

    async with AsyncExitStack() as stack:
        readers = [
            await stack.enter_async_context(reader(processes[number % 3], number // 3 % RUNS))
            for number in range(READERS)
        ]
        await asyncio.gather(*(one.until(lambda seen: seen) for one in readers))
        await eventually(lambda: settled(postgres))
        began = asyncio.get_running_loop().time()
        async with overheard(postgres) as asked:
            await asyncio.sleep(QUIET_SECONDS)
        passed = asyncio.get_running_loop().time() - began
        connections = dict(await fleet.sql(CONNECTIONS))
        open_still = sum(one.open for one in readers)

    assert open_still == READERS
    assert connections.keys() == {f"wakeful {process.pid}" for process in processes}
    assert max(connections.values()) <= POOL + 1
    assert asked.names <= {*SWEEPS, LEARNING}
    for counts in asked.counts.values():
        assert counts.pop(LEARNING, 0) <= LEARNED * POOL
        assert all(times <= passed / SWEEPS[name] + 1 for name, times in counts.items()), counts


async def begin(process: Any, number: int) -> None:
    """Every second run waits for an answer, the others for the next word of their model."""
    run = {"thread_id": f"t{number}", "run_id": f"r{number}"}
    waits = number % 2 == 0
    agent, text = ("assistant", "email a@example.com hi") if waits else ("stepper", "step to 1 as never")
    async with process.events(
        "POST", "/v1/runs", json={"agent_id": agent, **run, "messages": [{"content": text}]}
    ) as events:
        await events.until(lambda seen: seen[-1:] and seen[-1]["type"] in ("run_waiting", "step_started"))


def reader(process: Any, number: int) -> Events:
    return process.events("GET", f"/v1/runs/r{number}/events/stream")


async def settled(postgres: Any) -> bool:
    """Whether nobody reads logs any more."""
    async with overheard(postgres) as asked:
        await asyncio.sleep(1)
    return asked.names <= SWEEPS.keys()
