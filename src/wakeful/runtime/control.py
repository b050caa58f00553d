"""Control: stopping, interrupting and answering runs, wherever they are. Durable first, then told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import Conflict
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.lifecycle import FINISHED, RunStatus
from wakeful.contracts.mailbox import DeadLetter, retry_key
from wakeful.contracts.query import RunQuery
from wakeful.contracts.run import Run
from wakeful.contracts.store import Interruption, Store
from wakeful.contracts.thread import Thread
from wakeful.runtime.abandonment import Abandonment
from wakeful.runtime.answering import RACES
from wakeful.runtime.feed import Feed
from wakeful.runtime.mailbox import Mailbox
from wakeful.runtime.receipt import Receipt
from wakeful.runtime.retirements import Retirements, idle
from wakeful.runtime.worker import Worker

PAGE = 200


@dataclass(frozen=True, slots=True)
class ThreadInterrupted:
    """What an interrupt ended: the run that ran or waited, and the ids of those that were queued."""

    generation: int
    cancelled: Run | None
    superseded: tuple[str, ...]


class Control:
    """Every method is idempotent and returns when its effect is durable."""

    def __init__(
        self, *, store: Store, worker: Worker, feed: Feed, clock: Clock, mailbox: Mailbox, abandonment: Abandonment
    ) -> None:
        self._store = store
        self._worker = worker
        self._feed = feed
        self._clock = clock
        self._mailbox = mailbox
        self._retirements = Retirements(store, clock, abandonment.note)

    async def cancel(self, run: Run) -> Run:
        """Stop a run and the unfinished runs it started; a finished one stays as it is."""
        return await self._cancel_family(run, seen=set())

    async def cancel_children(self, run: Run, *, origin: str) -> None:
        """Stop the unfinished runs of this origin that a run started."""
        for child in await self._unfinished_children(run):
            if child.origin == origin:
                await self.cancel(child)

    async def cancel_thread(self, thread: Thread) -> Run | None:
        """Stop what the thread does now, running or waiting; what is queued behind it goes on. None when idle."""
        active = await self._store.active_run(thread.key)
        return await self.cancel(active) if active else None

    async def interrupt(self, thread: Thread) -> ThreadInterrupted:
        """End what the thread does and what is queued behind that; the thread's generation grows."""
        for attempt in range(RACES):
            open_runs = await self._store.open_runs(thread.key)
            retire = await self._retirements.of_runs(open_runs, "superseded")
            try:
                done = await self._store.interrupt(
                    Interruption(thread_key=thread.key, retire=retire, at=self._clock.now())
                )
            except Conflict:
                if attempt == RACES - 1:
                    raise
                continue
            for retired in retire:
                self._feed.poke(retired.run_key)
            if done.cancelling is not None:
                self._worker.stop_run(done.cancelling, "superseded")
            runs = [run for run, _ in open_runs]
            begun = next((run for run in runs if not (idle(run) and run.status is RunStatus.QUEUED)), None)
            queued = tuple(run.id for run in runs if run is not begun)
            return ThreadInterrupted(done.generation, begun, queued)
        raise AssertionError("the last attempt returns or raises")

    async def decide(self, run: Run, decisions: Sequence[Decision]) -> Receipt:
        """Record decisions of a waiting run; it goes on when none is open any more.

        Raises `BadRequest` for edited arguments or a payload that do not fit, `NotFound` for a question the run
        never asked, `Conflict` for an answer that differs from the first or a run that does not wait.
        """
        return await self._mailbox.answer(run, tuple(decisions))

    async def retry(self, letter: DeadLetter) -> Receipt:
        """Try a run that was given up again, as a new run linked to it; again is the same run."""
        return await self._mailbox.retry(letter.run, retry_key(letter.dispatch_id))

    async def rest(self, run: Run, timeout_ms: int) -> Run:
        """The run as it is when it waits or is finished, or when `timeout_ms` are over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_ms / 1000):
                await self._feed.until_rest(run.key)
        return await self._store.get_run(run.scope, run.id) or run

    async def _cancel_family(self, run: Run, *, seen: set[str]) -> Run:
        seen.add(run.id)
        was_finished = run.status in FINISHED
        run = await self._cancel_one(run)
        if not was_finished:
            for child in await self._unfinished_children(run):
                if child.id not in seen:
                    await self._cancel_family(child, seen=seen)
        return run

    async def _unfinished_children(self, run: Run) -> Sequence[Run]:
        found: list[Run] = []
        query = RunQuery(scope=run.scope, parent_run_id=run.id, limit=PAGE)
        while True:
            rows = await self._store.list_runs(query)
            found.extend(child for child in rows.items if child.status not in FINISHED)
            if not rows.has_more:
                return found
            last = rows.items[-1]
            query = msgspec.structs.replace(query, after=(last.created_at, last.key))

    async def _cancel_one(self, run: Run) -> Run:
        run = await self._store.request_cancel(run.key, self._clock.now())
        if run.status in FINISHED or self._worker.stop_run(run.key, "cancelled"):
            return run
        for open_run, last_seq in await self._store.open_runs(run.thread_key):
            if open_run.key == run.key and idle(open_run):
                try:
                    run = await self._store.retire(await self._retirements.of(open_run, last_seq, "cancelled"))
                except Conflict:  # claimed in between; its worker was told with the claim that it should stop
                    return run
                self._feed.poke(run.key)
        self._worker.wake()
        return run
