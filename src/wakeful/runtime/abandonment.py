"""Abandonment: what goes on elsewhere for a run that ended before its work was done is stopped there.

A note is made before the run's end is written, so that no crash loses it; whoever finds it due stops the work, as often
as it takes. A note of a run that goes on after all is put off, and dropped when the run ends well.
"""

from __future__ import annotations

import asyncio
import logging

import msgspec

from wakeful.catalog.snapshot import Catalog, Snapshots
from wakeful.contracts.clock import Clock
from wakeful.contracts.document import Document
from wakeful.contracts.errors import ConfigurationError, Conflict, ModelError, NotFound, StoreUnavailable
from wakeful.contracts.json import JsonObject
from wakeful.contracts.lifecycle import FINISHED, RunStatus
from wakeful.contracts.run import Run
from wakeful.contracts.store import Store
from wakeful.runtime.memory import run_memory

KIND = "abandoned"
LOOK_MS = 1_000
HELD_MS = 90_000
"""How long one process may take to stop what it claimed before another tries."""
PATIENCE_SECONDS = 60
BATCH = 20
MOST_TRIES = 12
LONGEST_PAUSE_MS = 600_000

log = logging.getLogger("wakeful.abandonment")


class Abandonment:
    """Notes runs whose work goes on elsewhere, and has that stopped."""

    def __init__(self, *, catalogs: Snapshots, store: Store, clock: Clock) -> None:
        self._catalogs = catalogs
        self._store = store
        self._clock = clock
        self._noted = asyncio.Event()

    async def note(self, run: Run) -> None:
        """The run is about to end before its work is done; call it before that is written. Durable once it returns."""
        agent = (await self._catalog(run)).agents.get(run.agent_id)
        if agent is None or agent.endpoint is None:
            return
        if await run_memory(self._store, self._clock, run).read() is None:
            return
        value: JsonObject = {"tries": 0}
        try:
            await self._put(_note(run, value), due_at=self._clock.now())
        except NotFound:  # the thread was deleted, and what was known of the work with it
            return
        self._noted.set()

    async def run(self) -> None:
        """Stop what is noted until cancelled."""
        while True:
            try:
                if self._needed():
                    await self._stop_due()
            except StoreUnavailable as error:
                log.warning("abandoned work waits for the store: %s", error.message)
            except Exception:
                log.exception("abandoned work could not be looked for; it is tried again")
            await self._next_look()

    def _needed(self) -> bool:
        """Whether any agent works elsewhere."""
        return any(agent.endpoint is not None for agent in self._catalogs.current.agents.values())

    async def _next_look(self) -> None:
        """A while, or until this process notes something; a note made meanwhile is due at the end of it."""
        async with asyncio.TaskGroup() as waits:
            both = [waits.create_task(self._clock.sleep(LOOK_MS)), waits.create_task(self._noted.wait())]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for one in both:
                one.cancel()
        self._noted.clear()

    async def _stop_due(self) -> None:
        now = self._clock.now()
        due = await self._store.claim_documents(KIND, now=now, until=now + HELD_MS, limit=BATCH)
        async with asyncio.TaskGroup() as tasks:
            for document in due:
                tasks.create_task(self._stop(document), name=f"stop {document.id}")

    async def _stop(self, document: Document) -> None:
        try:
            run = await self._store.get_run(document.scope, document.id)
            if run is None or run.status is RunStatus.COMPLETED or await self._stopped(run):
                await self._store.delete_document(document.scope, KIND, document.id, expected=document.revision)
                return
            await self._put_off(document)
        except (Conflict, NotFound):
            log.info("run %s was noted again, or is gone", document.id)
        except StoreUnavailable as error:
            log.warning("abandoned work of run %s waits for the store: %s", document.id, error.message)

    async def _catalog(self, run: Run) -> Catalog:
        return await self._catalogs.at(run.options.publication or 0)

    async def _stopped(self, run: Run) -> bool:
        if run.status not in FINISHED:
            return False
        try:
            catalog = await self._catalog(run)
            backend = catalog.backend(catalog.agent(run.agent_id))
            async with asyncio.timeout(PATIENCE_SECONDS):
                await backend.abandon(run, run_memory(self._store, self._clock, run))
        except (ModelError, ConfigurationError, NotFound) as error:
            log.warning("the work of run %s goes on elsewhere: %s", run.id, error.message)
            return False
        except TimeoutError:
            log.warning("the work of run %s goes on elsewhere: no answer in time", run.id)
            return False
        except Exception:
            log.exception("the work of run %s goes on elsewhere", run.id)
            return False
        return True

    async def _put_off(self, document: Document) -> None:
        tries = int(document.value.get("tries", 0)) + 1
        if tries >= MOST_TRIES:
            log.error("the work of run %s may go on elsewhere: stopping it failed %d times", document.id, tries)
            await self._store.delete_document(document.scope, KIND, document.id, expected=document.revision)
            return
        pause = min(LOOK_MS * 2**tries, LONGEST_PAUSE_MS)
        value: JsonObject = {"tries": tries}
        later = msgspec.structs.replace(document, value=value)
        await self._put(later, due_at=self._clock.now() + pause, expected=document.revision)

    async def _put(self, document: Document, *, due_at: int, expected: int | None = None) -> None:
        timed = msgspec.structs.replace(document, due_at=due_at)
        await self._store.put_document(timed, self._clock.now(), expected=expected)


def _note(run: Run, value: JsonObject) -> Document:
    return Document(scope=run.scope, kind=KIND, id=run.id, value=value, thread_key=run.thread_key)
