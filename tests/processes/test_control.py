"""What one process is asked about a run that another one carries."""

from __future__ import annotations

import signal
from typing import Any

import pytest
from tests.processes.frames import text_of

pytestmark = pytest.mark.network


def steps(run: str, name: str, last: int = 4) -> dict[str, Any]:
    message = {"content": f"step to {last} as {name}"}
    return {"agent_id": "stepper", "thread_id": "t", "run_id": run, "messages": [message]}


def said(text: str) -> Any:
    return lambda seen: text in text_of(seen)


async def test_new_input_elsewhere_ends_what_the_thread_does_here(fleet: Any) -> None:
    a, b = await fleet.serve_all(2)

    async with a.events("POST", "/v1/runs", json=steps("r1", "red")) as first:
        fleet.let_go("red", 1)
        await first.until(said("1"))
        for number in range(1, 5):
            fleet.let_go("blue", number)
        async with b.events("POST", "/v1/runs", json=steps("r2", "blue")) as second:
            answer = await second.rest()
        ended = await first.rest()

    assert ended[-1]["type"] == "run_finished"
    assert (await b.get("/v1/runs/r1"))["status"] == "cancelled"
    assert text_of(answer) == "1 2 3 4 "


async def test_input_queued_elsewhere_waits_for_the_run_here(fleet: Any) -> None:
    a, b = await fleet.serve_all(2)

    async with a.events("POST", "/v1/runs", json=steps("r1", "red")) as first:
        fleet.let_go("red", 1)
        await first.until(said("1"))
        queued = {"agent_id": "stepper", "run_id": "r2", "messages": [{"content": "step to 2 as blue"}]}
        await b.post("/v1/threads/t/messages", queued)
        async with b.events("GET", "/v1/runs/r2/events/stream") as second:
            for number in (1, 2, 3, 4):
                fleet.let_go("blue", number)
            assert text_of(second.seen) == ""
            for number in (2, 3, 4):
                fleet.let_go("red", number)
            await first.rest()
            answer = await second.rest()

    assert text_of(answer) == "1 2 "
    runs = (await a.get("/v1/threads/t/runs"))["items"]
    assert {run["run_id"]: run["status"] for run in runs} == {"r1": "completed", "r2": "completed"}


async def test_a_thread_removed_elsewhere_ends_all_readers_of_its_waiting_run(fleet: Any) -> None:
    a, b, c = await fleet.serve_all(3)
    await a.post("/v1/runs", {"thread_id": "t", "run_id": "r", "messages": [{"content": "email a@example.com hi"}]})

    async with (
        a.events("GET", "/v1/runs/r/events/stream") as here,
        c.events("GET", "/v1/runs/r/events/stream") as afar,
    ):
        for reader in (here, afar):
            await reader.until(lambda seen: seen[-1:] and seen[-1]["type"] == "run_waiting")
        removed = await b.client.delete("/v1/threads/t")
        await here.rest()
        await afar.rest()

    assert removed.status_code == 204
    assert (await fleet.sql("select count(*) from events"))[0][0] == 0


async def test_a_run_handed_back_by_a_process_that_stops_goes_on_elsewhere_at_once(fleet: Any) -> None:
    a = await fleet.serve(WAKEFUL_SHUTDOWN_GRACE_SECONDS="0")
    b, c = await fleet.serve_all(2)

    async with a.events("POST", "/v1/runs", json=steps("r1", "red")) as here:
        fleet.let_go("red", 1)
        await here.until(said("1"))
        async with c.events("GET", "/v1/runs/r1/events/stream") as afar:
            await afar.until(said("1"))
            await a.command.ends(signal.SIGTERM)
            await afar.until(lambda seen: any(event["type"] == "step_restarted" for event in seen))
            for number in (2, 3, 4):
                fleet.let_go("red", number)
            seen = await afar.rest()

    place = next(place for place, event in enumerate(seen) if event["type"] == "step_restarted")
    assert text_of(seen[place:]) == "1 2 3 4 "
    assert afar.numbers == sorted(set(afar.numbers))
    assert (await b.get("/v1/runs/r1"))["status"] == "completed"


async def test_a_process_without_a_worker_has_its_runs_carried_by_another(fleet: Any) -> None:
    door = await fleet.serve("--no-worker")
    await fleet.work()
    for number in range(1, 5):
        fleet.let_go("red", number)

    async with door.events("POST", "/v1/runs", json=steps("r1", "red")) as events:
        assert text_of(await events.rest()) == "1 2 3 4 "
