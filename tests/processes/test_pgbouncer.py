"""Two processes behind a pgbouncer in transaction mode."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.processes.bouncer import BOUNCER, CONNECTIONS, pooled
from tests.processes.frames import text_of

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(BOUNCER is None, reason="pgbouncer is not installed: apt-get install pgbouncer"),
]
HELD = """
select count(*)
from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
"""
RUNS = 40
EMAIL = {"thread_id": "t", "run_id": "r", "messages": [{"content": "email a@example.com hi"}]}


def steps(run: str, last: int, name: str) -> dict[str, Any]:
    message = {"content": f"step to {last} as {name}"}
    return {"agent_id": "stepper", "thread_id": run, "run_id": run, "messages": [message]}


def said(text: str) -> Any:
    return lambda seen: text in text_of(seen)


@pytest.fixture
async def pool(postgres: Any, database: str) -> AsyncIterator[str]:
    """The store's URL through a pgbouncer."""
    async with pooled(postgres, database) as url:
        yield url


async def test_a_run_is_watched_answered_and_stopped_by_the_other_process(fleet: Any, pool: str) -> None:
    a, b = await fleet.serve(at=pool), await fleet.serve("--no-worker", at=pool)

    async with a.events("POST", "/v1/runs", json=EMAIL) as asked:
        await asked.until(lambda seen: seen[-1:] and seen[-1]["type"] == "run_waiting")
    (question,) = asked.seen[-1]["interrupts"]
    await b.post("/v1/runs/r/decision", {"interrupt_id": question["id"], "approved": True})
    async with b.events("GET", "/v1/runs/r/events/stream") as answered:
        await answered.rest()

    async with (
        a.events("POST", "/v1/runs", json=steps("s", 3, "red")) as here,
        b.events("GET", "/v1/runs/s/events/stream") as afar,
    ):
        fleet.let_go("red", 1)
        await afar.until(said("1"))
        await b.post("/v1/runs/s/cancel", {})
        ends = [await here.rest(), await afar.rest()]

    assert (await a.get("/v1/runs/r"))["status"] == "completed"
    assert [events[-1]["type"] for events in ends] == ["run_finished", "run_finished"]
    assert (await b.get("/v1/runs/s"))["status"] == "cancelled"


async def test_a_run_whose_process_is_killed_goes_on_in_the_other(fleet: Any, pool: str) -> None:
    a, b = [await fleet.serve(at=pool, WAKEFUL_LEASE_SECONDS="1") for _ in range(2)]

    async with a.events("POST", "/v1/runs", json=steps("r", 2, "red")) as first:
        fleet.let_go("red", 1)
        await first.until(said("1"))
        async with b.events("GET", "/v1/runs/r/events/stream") as second:
            await second.until(said("1"))
            a.command.process.kill()
            fleet.let_go("red", 2)
            await second.rest()

    run = await b.get("/v1/runs/r")
    assert (run["status"], run["attempt"]) == ("completed", 2)


async def test_many_runs_of_both_share_the_few_connections(fleet: Any, pool: str) -> None:
    both = [await fleet.serve(at=f"{pool}&pool_size=8&pool_timeout=30") for _ in range(2)]

    async def whole(number: int) -> str:
        request = {"thread_id": f"t{number}", "run_id": f"r{number}", "messages": [{"content": "count to 9"}]}
        async with both[number % 2].events("POST", "/v1/runs", json=request) as events:
            return text_of(await events.rest())

    answers = await asyncio.gather(*(whole(number) for number in range(RUNS)))
    afar = [await both[1 - number % 2].get(f"/v1/runs/r{number}") for number in range(RUNS)]

    assert {" ".join(answer.split()) for answer in answers} == {"1 2 3 4 5 6 7 8 9"}
    assert {run["status"] for run in afar} == {"completed"}
    assert (await fleet.sql(HELD))[0][0] <= CONNECTIONS + len(both)
