"""The runtime: started once, stopped once, and clear about everything else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from wakeful.contracts.errors import StoreUnavailable, Unavailable
from wakeful.contracts.event import StepStarted
from wakeful.providers.scripted import ScriptedProvider

if TYPE_CHECKING:
    from tests.runtime.conftest import House


async def test_starting_again_is_harmless(house: House):
    runtime = await house.open("Hi")

    await asyncio.gather(runtime.start(), runtime.start())

    assert runtime.running
    assert house.valve.calls.count("open") == 1


async def test_after_a_failed_start_it_can_be_stopped_and_started_again(house: House):
    house.valve.refused.add("open")
    runtime = house.built(ScriptedProvider([]), house.valve.store)
    with pytest.raises(StoreUnavailable):
        await runtime.start()
    await runtime.stop()

    house.valve.refused.clear()
    await runtime.start()

    assert runtime.running


async def test_a_stopped_runtime_says_so_when_it_is_started_again(house: House):
    runtime = await house.open()
    await runtime.stop()
    await runtime.stop()

    with pytest.raises(Unavailable, match="build a new one"):
        await runtime.start()

    assert not runtime.running


async def test_who_asks_a_runtime_that_is_drained_is_told_to_come_back(house: House):
    runtime = await house.open()
    runtime.begin_drain()
    async with asyncio.timeout(5):
        await runtime.drained()

    with pytest.raises(Unavailable, match="send the request again"):
        await runtime.start()


async def test_a_runtime_belongs_to_one_event_loop(house: House):
    runtime = await house.open()

    with pytest.raises(Unavailable, match="event loop"):
        await asyncio.to_thread(asyncio.run, runtime.start())


async def test_a_runtime_whose_loop_was_dropped_says_so_in_the_next_one(house: House):
    runtime = house.built(ScriptedProvider([]), house.valve.store)
    house.runtimes.clear()
    await asyncio.to_thread(asyncio.run, runtime.start())

    with pytest.raises(Unavailable):
        await asyncio.to_thread(asyncio.run, runtime.start())

    await runtime.store.aclose()


async def test_stopping_ends_readers_and_leaves_no_channel(house: House):
    runtime = await house.open(asyncio.Event())
    receipt = await house.submit()
    await house.seen(receipt, StepStarted)
    reading = asyncio.create_task(house.entries(receipt))
    await asyncio.sleep(0)

    await runtime.stop()

    assert [entry.seq for entry in await reading][:2] == [1, 2]
    assert runtime.feed.closing
    assert runtime.worker.active == 0


async def test_stopping_a_runtime_whose_store_is_away_takes_no_lease_long(house: House):
    runtime = await house.open(asyncio.Event())
    receipt = await house.submit()
    await house.seen(receipt, StepStarted)
    house.valve.refused.add("requeue")

    stopping = asyncio.create_task(runtime.stop())
    for _ in range(8):
        await house.clock.until_due(house.clock.now() + 250)
        house.clock.advance(250)
    async with asyncio.timeout(5):
        await stopping

    assert not runtime.running


async def test_the_store_is_closed_even_when_the_work_was_killed(house: House):
    runtime = await house.open()
    (main,) = [task for task in asyncio.all_tasks() if task.get_name() == "wakeful runtime"]
    main.cancel()

    with pytest.raises(asyncio.CancelledError):
        await runtime.stop()

    assert house.valve.calls[-1] == "aclose"


async def test_nothing_is_kept_of_runs_that_ended(house: House):
    runtime = await house.open(*["Hi"] * 20)

    for number in range(20):
        await house.events(await house.submit(thread_id=f"t{number % 3}"))

    assert runtime.worker.active == 0
    assert not any(runtime.feed.unseen(key) for key in range(100))
