"""The recorder: what is shown when, and what reaches the log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from wakeful.contracts.errors import LeaseLost, StoreUnavailable
from wakeful.contracts.event import (
    Event,
    ModelCallFinished,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
    TextDelta,
)
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import Message, TextPart
from wakeful.contracts.store import Claim
from wakeful.contracts.usage import Usage
from wakeful.engine.assignment import Ending
from wakeful.runtime.commit import GroupCommit
from wakeful.runtime.recorder import BEHIND, SHOWN_AHEAD, Recorder
from wakeful.runtime.steering import Steering

if TYPE_CHECKING:
    from tests.runtime.conftest import Desk

ANSWERED = Ending(status=RunStatus.COMPLETED, stop_reason="answered")


class Pen:
    """A recorder, and what it shows."""

    def __init__(self, desk: Desk, claim: Claim, group: GroupCommit) -> None:
        self.losses = 0
        self.channel = desk.feed.channel(claim.run.key)
        self._start = claim.last_seq
        self.recorder = Recorder(
            claim,
            self.channel,
            desk.store,
            group,
            desk.clock,
            steering=Steering(desk.store, desk.feed, desk.clock),
            on_lost=self._lost,
        )

    def write(self, *events: Event) -> None:
        for event in events:
            self.recorder.emit(event)

    def write_at_once(self, *events: Event) -> None:
        self.recorder.emit(*events)

    def shown(self) -> list[Event]:
        return [entry.event for entry in self.channel.after(self._start, 10_000)]

    def _lost(self) -> None:
        self.losses += 1


@asynccontextmanager
async def committing(desk: Desk) -> AsyncGenerator[GroupCommit]:
    group = GroupCommit(desk.store, desk.clock)
    task = asyncio.create_task(group.run())
    yield group
    task.cancel()
    await asyncio.wait([task])


def words(count: int) -> list[Event]:
    return [TextDelta(str(number)) for number in range(count)]


async def test_the_beginning_of_a_step_is_committed_with_what_follows_it(desk: Desk):
    claim = await desk.claim()
    async with committing(desk) as group:
        pen = Pen(desk, claim, group)

        pen.write(StepStarted(1, "m"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        alone = desk.valve.calls.count("append")
        pen.write(TextDelta("a"))
        await pen.recorder.flush()

        assert alone == 0
        assert pen.shown() == [StepStarted(1, "m"), TextDelta("a")]
        assert desk.valve.calls.count("append") == 1


async def test_the_beginning_of_a_step_is_shown_without_anything_behind_it(desk: Desk):
    claim = await desk.claim()
    async with committing(desk) as group:
        pen = Pen(desk, claim, group)

        pen.write(StepStarted(1, "m"))
        await desk.valve.called("append")
        await pen.recorder.flush()

        assert pen.shown() == [StepStarted(1, "m")]


async def test_a_delta_is_shown_at_once_and_a_fact_only_when_durable(desk: Desk):
    claim = await desk.claim()
    gate = desk.valve.hold("append")

    async with committing(desk) as group:
        pen = Pen(desk, claim, group)
        pen.write(TextDelta("a"), RunStarted("assistant"))
        await desk.valve.called("append")
        before = pen.shown()
        gate.set()
        await pen.recorder.flush()

    assert before == [TextDelta("a")]
    assert pen.shown() == [TextDelta("a"), RunStarted("assistant")]


async def test_deltas_behind_a_fact_that_is_not_durable_wait_for_it(desk: Desk):
    claim = await desk.claim()
    gate = desk.valve.hold("append")

    async with committing(desk) as group:
        pen = Pen(desk, claim, group)
        pen.write(RunStarted("assistant"))
        await desk.valve.called("append")
        pen.write(TextDelta("a"), StepFinished(1), TextDelta("b"))
        before = pen.shown()
        gate.set()
        await pen.recorder.flush()

    assert before == []
    assert pen.shown() == [RunStarted("assistant"), TextDelta("a"), StepFinished(1), TextDelta("b")]


async def test_deltas_are_shown_only_so_far_beyond_what_is_durable(desk: Desk):
    claim = await desk.claim()
    gate = desk.valve.hold("append")

    async with committing(desk) as group:
        pen = Pen(desk, claim, group)
        pen.write(*words(SHOWN_AHEAD + 5))
        before = pen.shown()
        gate.set()
        await pen.recorder.flush()

    assert before == words(SHOWN_AHEAD)
    assert pen.shown() == words(SHOWN_AHEAD + 5)


async def test_events_that_come_together_are_shown_as_if_they_came_one_by_one(desk: Desk):
    claim = await desk.claim()
    gate = desk.valve.hold("append")

    async with committing(desk) as group:
        pen = Pen(desk, claim, group)
        pen.write_at_once(*words(2), RunStarted("assistant"), TextDelta("a"))
        await desk.valve.called("append")
        pen.write_at_once(TextDelta("b"), StepFinished(1))
        before = pen.shown()
        gate.set()
        await pen.recorder.flush()

    assert before == words(2)
    assert pen.shown() == [*words(2), RunStarted("assistant"), TextDelta("a"), TextDelta("b"), StepFinished(1)]
    assert [entry.seq for entry in await desk.log(claim)] == [1, 2, 3, 4, 5, 6, 7]


async def test_deltas_that_come_together_are_shown_only_so_far_beyond_what_is_durable(desk: Desk):
    claim = await desk.claim()
    gate = desk.valve.hold("append")

    async with committing(desk) as group:
        pen = Pen(desk, claim, group)
        pen.write_at_once(*words(SHOWN_AHEAD + 5))
        before = pen.shown()
        gate.set()
        await pen.recorder.flush()

    assert before == words(SHOWN_AHEAD)
    assert pen.shown() == words(SHOWN_AHEAD + 5)


async def test_after_a_loss_numbers_start_above_anything_that_was_shown(desk: Desk):
    claim = await desk.claim()
    idle = GroupCommit(desk.store, desk.clock)
    first = Pen(desk, claim, idle)
    first.write(*words(SHOWN_AHEAD + 5))
    shown = first.channel.after(1, 10_000)[-1].seq

    again = await desk.claim_lost()
    async with committing(desk) as group:
        second = Pen(desk, again, group)
        second.write(TextDelta("late"))
        hidden = second.shown()
        await second.recorder.flush()

    assert [entry.seq for entry in await desk.log(claim)] == [1, shown + 1]
    assert hidden == []


async def test_a_second_loss_before_anything_was_durable_shows_nothing_it_could_repeat(desk: Desk):
    await desk.claim()
    second = Pen(desk, await desk.claim_lost(), GroupCommit(desk.store, desk.clock))
    second.write(*words(3))

    third = await desk.claim_lost()

    assert second.shown() == []
    assert third.last_seq == 1


async def test_a_lost_lease_stops_writing_and_showing_and_tells_everybody(desk: Desk):
    claim = await desk.claim()

    async with committing(desk) as group:
        pen = Pen(desk, claim, group)
        await desk.claim_lost()
        pen.write(StepStarted(1, "m"))
        with pytest.raises(LeaseLost):
            await pen.recorder.flush()
        pen.write(TextDelta("a"), StepFinished(1))
        pen.recorder.commit(Message("m", "assistant", (), 1))
        with pytest.raises(LeaseLost):
            await pen.recorder.flush()
        with pytest.raises(LeaseLost):
            await pen.recorder.settle(ANSWERED)

    assert pen.losses == 1
    assert not pen.channel.covers(1_000)
    assert len(await desk.log(claim)) == 1


async def test_a_store_that_is_away_loses_doubles_and_moves_nothing(desk: Desk):
    claim = await desk.claim()
    desk.valve.refused.add("append")
    texts = [Message(f"m{number}", "assistant", (TextPart("x"),), 1) for number in range(3)]

    async with committing(desk) as group:
        pen = Pen(desk, claim, group)
        for number, message in enumerate(texts):
            pen.write(StepStarted(number, message.id), TextDelta(str(number)))
            pen.recorder.commit(message)
            await desk.valve.called("append", number + 1)
            await desk.clock.until_asleep()
            desk.clock.advance(250)
        desk.valve.refused.clear()
        await pen.recorder.flush()

    log = await desk.log(claim)
    assert [entry.seq for entry in log] == list(range(1, 11))
    assert [entry.event.step for entry in log if isinstance(entry.event, StepStarted)] == [0, 1, 2]
    assert [one.id for one in await desk.store.history(claim.run.thread_key)][-3:] == ["m0", "m1", "m2"]
    assert pen.shown() == [entry.event for entry in log[1:]]


async def test_what_was_refused_goes_before_what_came_meanwhile(desk: Desk):
    recorder = Pen(desk, await desk.claim(), GroupCommit(desk.store, desk.clock)).recorder
    recorder.commit(Message("m1", "assistant", (), 1))
    recorder.take()
    recorder.commit(Message("m2", "assistant", (), 1))

    recorder.untake()
    append = recorder.take()

    assert append is not None
    assert [entry.seq for entry in append.entries] == [2, 3]
    assert [message.id for message in append.messages] == ["m1", "m2"]


async def test_a_log_that_cannot_be_continued_stops_its_own_run_only(desk: Desk):
    good, bad = await desk.claim("good"), await desk.claim("bad")
    async with committing(desk) as group:
        other = Pen(desk, bad, group)
        other.write(*words(3))
        await other.recorder.flush()

        well = Pen(desk, good, group)
        ill = Pen(desk, bad, group)  # numbers what is numbered already
        well.write(StepStarted(1, "m"))
        ill.write(StepStarted(1, "m"))
        await well.recorder.flush()
        with pytest.raises(LeaseLost):
            await ill.recorder.flush()
        well.write(StepFinished(1))
        await well.recorder.flush()

    assert (well.losses, ill.losses) == (0, 1)
    assert len(await desk.log(good)) == 3


async def test_the_logs_of_many_runs_share_one_write_and_a_fact_does_not_wait(desk: Desk):
    claims = [await desk.claim(f"r{number}") for number in range(5)]

    async with committing(desk) as group:
        pens = [Pen(desk, claim, group) for claim in claims]
        for pen in pens:
            pen.write(TextDelta("a"))
        pens[0].write(StepStarted(1, "m"))
        async with asyncio.timeout(5):
            await asyncio.gather(*[pen.recorder.flush() for pen in pens])

    assert desk.valve.calls.count("append") == 1


async def test_deltas_alone_become_durable_soon_without_being_asked(desk: Desk):
    claim = await desk.claim()

    async with committing(desk) as group:
        Pen(desk, claim, group).write(TextDelta("a"))
        early = desk.valve.calls.count("append")
        await desk.valve.called("append")

    assert early == 0


async def test_settling_writes_the_rest_counts_up_and_shows_the_end(desk: Desk):
    claim = await desk.claim()

    async with committing(desk) as group:
        pen = Pen(desk, claim, group)
        finished = ModelCallFinished("m", "p", "stop", Usage(3, 4), 1)
        pen.write(StepStarted(1, "m"), finished, RunFinished("completed", "answered"))
        await pen.recorder.settle(ANSWERED)
        pen.write(TextDelta("late"))

    run = await desk.store.get_run(claim.run.scope, claim.run.id)
    assert run is not None
    assert (run.status, run.steps, run.usage) == (RunStatus.COMPLETED, 1, Usage(3, 4))
    assert type(pen.shown()[-1]) is RunFinished
    assert pen.channel.finished
    assert len(await desk.log(claim)) == 4


async def test_settling_waits_for_the_part_that_is_being_written(desk: Desk):
    claim = await desk.claim()
    gate = desk.valve.hold("append")

    async with committing(desk) as group:
        pen = Pen(desk, claim, group)
        pen.write(StepStarted(1, "m"))
        await desk.valve.called("append")
        pen.write(TextDelta("a"))
        settling = asyncio.create_task(pen.recorder.settle(ANSWERED))
        gate.set()
        await settling

    assert [entry.seq for entry in await desk.log(claim)] == [1, 2, 3]


async def test_the_end_of_a_log_is_written_with_the_settlement_and_never_before(desk: Desk):
    claim = await desk.claim()
    gate = desk.valve.hold("append")

    async with committing(desk) as group:
        pen = Pen(desk, claim, group)
        pen.write(RunStarted("assistant"))
        await desk.valve.called("append")
        pen.write(StepFinished(1), RunFinished("completed", "answered"))
        settling = asyncio.create_task(pen.recorder.settle(ANSWERED))
        gate.set()
        await settling

    assert desk.valve.calls.count("append") == 1
    assert [type(entry.event) for entry in await desk.log(claim)][1:] == [RunStarted, StepFinished, RunFinished]


async def test_a_run_ended_when_its_last_event_says(desk: Desk):
    claim = await desk.claim()

    async with committing(desk) as group:
        pen = Pen(desk, claim, group)
        pen.write(RunFinished("completed", "answered"))
        desk.clock.advance(5)
        await pen.recorder.settle(ANSWERED)

    run = await desk.store.get_run(claim.run.scope, claim.run.id)
    assert run is not None
    assert run.finished_at == run.updated_at == (await desk.log(claim))[-1].at


async def test_a_settlement_does_not_wait_for_a_batch_that_was_refused(desk: Desk):
    claim = await desk.claim()
    gate = desk.valve.hold("append")
    desk.valve.refused.add("append")

    async with committing(desk) as group, asyncio.timeout(5):
        pen = Pen(desk, claim, group)
        pen.write(RunStarted("assistant"))
        await desk.valve.called("append")
        pen.write(RunFinished("completed", "answered"))
        settling = asyncio.create_task(pen.recorder.settle(ANSWERED))
        gate.set()
        await settling

    assert [type(entry.event) for entry in await desk.log(claim)][1:] == [RunStarted, RunFinished]


async def test_settling_can_be_tried_again_and_shows_no_end_before(desk: Desk):
    claim = await desk.claim()
    desk.valve.refused.add("settle")

    async with committing(desk) as group:
        pen = Pen(desk, claim, group)
        pen.write(RunFinished("completed", "answered"))
        with pytest.raises(StoreUnavailable):
            await pen.recorder.settle(ANSWERED)
        before = pen.shown()
        desk.valve.refused.clear()
        await pen.recorder.settle(ANSWERED)

    assert before == []
    assert [type(entry.event) for entry in await desk.log(claim)][1:] == [RunFinished]


async def test_handing_back_makes_the_log_durable_and_the_run_claimable(desk: Desk):
    claim = await desk.claim()

    async with committing(desk) as group:
        pen = Pen(desk, claim, group)
        pen.write(StepStarted(1, "m"), TextDelta("a"))
        await pen.recorder.hand_back(desk.clock.now())
        pen.recorder.lost()

    again = await desk.claim_lost()
    assert (again.last_seq, again.lost, again.run.steps) == (3, False, 1)
    assert pen.losses == 0


async def test_it_is_behind_when_too_much_waits(desk: Desk):
    pen = Pen(desk, await desk.claim(), GroupCommit(desk.store, desk.clock))

    pen.write(*words(BEHIND))
    before = pen.recorder.behind
    pen.write(TextDelta("one more"))

    assert not before
    assert pen.recorder.behind
