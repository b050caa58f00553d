"""The feed: replay then tail, from any point, as one path."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from wakeful.contracts.event import Event, RunFinished, RunStarted, RunWaiting, StepStarted, TextDelta
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.store import Answers
from wakeful.engine.assignment import Ending
from wakeful.runtime.feed import PAGE, UNSEEN
from wakeful.runtime.projection import RING

if TYPE_CHECKING:
    from tests.runtime.conftest import Desk

ANSWERED = Ending(status=RunStatus.COMPLETED, stop_reason="answered")
ASKING = Ending(status=RunStatus.WAITING)


def words(count: int, first: int = 0) -> list[Event]:
    return [TextDelta(str(number)) for number in range(first, first + count)]


async def test_a_reader_gets_the_log_then_what_comes_until_the_end(desk: Desk):
    claim = await desk.claim()
    writer = desk.writer(claim)
    writer.write(StepStarted(1, "m"), *words(2))
    await writer.save()

    reader = desk.reader(claim, after=0)
    await reader.until(TextDelta("1"))
    writer.write(*words(2, first=2))
    await reader.until(TextDelta("3"))
    await writer.end(ANSWERED)
    await reader.ended()

    assert [entry.seq for entry in reader.entries] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("after", [1, 3, RING, RING + 100])
async def test_a_reader_may_join_at_any_point(desk: Desk, after: int):
    claim = await desk.claim()
    writer = desk.writer(claim)
    for first in range(0, RING + 200, 100):
        writer.write(*words(100, first))
        await writer.save()

    reader = desk.reader(claim, after=after)
    await writer.end(ANSWERED)
    await reader.ended()

    last = (await desk.log(claim))[-1].seq
    assert last > RING + 100
    assert [entry.seq for entry in reader.entries] == list(range(after + 1, last + 1))


async def test_a_slow_reader_falls_back_to_the_log_without_gap_or_repeat(desk: Desk):
    claim = await desk.claim()
    writer = desk.writer(claim)
    slow = desk.reader(claim, permits=0, batch=7)
    writer.write(*words(3))
    await slow.until(TextDelta("2"))

    for first in range(3, 3 * RING, 300):
        writer.write(*words(300, first))
        await writer.save()
    slow.permit(1)
    await slow.until(TextDelta("9"))
    await writer.end(ANSWERED)
    slow.permit(RING)
    await slow.ended()

    assert [entry.seq for entry in slow.entries] == [entry.seq for entry in (await desk.log(claim))[1:]]


async def test_a_reader_whose_buffer_is_one_event_loses_nothing(desk: Desk):
    claim = await desk.claim()
    writer = desk.writer(claim)
    reader = desk.reader(claim, batch=1)

    writer.write(*words(50))
    await writer.end(ANSWERED)
    await reader.ended()

    assert reader.events() == words(50)


async def test_a_replay_reads_every_page_of_a_finished_log_once_and_hands_it_out_in_small_batches(desk: Desk):
    claim = await desk.claim()
    writer = desk.writer(claim)
    writer.write(*words(2 * PAGE + 10))
    await writer.end(ANSWERED)
    desk.feed.tidy(claim.run.key)

    batches = [len(entries) async for entries in desk.feed.follow(claim.run.key, after=1, batch=100)]

    assert sum(batches) == 2 * PAGE + 10
    assert max(batches) == 100
    assert desk.valve.calls.count("read_log") == 3


async def test_a_stalled_reader_holds_nobody_up(desk: Desk):
    claim = await desk.claim()
    writer = desk.writer(claim)
    stalled, quick = desk.reader(claim, permits=0), desk.reader(claim)
    writer.write(*words(1))
    await stalled.until(TextDelta("0"))

    writer.write(*words(9, first=1))
    await writer.end(ANSWERED)
    await quick.ended()

    assert len(quick.entries) == 10
    await stalled.leave()


async def test_silence_is_told_and_ends_nothing(desk: Desk):
    claim = await desk.claim()
    writer = desk.writer(claim)
    reader = desk.reader(claim, silence_ms=1)
    async with asyncio.timeout(5):
        while reader.silences < 2:
            await desk.store.probe()

    writer.write(*words(1))
    await writer.end(ANSWERED)
    await reader.ended()

    assert reader.events() == words(1)


async def test_a_wait_ends_a_reader_and_a_resumed_run_begins_a_new_segment(desk: Desk):
    claim = await desk.claim()
    writer = desk.writer(claim)
    faithful, first = desk.reader(claim, until_finished=True), desk.reader(claim)
    writer.write(RunStarted("a"), RunWaiting(()))
    await writer.end(ASKING)
    await first.ended()

    decided = await desk.store.decide(
        Answers(run_key=claim.run.key, decisions=(), dispatch_id="d", at=desk.clock.now())
    )
    second = desk.reader(claim, after=first.entries[-1].seq)
    again = await desk.claim_lost()
    resumed = desk.writer(again)
    resumed.write(RunStarted("a", resumed=True), RunFinished("completed", "answered"))
    await resumed.end(ANSWERED)
    await second.ended()
    await faithful.ended()

    assert decided.ready
    assert first.events() == [RunStarted("a"), RunWaiting(())]
    assert second.events() == [RunStarted("a", resumed=True), RunFinished("completed", "answered")]
    assert faithful.events() == first.events() + second.events()


async def test_a_run_that_went_on_elsewhere_is_followed_by_its_log(desk: Desk):
    claim = await desk.claim()
    writer = desk.writer(claim)
    reader = desk.reader(claim, silence_ms=1)
    writer.write(StepStarted(1, "m"))
    await writer.save()
    writer.recorder.lost()

    elsewhere = type(desk)(desk.store)
    elsewhere.clock = desk.clock
    other = elsewhere.writer(await elsewhere.claim_lost())
    other.write(*words(2))
    await other.end(ANSWERED)
    await reader.ended()

    assert reader.events() == [StepStarted(1, "m"), *words(2)]


async def test_closing_ends_all_readers(desk: Desk):
    claim = await desk.claim()
    desk.writer(claim)
    reader = desk.reader(claim)
    await asyncio.sleep(0)

    desk.feed.close()
    await reader.ended()

    assert desk.feed.closing


async def test_a_run_is_unseen_until_a_reader_got_to_its_end(desk: Desk):
    claim = await desk.claim()
    writer = desk.writer(claim)
    left = desk.reader(claim)
    writer.write(*words(1))
    await left.until(TextDelta("0"))
    await left.leave()
    await writer.end(ANSWERED)
    desk.feed.rested(claim.run.key)
    before = desk.feed.unseen(claim.run.key)

    await desk.reader(claim).ended()

    assert before
    assert not desk.feed.unseen(claim.run.key)


async def test_only_so_many_unseen_runs_are_remembered(desk: Desk):
    for key in range(UNSEEN + 1):
        desk.feed.rested(key)

    assert not desk.feed.unseen(0)
    assert desk.feed.unseen(1)


async def test_a_channel_nobody_uses_is_forgotten(desk: Desk):
    claim = await desk.claim()
    writer = desk.writer(claim)
    channel = desk.feed.channel(claim.run.key)
    reader = desk.reader(claim)
    await writer.end(ANSWERED)
    await reader.ended()

    desk.feed.tidy(claim.run.key)

    assert desk.feed.channel(claim.run.key) is not channel
