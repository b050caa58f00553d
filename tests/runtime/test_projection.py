"""A run's log as the bytes of one protocol, made once for all who read them."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from wakeful.contracts.codec import entry
from wakeful.contracts.event import Event, LogEntry, StepStarted, TextDelta
from wakeful.contracts.lifecycle import RunStatus
from wakeful.engine.assignment import Ending
from wakeful.runtime.projection import RING, SLACK, Projection, Projector

if TYPE_CHECKING:
    from tests.runtime.conftest import Desk

ANSWERED = Ending(status=RunStatus.COMPLETED, stop_reason="answered")


def words(count: int) -> list[Event]:
    return [TextDelta(str(number)) for number in range(count)]


def counting() -> Projector:
    """Frames that tell how many events were folded before: wrong as soon as one is left out or seen twice."""
    count = 0

    def project(entry: LogEntry) -> bytes:
        nonlocal count
        count += 1
        return b"%d:%d " % (entry.seq, count)

    return project


class Watcher:
    """Reads a run's bytes in a task."""

    def __init__(self, desk: Desk, key: int, *, after: int = 0) -> None:
        self.frames: list[bytes] = []
        self.going = asyncio.Event()
        self.going.set()
        self._arrived = asyncio.Event()
        self.task = asyncio.create_task(self._read(desk, key, after))

    async def until(self, part: bytes) -> None:
        async with asyncio.timeout(5):
            while part not in b"".join(self.frames):
                self._arrived.clear()
                await self._arrived.wait()

    async def _read(self, desk: Desk, key: int, after: int) -> None:
        async with aclosing(desk.feed.project(key, key="counting", projector=counting, after=after)) as frames:
            async for data in frames:
                self.frames.append(data)
                self._arrived.set()
                await self.going.wait()


def fresh(log: list[LogEntry], *, after: int = 0) -> bytes:
    project = counting()
    return b"".join(data for entry in log if (data := project(entry)) and entry.seq > after)


async def test_readers_of_one_protocol_share_the_very_bytes(desk: Desk):
    claim = await desk.claim()
    writer = desk.writer(claim)
    writer.write(*words(2))
    await writer.save()
    early = Watcher(desk, claim.run.key)
    await early.until(b"3:3 ")
    late = Watcher(desk, claim.run.key, after=2)
    await late.until(b"3:3 ")

    for number in range(3):
        writer.write(TextDelta("x"))
        await early.until(b"%d:%d " % (4 + number, 4 + number))
        await late.until(b"%d:%d " % (4 + number, 4 + number))
    await writer.end(ANSWERED)
    await asyncio.gather(early.task, late.task)

    assert all(one is other for one, other in zip(early.frames[-3:], late.frames[-3:], strict=True))
    assert b"".join(early.frames) == fresh(await desk.log(claim))
    assert b"".join(late.frames) == fresh(await desk.log(claim), after=2)


async def test_a_stalled_reader_keeps_nobody_from_sharing_the_bytes(desk: Desk):
    claim = await desk.claim()
    writer = desk.writer(claim)
    stalled = Watcher(desk, claim.run.key)
    stalled.going.clear()
    writer.write(*words(1))
    await writer.save()
    await stalled.until(b"1:1 ")

    desk.valve.calls.clear()
    quick = Watcher(desk, claim.run.key)
    for number in range(3, 6):
        writer.write(*words(1))
        await quick.until(b"%d:%d " % (number, number))
    stalled.going.set()
    await stalled.until(b"5:5 ")
    writer.write(*words(1))
    await asyncio.gather(stalled.until(b"6:6 "), quick.until(b"6:6 "))
    await writer.end(ANSWERED)
    await asyncio.gather(stalled.task, quick.task)

    assert stalled.frames[-1] is quick.frames[-1]
    assert b"".join(quick.frames) == b"".join(stalled.frames) == fresh(await desk.log(claim))
    assert desk.valve.calls.count("read_log") == 2  # where the quick one began, and the line above


def test_who_has_not_seen_what_came_before_is_not_given_the_shared_bytes():
    shared = Projection(counting(), 3)
    void, after = entry(4, 0, TextDelta("void")), entry(9, 0, TextDelta("x"))
    first, second = shared.frames([void, after], 3)

    assert (first, second) == (b"4:1 ", b"9:2 ")
    assert shared.frames([after], 3) == []
    assert shared.frames([after], 4)[0] is second
    assert shared.frames([entry(5, 0, TextDelta("y")), after], 4) == []
    assert shared.frames([void, entry(5, 0, TextDelta("y")), after], 3) == [first]


def test_only_the_newest_frames_are_kept():
    shared = Projection(counting(), 0)
    log = [entry(seq, 0, TextDelta("x")) for seq in range(1, 3 * RING + 1)]

    for first in range(0, len(log), 100):
        shared.frames(log[first : first + 100], first)

    assert RING <= shared.position - shared.base <= RING + SLACK
    assert shared.frames(log[:5], 0) == []
    assert shared.frames(log[-5:], log[-6].seq) == [b"%d:%d " % (one.seq, one.seq) for one in log[-5:]]


async def test_a_reader_that_saw_more_than_was_durable_keeps_the_fold_of_what_it_saw(desk: Desk):
    claim = await desk.claim()
    writer = desk.writer(claim)
    watcher = Watcher(desk, claim.run.key)
    writer.write(*words(3))
    await watcher.until(b"4:4 ")
    writer.recorder.lost()

    again = desk.writer(await desk.claim_lost())
    again.write(StepStarted(1, "m"))
    await again.save()
    await watcher.until(b":5 ")
    newcomer = Watcher(desk, claim.run.key)
    await newcomer.until(b":2 ")
    await again.end(ANSWERED)
    await asyncio.gather(watcher.task, newcomer.task)

    assert b"".join(watcher.frames) == b"1:1 2:2 3:3 4:4 514:5 "
    assert b"".join(newcomer.frames) == fresh(await desk.log(claim))
