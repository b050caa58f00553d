"""Many threads with a few runs each, and little room for them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytestmark = pytest.mark.network
THREADS, RUNS, CAPACITY = 200, 3, 2

STARTED = """
select run.created_at, run.started_at, dispatch.worker
from runs as run
join dispatches as dispatch on dispatch.run_key = run.key
where run.id like '%-0'
"""
"""The first run of each thread: nothing was in its way but other threads."""


async def test_every_thread_gets_its_turn_and_keeps_its_order(fleet: Any, eventually: Any) -> None:
    server = await fleet.serve("--no-worker")
    room = asyncio.Semaphore(8)
    await asyncio.gather(*(fill(server, f"t{number:03}", room) for number in range(THREADS)))

    workers = [await fleet.work(WAKEFUL_WORKER_CAPACITY=str(CAPACITY)) for _ in range(2)]
    await eventually(lambda: done(fleet))

    for number in range(THREADS):
        thread = f"t{number:03}"
        messages = (await server.get(f"/v1/threads/{thread}/messages"))["messages"]
        turns = [(f"{thread}-{number}", role) for number in range(RUNS) for role in ("user", "assistant")]
        assert [(message["run_id"], message["role"]) for message in messages] == turns
    started = await fleet.sql(STARTED)
    assert len({row["worker"] for row in started}) == len(workers)
    assert overtakings(started) <= CAPACITY * len(workers)


async def fill(server: Any, thread: str, room: asyncio.Semaphore) -> None:
    async with room:
        await server.post("/v1/threads", {"id": thread})
        for number in range(RUNS):
            await server.post(f"/v1/threads/{thread}/messages", say(f"{thread}-{number}"))


def say(run: str) -> dict[str, Any]:
    return {"run_id": run, "messages": [{"content": "count to 3"}]}


async def done(fleet: Any) -> bool:
    rows = await fleet.sql("select count(*) as open from runs where finished_at is null")
    return rows[0]["open"] == 0


def overtakings(runs: list[Any]) -> int:
    """How many runs that were accepted later went before the unluckiest one."""
    return max(
        sum(other["created_at"] > run["created_at"] and other["started_at"] < run["started_at"] for other in runs)
        for run in runs
    )
