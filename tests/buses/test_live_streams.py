"""Readers of a run that is carried elsewhere, with a bus between the processes that a test can disturb."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.runtime.conftest import Desk
from tests.runtime.test_elsewhere import Telegraph, Watching

from wakeful.contracts.bus import Batch, BusStatus
from wakeful.contracts.codec import entry
from wakeful.contracts.errors import LeaseLost
from wakeful.contracts.event import MessageCommitted, RunFinished, RunStarted, StepStarted, TextDelta
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.query import LogPage
from wakeful.contracts.signal import Signal
from wakeful.engine.assignment import Ending
from wakeful.providers.scripted import ScriptedProvider, call
from wakeful.runtime.feed import PATIENCE_MS, Feed
from wakeful.runtime.runtime import Runtime
from wakeful.runtime.tail import Tail
from wakeful.sdk.tool import tool
from wakeful.testing.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

    from tests.runtime.conftest import House

    from wakeful.contracts.event import LogEntry
    from wakeful.runtime.receipt import Receipt


class Air:
    """A bus in memory. What is published waits in `sent` until the test delivers it."""

    def __init__(self) -> None:
        self.sent: list[Batch] = []
        self.followed: set[int] = set()
        self.hear: Callable[[Batch], None] = lambda _: None
        self.lose: Callable[[], None] = lambda: None

    @property
    def status(self) -> BusStatus:
        return BusStatus("connected", 0, 0)

    def publish(self, batch: Batch) -> None:
        self.sent.append(batch)

    def follow(self, run_key: int) -> None:
        self.followed.add(run_key)

    def leave(self, run_key: int) -> None:
        self.followed.discard(run_key)

    async def listen(self, hear: Callable[[Batch], None], lost: Callable[[], None]) -> None:
        self.hear, self.lose = hear, lost
        await asyncio.Event().wait()


class Pair:
    """`here` carries a run whose words wait for gates, `there` reads it; `air` is between them, time is the test's."""

    def __init__(self, house: House, path: Path) -> None:
        self.house = house
        self.air, self.aerial = Air(), Air()
        self.gates = [asyncio.Event() for _ in range(3)]
        self.telegraph = Telegraph(path)
        self.receipt: Receipt
        self.there: Runtime

    async def begin(self) -> Watching:
        """Begin the run and read it up to its first word."""
        one, two, three = self.gates
        words = [TextDelta("one"), one, TextDelta(" two"), two, TextDelta(" three"), three, TextDelta(" four")]
        here = self.built(ScriptedProvider([words]), self.house.valve.store, self.air)
        await here.start()
        self.receipt = await self.house.submit()
        await self.stored("one")
        self.there = self.built(ScriptedProvider([]), self.telegraph.store, self.aerial, worker_capacity=0)
        self.house.runtimes.insert(0, self.house.runtimes.pop())
        await self.there.start()
        reader = Watching(self.there, self.receipt.run.key)
        await reader.until(TextDelta("one"))
        await self.quiet()
        return reader

    async def say(self, number: int) -> None:
        """Let the next word be said, and wait until it is durable."""
        self.gates[number - 2].set()
        await self.stored({2: " two", 3: " three", 4: " four"}[number])

    async def stored(self, word: str) -> None:
        async with asyncio.timeout(5):
            while word not in await self.log():  # noqa: ASYNC110  the store tells nobody
                await asyncio.sleep(0.002)

    async def log(self) -> list[str]:
        page = await self.house.runtimes[-1].store.read_log(self.receipt.run.key, after=0, limit=1000)
        return [one.event.delta for one in page.entries if isinstance(one.event, TextDelta)]

    def deliver(self) -> None:
        """Let everything that was published arrive."""
        for batch in self.air.sent:
            self.aerial.hear(batch)
        self.air.sent.clear()

    def tell(self) -> None:
        """The store's word that the log went on."""
        self.telegraph.hear(Signal(logs=(self.receipt.run.key,)))

    async def quiet(self) -> None:
        """Return when the tail has looked for itself; from here on its looks count."""
        async with asyncio.timeout(5):
            seen = -1
            while seen != len(self.telegraph.calls):
                seen = len(self.telegraph.calls)
                for _ in range(20):
                    await asyncio.sleep(0.001)
        self.air.sent.clear()
        self.telegraph.calls.clear()

    @property
    def looks(self) -> int:
        """How often the reader's process read a log."""
        return self.telegraph.calls.count("read_log")

    def built(self, provider: ScriptedProvider, store: object, bus: Air, **options: object) -> Runtime:
        plain = self.house.built(provider, store, **options)  # type: ignore[arg-type]
        self.house.runtimes.remove(plain)
        runtime = Runtime(
            catalogs=plain.catalogs, store=plain.store, clock=self.house.clock, config=plain.config, bus=bus
        )
        self.house.runtimes.append(runtime)
        return runtime


@pytest.fixture
def pair(house: House, tmp_path: Path) -> Pair:
    return Pair(house, tmp_path / "wakeful.db")


async def test_what_the_bus_brings_is_shown_to_its_end_without_a_look_at_the_log(pair: Pair):
    reader = await pair.begin()

    await pair.say(2)
    pair.deliver()
    pair.tell()
    for number, word in ((3, " three"), (4, " four")):
        await pair.say(number)
        pair.tell()
        pair.deliver()
        await reader.until(TextDelta(word))
    await finished(pair)
    pair.tell()
    pair.deliver()
    async with asyncio.timeout(5):
        await reader.ended()

    assert pair.looks == 0
    assert reader.entries == await durable(pair)
    assert not pair.aerial.followed


async def test_what_the_store_tells_of_is_left_to_the_bus_for_a_while(pair: Pair):
    reader = await pair.begin()
    await pair.say(2)
    pair.deliver()
    await reader.until(TextDelta(" two"))
    await pair.quiet()

    await pair.say(3)
    pair.house.clock.advance(PATIENCE_MS + 1)
    pair.tell()
    async with asyncio.timeout(5):
        await pair.house.clock.until_due(pair.house.clock.now() + PATIENCE_MS)
    looks_at_first = pair.looks
    pair.house.clock.advance(PATIENCE_MS)
    await reader.until(TextDelta(" three"))

    assert looks_at_first == 0
    assert pair.looks == 1


async def test_after_the_bus_was_silent_once_the_store_is_believed_at_once(pair: Pair):
    reader = await pair.begin()
    await pair.say(2)
    pair.deliver()
    await reader.until(TextDelta(" two"))
    await pair.say(3)
    pair.house.clock.advance(PATIENCE_MS + 1)
    pair.tell()
    await pair.house.patient(reader.until(TextDelta(" three")), step_ms=PATIENCE_MS)

    await pair.say(4)
    pair.tell()
    await reader.until(TextDelta(" four"))


async def test_a_batch_with_something_missing_before_it_sends_readers_to_the_log(pair: Pair):
    reader = await pair.begin()
    await pair.say(2)
    pair.air.sent.clear()  # lost

    await pair.say(3)
    pair.deliver()
    await reader.until(TextDelta(" three"))

    assert [one.seq for one in reader.entries] == list(range(1, len(reader.entries) + 1))


async def test_a_batch_that_comes_twice_or_late_is_shown_once(pair: Pair):
    reader = await pair.begin()
    await pair.say(2)
    second = list(pair.air.sent)
    pair.deliver()
    await pair.say(3)
    for batch in second:
        pair.aerial.hear(batch)
    pair.deliver()
    for batch in second:
        pair.aerial.hear(batch)
    await pair.say(4)
    await finished(pair)
    pair.tell()
    await pair.house.patient(reader.ended(), step_ms=PATIENCE_MS)

    assert reader.entries == await durable(pair)


async def test_when_the_bus_is_lost_the_logs_it_brought_are_read(pair: Pair):
    reader = await pair.begin()
    await pair.say(2)
    pair.deliver()
    await reader.until(TextDelta(" two"))
    await pair.say(3)
    pair.air.sent.clear()

    pair.aerial.lose()

    await reader.until(TextDelta(" three"))


async def test_nothing_is_published_before_it_is_durable(pair: Pair):
    await pair.begin()
    gate = pair.house.valve.hold("append")

    pair.gates[0].set()
    await pair.house.seen(pair.receipt, TextDelta(" two"))
    await pair.house.valve.called("append")
    before = words(pair.air.sent)
    gate.set()
    await pair.stored(" two")

    assert " two" not in before
    assert " two" in words(pair.air.sent)


async def test_a_run_is_followed_while_it_has_readers(pair: Pair):
    reader = await pair.begin()
    while_read = set(pair.aerial.followed)

    reader.task.cancel()
    await asyncio.wait([reader.task])

    assert while_read == {pair.receipt.run.key}
    assert pair.aerial.followed == set()


async def test_what_comes_of_a_run_without_readers_ends_the_following(pair: Pair):
    await pair.begin()
    pair.aerial.follow(99)

    pair.aerial.hear(Batch(99, 0, (), RunStatus.RUNNING))

    assert 99 not in pair.aerial.followed


async def test_who_has_lost_his_lease_publishes_nothing(desk: Desk):
    air = Air()
    desk.feed = Feed(desk.store, desk.clock, air)
    claim = await desk.claim()
    zombie = desk.writer(claim)
    zombie.write(RunStarted("assistant", resumed=False), StepStarted(1, "m1"), TextDelta("true"))
    await zombie.save()
    heir = desk.writer(await desk.claim_lost())

    zombie.write(TextDelta(" and false"))
    append = zombie.recorder.take()
    assert append is not None
    assert await desk.store.append([append])
    zombie.recorder.lost()
    with pytest.raises(LeaseLost):
        await zombie.end(Ending(status=RunStatus.COMPLETED, stop_reason="answered"))
    heir.write(TextDelta("true again"))
    await heir.save()

    assert words(air.sent) == ["true", "true again"]
    assert [one.entries for one in air.sent] == [
        tuple(one for one in await desk.log(claim) if first < one.seq <= last)
        for first, last in [(one.after, one.entries[-1].seq) for one in air.sent]
    ]


async def test_everything_that_is_committed_while_a_run_is_carried_is_published_once_and_in_order(pair: Pair):
    running, gate = asyncio.Event(), asyncio.Event()

    @tool(effect="idempotent")
    async def work() -> str:
        """Work."""
        running.set()
        await gate.wait()
        return "worked"

    pair.house.tool(work)
    runtime = pair.built(ScriptedProvider([call("work"), "Done."]), pair.house.valve.store, pair.air)
    await runtime.start()
    receipt = await pair.house.submit("Go", thread_id="t")
    await running.wait()
    await pair.house.submit("Faster!", thread_id="t", mode="steer")
    gate.set()
    entries = await pair.house.entries(receipt)

    assert any(isinstance(one.event, MessageCommitted) and one.event.role == "user" for one in entries)
    assert [one for batch in pair.air.sent for one in batch.entries] == entries[2:]  # the first two were the mailbox's
    assert [batch.after for batch in pair.air.sent] == [batch.entries[0].seq - 1 for batch in pair.air.sent]
    assert [batch.status for batch in pair.air.sent[-2:]] == [RunStatus.RUNNING, RunStatus.COMPLETED]


async def test_an_older_look_at_the_log_does_not_undo_what_the_bus_brought():
    async with _Reading() as reading:
        await reading.quiet()
        reading.attentive.clear()
        reading.feed.hear(reading.commit(RunStatus.RUNNING))
        reading.gate.clear()
        reading.feed.poke(1)
        await reading.looking.wait()
        reading.feed.hear(reading.commit(RunStatus.WAITING))
        reading.gate.set()
        await turns(20)

        reading.attentive.set()
        async with asyncio.timeout(5):
            await reading.rested()

    assert reading.seen == reading.log


Fate = st.sampled_from(["arrives", "is lost", "arrives twice", "arrives late", "is told first", "is only told"])


@settings(max_examples=200, deadline=None)
@given(
    fates=st.lists(st.tuples(Fate, st.integers(0, 5)), min_size=1, max_size=12),
    gaps=st.sets(st.integers(0, 11)),
)
def test_whatever_becomes_of_batches_a_reader_sees_the_log_once_and_in_order(
    fates: list[tuple[str, int]], gaps: set[int]
):
    asyncio.run(_disturbed(fates, gaps))


async def _disturbed(fates: list[tuple[str, int]], gaps: set[int]) -> None:
    """One batch for each fate, and the turns others get after it; before those in `gaps` numbers jump."""
    async with _Reading() as reading:
        late: list[Batch] = []
        for number, (fate, pause) in enumerate(fates):
            status = RunStatus.COMPLETED if number == len(fates) - 1 else RunStatus.RUNNING
            batch = reading.commit(status, jump=512 if number in gaps else 0)
            if fate in ("is told first", "is only told"):
                reading.feed.expect(1)
            if fate in ("arrives", "arrives twice", "is told first"):
                reading.feed.hear(batch)
            if fate == "arrives twice":
                reading.feed.hear(batch)
            if fate == "arrives late":
                late.append(batch)
            elif late:
                reading.feed.hear(late.pop())
            await turns(pause)
        await reading.ended()
        assert [one.seq for one in reading.seen] == [one.seq for one in reading.log]


class _Reading:
    """A reader of a log that somebody else writes, and the tail that brings it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.log: list[LogEntry] = []
        self.status = RunStatus.RUNNING
        self.seen: list[LogEntry] = []
        self.looking, self.gate = asyncio.Event(), asyncio.Event()
        self.gate.set()
        self.attentive = asyncio.Event()
        self.attentive.set()
        self.feed = Feed(self, self.clock, Air())  # type: ignore[arg-type]
        self._tail = Tail(store=self, feed=self.feed, clock=self.clock)  # type: ignore[arg-type]
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> _Reading:
        self._tasks = [asyncio.create_task(self._tail.run()), asyncio.create_task(self._read())]
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    async def quiet(self) -> None:
        """Return when the reader waits and its log was looked at once more."""
        async with asyncio.timeout(5):
            for _ in range(2):
                await self.looking.wait()
                self.looking.clear()
            await turns(20)

    async def rested(self) -> None:
        await self._tasks[1]

    def commit(self, status: RunStatus, *, jump: int = 0) -> Batch:
        after = self.log[-1].seq if self.log else 0
        event = TextDelta("word") if status is RunStatus.RUNNING else RunFinished("completed", "answered")
        new = tuple(entry(after + jump + place, 0, event) for place in (1, 2))
        self.log.extend(new)
        self.status = status
        return Batch(1, after, new, status)

    async def ended(self) -> None:
        """Return when the reader has; what no word tells is found by the sweep."""
        async with asyncio.timeout(30):
            while not self._tasks[1].done():
                self.clock.advance(PATIENCE_MS)
                await asyncio.sleep(0)

    async def read_log(self, run_key: int, *, after: int, limit: int) -> LogPage:
        entries = tuple(one for one in self.log if one.seq > after)[:limit]
        page = LogPage(entries=entries, has_more=False, status=self.status, leased_until=self.clock.now() + 1)
        self.looking.set()
        await turns(3)  # what was read is told a little later
        await self.gate.wait()
        return page

    async def last_seqs(self, run_keys: list[int]) -> dict[int, int]:
        return dict.fromkeys(run_keys, self.log[-1].seq if self.log else 0)

    async def _read(self) -> None:
        async for batch in self.feed.follow(1, after=0):
            self.seen.extend(batch)
            await self.attentive.wait()


async def turns(number: int) -> None:
    """Let others have so many."""
    for _ in range(number):
        await asyncio.sleep(0)


def words(batches: list[Batch]) -> list[str]:
    return [one.event.delta for batch in batches for one in batch.entries if isinstance(one.event, TextDelta)]


async def durable(pair: Pair) -> list[LogEntry]:
    return list((await pair.there.store.read_log(pair.receipt.run.key, after=0, limit=1000)).entries)


async def finished(pair: Pair) -> None:
    await pair.house.runtimes[-1].feed.until_rest(pair.receipt.run.key)
