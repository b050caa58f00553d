"""Whose turn it is when many threads wait for few places: the body of a short test and of a long one.

Waiting is counted in turns that others had, as the database recorded them, so that a slow machine waits no longer.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

AT_ONCE = 8
"""Requests that are under way together while the mailboxes fill."""
MOST = 2
"""How many times as long as the median a thread may wait."""

TURNS = """
select run.key, thread.id as thread, run.started_at, run.created_at, dispatch.worker
from runs as run
join threads as thread on thread.key = run.thread_key
join dispatches as dispatch on dispatch.run_key = run.key
order by run.started_at, run.created_at
"""
"""Every run in the order in which they were begun."""


@dataclass(frozen=True, slots=True)
class Plan:
    """So many threads with so many runs each, and workers that carry `capacity` runs at a time."""

    threads: int
    runs: int
    workers: int = 2
    capacity: int = 2

    @property
    def places(self) -> int:
        """Runs that are carried at a time."""
        return self.workers * self.capacity


async def check_fairness(plan: Plan, fleet: Any, eventually: Any) -> None:
    """Fill every thread's mailbox, round by round; then let the workers at it, and look at whose turn came when."""
    server = await fleet.serve("--no-worker")
    room = asyncio.Semaphore(AT_ONCE)
    await asyncio.gather(*(_create(server, thread, room) for thread in range(plan.threads)))
    for number in range(plan.runs):
        await asyncio.gather(*(_fill(server, thread, number, room) for thread in range(plan.threads)))

    for _ in range(plan.workers):
        await fleet.work(WAKEFUL_WORKER_CAPACITY=str(plan.capacity))
    left = await _unfinished(fleet)
    while left:
        left = await _progress(fleet, eventually, left)

    await asyncio.gather(*(_check_order(server, thread, plan.runs, room) for thread in range(plan.threads)))
    turns = await fleet.sql(TURNS)
    waits = longest_waits([turn["thread"] for turn in turns])
    assert len(turns) == plan.threads * plan.runs
    assert len({turn["worker"] for turn in turns}) == plan.workers
    assert overtakings([turn["created_at"] for turn in turns]) <= plan.places
    assert max(waits.values()) <= MOST * median(waits.values()), sorted(waits.values())[-9:]


def longest_waits(turns: Sequence[str]) -> dict[str, int]:
    """For each thread the most turns that went by between two of its own, or before its first."""
    places: dict[str, list[int]] = {}
    for place, thread in enumerate(turns):
        places.setdefault(thread, [-1]).append(place)
    return {thread: max(later - sooner for sooner, later in pairwise(found)) for thread, found in places.items()}


def overtakings(begun: Sequence[int]) -> int:
    """How many that were accepted later went before the unluckiest one; `begun` says when, in the order of turns."""
    before: list[int] = []
    worst = 0
    for accepted in begun:
        worst = max(worst, len(before) - bisect_right(before, accepted))
        insort(before, accepted)
    return worst


async def _create(server: Any, thread: int, room: asyncio.Semaphore) -> None:
    async with room:
        await server.post("/v1/threads", {"id": f"t{thread}"})


async def _fill(server: Any, thread: int, number: int, room: asyncio.Semaphore) -> None:
    body = {"run_id": f"t{thread}-{number}", "messages": [{"content": "count to 3"}]}
    async with room:
        await server.post(f"/v1/threads/t{thread}/messages", body)


async def _unfinished(fleet: Any) -> int:
    return (await fleet.sql("select count(*) from runs where finished_at is null"))[0][0]


async def _progress(fleet: Any, eventually: Any, before: int) -> int:
    """How many runs are left once there are fewer than before."""
    left = before

    async def fewer() -> bool:
        nonlocal left
        left = await _unfinished(fleet)
        return left < before

    await eventually(fewer)
    return left


async def _check_order(server: Any, thread: int, runs: int, room: asyncio.Semaphore) -> None:
    """The thread's messages stand in the order in which they were brought, question and answer together."""
    async with room:
        messages = (await server.get(f"/v1/threads/t{thread}/messages"))["messages"]
    turns = [(f"t{thread}-{number}", role) for number in range(runs) for role in ("user", "assistant")]
    assert [(message["run_id"], message["role"]) for message in messages] == turns
