"""Runs that another process carries: watched, stopped and steered from here, with and without word of them."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest
from tests.runtime.conftest import Valve

from wakeful.contracts.event import RunFinished, TextDelta
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.request import RunRequest
from wakeful.contracts.signal import Signal
from wakeful.providers.scripted import ScriptedProvider, call
from wakeful.runtime.tail import SWEEP_MS
from wakeful.sdk.tool import tool
from wakeful.stores.sqlite.store import SQLiteStore

if TYPE_CHECKING:
    from pathlib import Path

    from tests.runtime.conftest import House

    from wakeful.contracts.event import Event, LogEntry
    from wakeful.runtime.mailbox import Receipt
    from wakeful.runtime.runtime import Runtime

RUNS = 3_000


class Telegraph(Valve):
    """A store through which other processes are heard."""

    def __init__(self, path: Path) -> None:
        super().__init__(SQLiteStore(path, readers=1))
        self.hear: Callable[[Signal], None] = lambda _: None

    async def listen(self, hear: Callable[[Signal], None]) -> None:
        self.hear = hear
        await asyncio.Event().wait()


class Afar:
    """Two processes: `here` carries runs, `there` only watches. `model` is the carrier's gate in mid-text."""

    def __init__(self, house: House, path: Path) -> None:
        self.house = house
        self.gate = asyncio.Event()
        self.telegraph = Telegraph(path)
        self.there: Runtime

    async def begin(self) -> Receipt:
        await self.house.open([TextDelta("Half"), self.gate, TextDelta(" done")])
        receipt = await self.house.submit()
        await self.house.seen(receipt, TextDelta("Half"))
        async with asyncio.timeout(5):
            while not await self._stored(receipt, TextDelta("Half")):
                self.house.clock.advance(25)
                await asyncio.sleep(0)
        return receipt

    async def watch(self) -> None:
        """Start the process that watches; the newest one of the house stays the carrier."""
        self.there = self.house.built(ScriptedProvider([]), self.telegraph.store, worker_capacity=0)
        self.house.runtimes.insert(0, self.house.runtimes.pop())
        await self.there.start()

    async def _stored(self, receipt: Receipt, event: Event) -> bool:
        page = await self.house.runtimes[-1].store.read_log(receipt.run.key, after=0, limit=100)
        return event in [entry.event for entry in page.entries]

    def read(self, receipt: Receipt) -> Watching:
        return Watching(self.there, receipt.run.key)

    def tell(self, **signal: object) -> None:
        self.telegraph.hear(Signal(**signal))  # type: ignore[arg-type]


class Watching:
    """A reader of the other process."""

    def __init__(self, runtime: Runtime, key: int, *, until_finished: bool = False) -> None:
        self.entries: list[LogEntry] = []
        self._news = asyncio.Event()
        self.task = asyncio.create_task(self._read(runtime, key, until_finished=until_finished))

    async def until(self, event: Event) -> None:
        async with asyncio.timeout(5):
            while event not in [entry.event for entry in self.entries]:
                self._news.clear()
                await self._news.wait()

    async def ended(self) -> None:
        await self.task

    async def _read(self, runtime: Runtime, key: int, *, until_finished: bool) -> None:
        async with aclosing(runtime.feed.follow(key, after=0, until_finished=until_finished)) as batches:
            async for batch in batches:
                self.entries.extend(batch)
                self._news.set()


@pytest.fixture
def afar(house: House, tmp_path: Path) -> Afar:
    return Afar(house, tmp_path / "wakeful.db")


async def test_word_of_a_log_brings_it_to_all_readers_by_one_read(afar: Afar):
    receipt = await afar.begin()
    await afar.watch()
    readers = [afar.read(receipt) for _ in range(20)]
    for reader in readers:
        await reader.until(TextDelta("Half"))
    await settled(afar)
    afar.telegraph.calls.clear()

    afar.gate.set()
    await afar.house.events(receipt)
    afar.tell(logs=(receipt.run.key,))
    async with asyncio.timeout(5):
        await asyncio.gather(*(reader.task for reader in readers))

    for reader in readers:
        numbers = [entry.seq for entry in reader.entries]
        assert numbers == sorted(set(numbers))
        assert isinstance(reader.entries[-1].event, RunFinished)
    assert afar.telegraph.calls.count("read_log") == 1


async def test_nothing_of_a_run_is_kept_once_its_readers_are_gone(afar: Afar):
    receipt = await afar.begin()
    await afar.watch()
    reader = afar.read(receipt)
    await reader.until(TextDelta("Half"))
    await settled(afar)
    channel = weakref.ref(afar.there.feed.tailed()[receipt.run.key])

    afar.gate.set()
    await afar.house.events(receipt)
    afar.tell(logs=(receipt.run.key,))
    async with asyncio.timeout(5):
        await reader.ended()
    await settled(afar)
    gc.collect()

    assert channel() is None


async def test_without_word_a_sweep_finds_what_is_new(afar: Afar):
    receipt = await afar.begin()
    await afar.watch()
    reader = afar.read(receipt)
    await reader.until(TextDelta("Half"))
    await settled(afar)

    afar.gate.set()
    await afar.house.events(receipt)
    await afar.house.patient(reader.ended(), step_ms=SWEEP_MS)

    assert isinstance(reader.entries[-1].event, RunFinished)


async def test_an_idle_stream_asks_the_store_nothing_beyond_the_sweep(afar: Afar):
    receipt = await afar.begin()
    await afar.watch()
    readers = [afar.read(receipt) for _ in range(20)]
    for reader in readers:
        await reader.until(TextDelta("Half"))
    await settled(afar)
    afar.telegraph.calls.clear()

    await afar.house.patient(afar.telegraph.called("last_seqs", times=3), step_ms=1_000)

    assert set(afar.telegraph.calls) <= {"last_seqs", "claim", "expired_interrupts"}
    afar.gate.set()
    await afar.house.events(receipt)
    afar.tell(missed=True)
    await asyncio.wait([reader.task for reader in readers])


async def test_a_reader_who_stays_while_a_run_waits_asks_the_store_nothing_beyond_the_sweep(house: House):
    @tool(approval=True)
    async def delete() -> str:
        """Delete it."""
        return "deleted"

    house.tool(delete)
    runtime = await house.open(call("delete", call_id="a"), "Done.")
    receipt = await house.submit()
    await house.events(receipt)
    reader = Watching(runtime, receipt.run.key, until_finished=True)
    await house.patient(house.valve.called("last_seqs"))
    house.valve.calls.clear()

    await house.patient(house.valve.called("last_seqs", times=2))

    assert "read_log" not in house.valve.calls
    answer = RunRequest(thread_id=receipt.run.thread_id, decisions=(Decision("a", approved=True),))
    await house.mailbox.submit(receipt.run.scope, answer, origin="test", mode="interrupt")
    async with asyncio.timeout(5):
        await reader.ended()
    assert isinstance(reader.entries[-1].event, RunFinished)


async def test_what_came_while_word_was_lost_is_looked_for(afar: Afar):
    receipt = await afar.begin()
    await afar.watch()
    reader = afar.read(receipt)
    await reader.until(TextDelta("Half"))
    await settled(afar)

    afar.gate.set()
    await afar.house.events(receipt)
    afar.tell(missed=True)

    async with asyncio.timeout(5):
        await reader.task
    assert isinstance(reader.entries[-1].event, RunFinished)


async def test_a_run_is_stopped_from_another_process(afar: Afar):
    receipt = await afar.begin()
    await afar.watch()

    await afar.there.control.cancel(receipt.run)
    await afar.house.patient(finished(afar, receipt), step_ms=RUNS)

    assert (await afar.house.run(receipt)).status is RunStatus.CANCELLED


async def test_a_step_that_is_being_written_elsewhere_is_shown_as_it_comes(afar: Afar):
    receipt = await afar.begin()
    await afar.watch()
    frames = Frames(afar.there, receipt.run.key)

    await frames.until(b"TextDelta")
    before_the_end = b"".join(frames.shown)
    afar.gate.set()
    await afar.house.events(receipt)
    afar.tell(logs=(receipt.run.key,))
    async with asyncio.timeout(5):
        await frames.task

    assert b"StepStarted" in before_the_end
    assert b"RunFinished" not in before_the_end


async def test_a_step_nobody_writes_any_more_is_held_back(afar: Afar):
    receipt = await afar.begin()
    await afar.house.crash(afar.house.runtimes[-1])
    afar.house.outlive_leases()
    await afar.watch()
    frames = Frames(afar.there, receipt.run.key)

    await frames.until(b"StepStarted")
    await settled(afar)

    assert b"TextDelta" not in b"".join(frames.shown)
    frames.task.cancel()
    await asyncio.wait([frames.task])


class Frames:
    """A reader of the other process for a protocol that cannot take back what it showed; frames name their events."""

    def __init__(self, runtime: Runtime, key: int) -> None:
        self.shown: list[bytes] = []
        self._news = asyncio.Event()
        self.task = asyncio.create_task(self._read(runtime, key))

    async def until(self, name: bytes) -> None:
        async with asyncio.timeout(5):
            while name not in b"".join(self.shown):
                self._news.clear()
                await self._news.wait()

    async def _read(self, runtime: Runtime, key: int) -> None:
        frames = runtime.feed.project(
            key, key="test", projector=lambda: lambda entry: type(entry.event).__name__.encode() + b" ", voids=()
        )
        async with aclosing(frames):
            async for data in frames:
                self.shown.append(data)
                self._news.set()


async def finished(afar: Afar, receipt: Receipt) -> None:
    await afar.house.runtimes[-1].feed.until_rest(receipt.run.key)


async def settled(afar: Afar) -> None:
    """Return when the readers have caught up and the tail has looked once for itself."""
    async with asyncio.timeout(5):
        quiet = 0
        while quiet < 20:
            before = len(afar.telegraph.calls)
            await asyncio.sleep(0.002)
            quiet = quiet + 1 if len(afar.telegraph.calls) == before else 0
