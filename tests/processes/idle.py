"""What very many streams on which nothing happens may cost: the body of a short test and of a long one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from tests.processes.statements import LEARNING, overheard
from tests.processes.watchers import PATIENCE, Watcher, allow_sockets, watching

PROCESSES = 3
POOL = 4
QUIET_SECONDS = 12
"""Two sweeps of the logs, and one renewal of leases."""
LEASE_SECONDS = 30
AT_ONCE = 24
"""Requests that are under way together while the crowd gathers."""
WORD = "idle"
"""What the runs of the slow model wait for."""

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
    "list_documents": 0.5,
    "due_documents": 5,
    "runs_to_pack": 60,
    "probe": 30,
    "renew_leases": LEASE_SECONDS / 3,
    "orders": LEASE_SECONDS / 3,
}
"""What a process asks when nothing happens, and the seconds between two times. `probe` is the listener's, too."""
SPARE = 3
"""One for the edge of the time, and the two that renewals of leases wake."""
LEARNED = 6
"""The most a connection asks when it is new: three statements for each of two kinds of array."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many read, and how many runs there are to be read; every process has readers of every run."""

    readers: int
    runs: int


async def check_idle_streams(crowd: Crowd, fleet: Any, postgres: Any, eventually: Any) -> None:
    """Let the crowd read, look on for a while, and then let every run end under its readers' eyes."""
    processes = await fleet.serve_all(
        PROCESSES, at=f"{fleet.url}&pool_size={POOL}&pool_timeout={PATIENCE}", WAKEFUL_LEASE_SECONDS=str(LEASE_SECONDS)
    )
    allow_sockets(crowd.readers)
    room = asyncio.Semaphore(AT_ONCE)
    await asyncio.gather(*(_begin(processes[number % PROCESSES], number, room) for number in range(crowd.runs)))

    async with AsyncExitStack() as stack:
        readers = await _gather(crowd, processes, stack, room)
        await eventually(lambda: _settled(postgres))
        began = asyncio.get_running_loop().time()
        async with overheard(postgres) as asked:
            await asyncio.sleep(QUIET_SECONDS)
        passed = asyncio.get_running_loop().time() - began
        connections = dict(await fleet.sql(CONNECTIONS))
        fleet.let_go(WORD, 1)
        await asyncio.gather(*(_stop(processes[-1], number, room) for number in range(0, crowd.runs, 2)))
        ends = await asyncio.gather(*(reader.rest() for reader in readers))

    assert len(ends) == crowd.readers
    assert all(b'"run_finished"' in end for end in ends)
    assert connections.keys() == {f"wakeful {process.pid}" for process in processes}
    assert max(connections.values()) <= POOL + 1
    unexpected = asked.names - {*SWEEPS, LEARNING}
    assert not unexpected, unexpected
    for counts in asked.counts.values():
        assert counts.pop(LEARNING, 0) <= LEARNED * POOL
        assert all(times <= passed / SWEEPS[name] + SPARE for name, times in counts.items()), counts


async def _begin(process: Any, number: int, room: asyncio.Semaphore) -> None:
    """Every second run waits for an answer, the others for the next word of their model."""
    run = {"thread_id": f"t{number}", "run_id": f"r{number}"}
    waits = number % 2 == 0
    agent, text = ("assistant", "email a@example.com hi") if waits else ("stepper", f"step to 1 as {WORD}")
    body = {"agent_id": agent, **run, "messages": [{"content": text}]}
    async with room, process.events("POST", "/v1/runs", json=body) as events:
        await events.until(lambda seen: seen[-1:] and seen[-1]["type"] in ("run_waiting", "step_started"))


async def _gather(
    crowd: Crowd, processes: Sequence[Any], stack: AsyncExitStack, room: asyncio.Semaphore
) -> list[Watcher]:
    """All readers, each of which has seen something."""

    async def read(number: int) -> Watcher:
        base = processes[number % PROCESSES].base
        run = number // PROCESSES % crowd.runs
        async with room:
            watcher = await stack.enter_async_context(watching(base, f"/v1/runs/r{run}/events/stream"))
            await watcher.first()
        return watcher

    return await asyncio.gather(*(read(number) for number in range(crowd.readers)))


async def _settled(postgres: Any) -> bool:
    """Whether nobody reads logs any more."""
    async with overheard(postgres) as asked:
        await asyncio.sleep(1)
    return asked.names <= SWEEPS.keys()


async def _stop(process: Any, number: int, room: asyncio.Semaphore) -> None:
    async with room:
        await process.post(f"/v1/runs/r{number}/cancel", {})
