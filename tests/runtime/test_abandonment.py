"""Work that goes on elsewhere for a run that is over: stopped there by whoever finds it, as often as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from wakeful.catalog.snapshot import Catalog, Unchanging
from wakeful.contracts.backend import BackendChunk, Memory, Turn
from wakeful.contracts.document import Document
from wakeful.contracts.errors import ModelError
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.run import Run
from wakeful.contracts.spec import AgentSpec, Endpoint
from wakeful.contracts.store import Store
from wakeful.runtime.abandonment import HELD_MS, KIND, LOOK_MS, MOST_TRIES, Abandonment
from wakeful.runtime.memory import run_memory
from wakeful.stores.sqlite.store import SQLiteStore
from wakeful.testing.clock import FakeClock
from wakeful.testing.store_cases.builders import SCOPE, settlement, start

REMOTE = AgentSpec(id="assistant", endpoint=Endpoint(url="http://elsewhere.example"))


class Elsewhere:
    """A backend that says when it is told to stop, and fails the first `failures` times."""

    name = "elsewhere"

    def __init__(self, failures: int = 0) -> None:
        self.stopped: list[str] = []
        self.tries = 0
        self._failures = failures

    async def stream(self, turn: Turn) -> AsyncGenerator[list[BackendChunk]]:
        raise AssertionError("no step is carried here")
        yield []

    async def abandon(self, run: Run, memory: Memory) -> None:
        self.tries += 1
        if self.tries <= self._failures:
            raise ModelError("it does not answer")
        self.stopped.append(run.id)

    async def aclose(self) -> None:
        """Nothing to release."""


class Yard:
    """A store with one run that works elsewhere, and the chore of a process."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = FakeClock()

    def process(self, backend: Elsewhere) -> Abandonment:
        catalog = Catalog(
            agents={"assistant": REMOTE}, models={}, providers={}, tools={}, backends={"assistant": backend}
        )
        return Abandonment(catalogs=Unchanging(catalog), store=self.store, clock=self.clock)

    async def over(self, status: RunStatus = RunStatus.CANCELLED) -> Run:
        run, lease = await start(self.store, "r")
        await run_memory(self.store, self.clock, run).write({"task": "there"})
        await self.store.settle(settlement(lease, status))
        return run

    async def left(self) -> Document | None:
        return await self.store.get_document(SCOPE, KIND, "r")

    async def work(self, process: Abandonment, backend: Elsewhere, tries: int) -> None:
        """Let the process look until it has tried so often, and has written down what came of it."""
        task = asyncio.create_task(process.run())
        try:
            async with asyncio.timeout(30):
                while backend.tries < tries:
                    await self.clock.until_asleep()
                    self.clock.advance(LOOK_MS)
                    await asyncio.sleep(0)
                await self.clock.until_asleep()
        finally:
            task.cancel()
            await asyncio.wait([task])


@pytest.fixture
async def yard() -> AsyncIterator[Yard]:
    store = SQLiteStore(":memory:")
    await store.open()
    yield Yard(store)
    await store.aclose()


async def test_it_is_stopped_at_once(yard: Yard):
    backend = Elsewhere()
    process = yard.process(backend)
    await process.note(await yard.over())

    await yard.work(process, backend, 1)

    assert backend.stopped == ["r"]
    assert await yard.left() is None


async def test_a_note_of_a_process_that_was_lost_is_found_by_another(yard: Yard):
    await yard.process(Elsewhere()).note(await yard.over())
    backend = Elsewhere()

    await yard.work(yard.process(backend), backend, 1)

    assert backend.stopped == ["r"]


async def test_what_fails_is_tried_again_later(yard: Yard):
    backend = Elsewhere(failures=2)
    process = yard.process(backend)
    began = yard.clock.now()
    await process.note(await yard.over())

    await yard.work(process, backend, 3)

    assert backend.stopped == ["r"]
    assert 6 * LOOK_MS <= yard.clock.now() - began < HELD_MS
    assert await yard.left() is None


async def test_it_is_given_up_in_the_end(yard: Yard):
    backend = Elsewhere(failures=1_000)
    process = yard.process(backend)
    await process.note(await yard.over())

    await yard.work(process, backend, MOST_TRIES)

    assert await yard.left() is None


async def test_a_run_that_ends_well_after_all_is_left_alone(yard: Yard):
    backend = Elsewhere()
    process = yard.process(backend)
    await process.note(await yard.over(RunStatus.COMPLETED))

    task = asyncio.create_task(process.run())
    async with asyncio.timeout(10):
        while await yard.left() is not None:  # noqa: ASYNC110  the store tells nobody
            await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])

    assert backend.tries == 0


async def test_a_run_that_did_nothing_elsewhere_needs_no_note(yard: Yard):
    run, _ = await start(yard.store, "r")

    await yard.process(Elsewhere()).note(run)

    assert await yard.left() is None
