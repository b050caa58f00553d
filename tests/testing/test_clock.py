"""Time moves only when told."""

from __future__ import annotations

import asyncio

import pytest

from wakeful.contracts.clock import Clock
from wakeful.testing.clock import FakeClock


def test_it_keeps_the_promise_of_a_clock_with_counted_ids():
    clock: Clock = FakeClock(now=5)

    assert (clock.now(), clock.new_id(), clock.new_id()) == (5, "id-1", "id-2")


async def test_sleepers_wake_in_the_order_they_are_due_and_not_before():
    clock = FakeClock(now=0)
    woken: list[int] = []

    async def sleeper(milliseconds: int) -> None:
        await clock.sleep(milliseconds)
        woken.append(milliseconds)

    async with asyncio.TaskGroup() as tasks:
        for milliseconds in (30, 10, 20, 40):
            tasks.create_task(sleeper(milliseconds))
        await clock.until_asleep(4)
        clock.advance(9)
        await asyncio.sleep(0)
        early = list(woken)
        clock.advance(21)
        await clock.until_due(40)
        clock.advance(10)

    assert early == []
    assert woken == [10, 20, 30, 40]


async def test_a_cancelled_sleeper_is_gone():
    clock = FakeClock()
    task = asyncio.create_task(clock.sleep(10))
    await clock.until_asleep()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert clock.due == []
    clock.advance(10)


async def test_sleeping_no_time_needs_nobody_to_move_the_clock():
    async with asyncio.timeout(5):
        await FakeClock().sleep(0)
