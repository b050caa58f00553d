"""Live streams between processes over a real NATS, which comes and goes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import quote

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.buses.conftest import NatsServer
from tests.processes.frames import Events, text_of
from tests.processes.statements import overheard

pytestmark = pytest.mark.network
WORDS = 30
MANY = 300
LOOKS = WORDS // 2
"""More than the few reads of the log that a reader begins with, fewer than one for each word."""


@pytest.fixture
def nats() -> Iterator[NatsServer]:
    """A server that is not started yet."""
    server = NatsServer()
    yield server
    server.kill()


def steps(last: int, name: str) -> dict[str, Any]:
    message = {"content": f"step to {last} as {name}"}
    return {"agent_id": "stepper", "thread_id": "t", "run_id": "r", "messages": [message]}


def words(number: int) -> Any:
    return lambda seen: len(text_of(seen).split()) >= number


async def bus(process: Any) -> str:
    return (await process.get("/health"))["components"]["bus"]


async def batches(process: Any, way: str) -> float:
    """How many commits this process sent to, or heard from, the bus."""
    text = (await process.client.get("/metrics")).text
    return next(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "wakeful_bus_batches_total" and sample.labels == {"way": way}
    )


async def everywhere(eventually: Any, state: str, *processes: Any) -> None:
    async def asked() -> bool:
        return all([await bus(process) == state for process in processes])

    await eventually(asked)


async def whole(process: Any, afar: Events, here: Events) -> None:
    """Both readers saw the log: everything, once, in order."""
    assert afar.seen == here.seen
    assert afar.numbers == here.numbers == await log(process)


async def log(process: Any) -> list[int]:
    """The numbers of all events of the run."""
    numbers = [0]
    while page := (await process.get(f"/v1/runs/r/events?limit=200&after={numbers[-1]}"))["items"]:
        numbers.extend(event["seq"] for event in page)
    return numbers[1:]


def deaf(fleet: Any, postgres: Any) -> str:
    """The fleet's URL for a process that hears of nothing, because it listens to another database."""
    return f"{fleet.url}&listen_url={quote(postgres.url('postgres'), safe='')}"


async def test_what_is_said_elsewhere_comes_over_the_bus(
    fleet: Any, nats: NatsServer, postgres: Any, eventually: Any
) -> None:
    await nats.start()
    a = await fleet.serve("--bus", nats.url)
    b = await fleet.serve("--bus", nats.url, at=deaf(fleet, postgres))
    await everywhere(eventually, "connected", a, b)

    async with a.events("POST", "/v1/runs", json=steps(WORDS, "red")) as here:
        await here.until(lambda seen: seen)
        async with b.events("GET", "/v1/runs/r/events/stream") as afar:
            await afar.until(lambda seen: seen)
            async with overheard(postgres) as asked:
                for number in range(1, WORDS + 1):
                    fleet.let_go("red", number)
                    await afar.until(words(number))
                await afar.rest()
            await here.rest()

    await whole(b, afar, here)
    assert asked.counts[f"wakeful {b.pid}"]["read_log"] < LOOKS
    assert await batches(b, "heard") > WORDS - LOOKS


async def test_nats_may_die_and_come_back_in_the_middle_of_a_stream(
    fleet: Any, nats: NatsServer, eventually: Any
) -> None:
    await nats.start()
    a, b = await fleet.serve_all(2, WAKEFUL_BUS=nats.url)
    await everywhere(eventually, "connected", a, b)

    async with a.events("POST", "/v1/runs", json=steps(MANY, "blue")) as here:
        await here.until(lambda seen: seen)
        async with b.events("GET", "/v1/runs/r/events/stream") as afar:
            said = count(1)

            async def say() -> None:
                fleet.let_go("blue", number := next(said))
                await afar.until(words(number))

            async def heard() -> bool:
                await say()
                return await batches(b, "heard") > before

            before = 0.0
            await eventually(heard)
            nats.kill()
            for _ in range(5):
                await say()
            await everywhere(eventually, "degraded", a, b)
            for _ in range(5):
                await say()
            await nats.start()
            await everywhere(eventually, "connected", a, b)
            before = await batches(b, "heard")
            await eventually(heard)
            for number in said:
                fleet.let_go("blue", number)
                if number == MANY:
                    break
            await afar.rest()
        await here.rest()

    await whole(b, afar, here)


async def test_processes_start_without_nats_and_use_it_when_it_is_there(
    fleet: Any, nats: NatsServer, eventually: Any
) -> None:
    a, b = await fleet.serve_all(2, WAKEFUL_BUS=f"nats://me:s3cret@127.0.0.1:{nats.port}")
    health = await a.client.get("/health")
    async with a.events("POST", "/v1/runs", json=steps(2, "green")) as here:
        await here.until(lambda seen: seen)
        async with b.events("GET", "/v1/runs/r/events/stream") as afar:
            fleet.let_go("green", 1)
            await afar.until(words(1))
            await nats.start("--user", "me", "--pass", "s3cret")
            await everywhere(eventually, "connected", a, b)
            fleet.let_go("green", 2)
            await afar.rest()
        await here.rest()

    assert health.status_code == 200
    assert health.json()["components"]["bus"] == "degraded"
    await whole(b, afar, here)
    for process in (a, b):
        assert await process.command.ends() == 0
        assert process.command.said.count("is away, live streams are read from the log") == 1
        assert "s3cret" not in process.command.said


async def test_what_a_worker_says_after_it_lost_its_run_is_not_shown(
    fleet: Any, nats: NatsServer, eventually: Any
) -> None:
    await nats.start()
    settings = {"WAKEFUL_BUS": nats.url, "WAKEFUL_LEASE_SECONDS": "2"}
    a = await fleet.serve(**settings)
    b = await fleet.serve("--no-worker", **settings)
    await everywhere(eventually, "connected", a, b)

    async with a.events("POST", "/v1/runs", json=steps(9, "grey")) as here:
        await here.until(lambda seen: seen)
    async with b.events("GET", "/v1/runs/r/events/stream") as afar:
        for number in range(1, 4):
            fleet.let_go("grey", number)
            await afar.until(words(number))
        os.kill(a.pid, signal.SIGSTOP)
        try:
            await fleet.work(**settings)
            await afar.until(lambda seen: any(event["type"] == "step_restarted" for event in seen))
            for number in range(4, 9):
                fleet.let_go("grey", number)
        finally:
            os.kill(a.pid, signal.SIGCONT)
        await eventually(lambda: lost(a))
        fleet.let_go("grey", 9)
        seen = await afar.rest()

    assert afar.numbers == await log(b)
    assert [event["type"] for event in seen].count("run_finished") == 1
    restarted = [event["type"] for event in seen].index("step_restarted")
    assert text_of(seen[restarted:]).split() == [str(number) for number in range(1, 10)]
    assert text_of(seen[:restarted]).split() == ["1", "2", "3"]


async def lost(process: Any) -> bool:
    """Whether it carries nothing any more."""
    text = (await process.client.get("/metrics")).text
    return "wakeful_active_runs 0.0" in text
