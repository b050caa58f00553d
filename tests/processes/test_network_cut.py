"""A worker that loses the database for longer than its lease lasts."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.processes.frames import text_of
from tests.processes.proxy import wire

pytestmark = pytest.mark.network
LEASE = {"WAKEFUL_LEASE_SECONDS": "2"}


async def test_it_stops_by_itself_its_run_goes_on_elsewhere_and_nothing_is_doubled(
    fleet: Any, postgres: Any, database: str, eventually: Any
) -> None:
    async with wire(socket_of(postgres)) as network:
        server = await fleet.serve("--no-worker", **LEASE)
        cut_off = await fleet.work(at=f"postgresql://postgres@127.0.0.1:{network.port}/{database}", **LEASE)
        await server.post("/v1/threads", {"id": "t"})
        message = {"messages": [{"content": "step to 8 as red"}], "agent_id": "stepper"}
        run = (await server.post("/v1/threads/t/messages", message)).json()["run_id"]
        async with server.events("GET", f"/v1/runs/{run}/events/stream") as reader:
            for number in range(1, 4):
                fleet.let_go("red", number)
            await reader.until(lambda seen: len(text_of(seen).split()) == 3)

            async def stopped() -> bool:
                return fleet.cancelled("red", cut_off)

            network.cut()
            await eventually(stopped)  # nobody else can claim the run yet, and no word comes through
            other = await fleet.work(**LEASE)
            await reader.until(lambda seen: any(event["type"] == "step_restarted" for event in seen))
            for number in range(4, 7):
                fleet.let_go("red", number)
            await reader.until(lambda seen: "6" in said_last(seen).split())
            network.mend()
            for number in range(7, 9):
                fleet.let_go("red", number)
            seen = await reader.rest()
        await other.ends()
        body = {"thread_id": "t", "agent_id": "stepper", "messages": [{"content": "step to 1 as blue"}]}
        fleet.let_go("blue", 1)
        async with server.events("POST", "/v1/runs", json=body) as reader_after:
            after = await reader_after.rest()

        assert said_last(seen) == "1 2 3 4 5 6 7 8 "
        assert [event["type"] for event in seen].count("run_finished") == 1
        assert [event["type"] for event in seen].count("step_restarted") == 1
        assert reader.numbers == sorted(set(reader.numbers))
        log = (await server.get(f"/v1/runs/{run}/events?limit=200"))["items"]
        assert [event["seq"] for event in log] == reader.numbers
        messages = (await server.get("/v1/threads/t/messages"))["messages"]
        assert Counter(message["role"] for message in messages) == {"user": 2, "assistant": 2}
        assert (text_of(after), after[-1]["outcome"]) == ("1 ", "completed")


def socket_of(postgres: Any) -> str:
    host = parse_qs(urlsplit(postgres.url("postgres")).query)["host"][0]
    return f"{host}/.s.PGSQL.5432"


def said_last(seen: list[dict[str, Any]]) -> str:
    """What the attempt that counts said."""
    last = max((place for place, event in enumerate(seen) if event["type"] == "step_restarted"), default=-1)
    return text_of(seen[last + 1 :])


async def test_a_worker_that_was_cut_off_alone_goes_on_once_the_network_is_back(
    fleet: Any, postgres: Any, database: str
) -> None:
    async with wire(socket_of(postgres)) as network:
        server = await fleet.serve("--no-worker", **LEASE)
        worker = await fleet.work(at=f"postgresql://postgres@127.0.0.1:{network.port}/{database}", **LEASE)
        body = {"thread_id": "t", "agent_id": "stepper", "messages": [{"content": "step to 4 as red"}], "run_id": "r"}
        async with server.events("POST", "/v1/runs", json=body) as reader:
            fleet.let_go("red", 1)
            await reader.until(lambda seen: text_of(seen) == "1 ")
            network.cut()
            fleet.let_go("red", 2)
            await worker.says("could not (be )?renew")
            network.mend()
            for number in (3, 4):
                fleet.let_go("red", number)
            seen = await reader.rest()

    assert said_last(seen) == "1 2 3 4 "
    assert reader.numbers == sorted(set(reader.numbers))
