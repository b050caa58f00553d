"""The one thread that writes, with group commit.

All work queued at a moment shares one transaction. Where a piece of it fails, all of it is begun again with a
savepoint around each piece, so that what fails is undone alone; so work may be run twice, and writes nothing but to its
session. Results go back to the event loop together, after the commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable
from itertools import groupby
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from wakeful.stores.sqlite.failures import readable
from wakeful.stores.sqlite.lane import Job, Outcome, hand_back
from wakeful.stores.sqlite.session import Session

T = TypeVar("T")

# More would make the first of a batch wait for the last.
LARGEST_BATCH = 256


class Writer:
    """Owns the writing connection. `database` names it in error messages. Made inside a running event loop."""

    def __init__(self, session: Session, database: str) -> None:
        self._session = session
        self._database = database
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name=f"writer of {database}", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[Session], T]) -> T:
        """The work's result once its batch is committed. Cancelling the wait does not undo the work."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(Job(work, future))
        return await future

    async def run_alone(self, work: Callable[[Session], T]) -> T:
        """The work's result, outside of any transaction. Cancelling the wait does not undo the work."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(Job(work, future, alone=True))
        return await future

    async def aclose(self) -> None:
        """Finish the queue, end the thread, close the connection. Idempotent."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        while batch := self._next_batch():
            hand_back(self._loop, batch, self._carry_out(batch))
        self._session.close()

    def _next_batch(self) -> list[Job]:
        """Everything queued, at least one job; empty means stop."""
        batch: list[Job] = []
        job = self._queue.get()
        with contextlib.suppress(Empty):
            while job is not None:
                batch.append(job)
                if len(batch) == LARGEST_BATCH:
                    return batch
                job = self._queue.get_nowait()
            if batch:
                self._queue.put(None)  # stop after this batch
        return batch

    def _carry_out(self, batch: list[Job]) -> list[Outcome]:
        """What waits together is committed together, around the jobs that want to be alone."""
        outcomes: list[Outcome] = []
        for alone, group in groupby(batch, key=lambda job: job.alone):
            jobs = list(group)
            outcomes += [self._attempt_alone(job.work) for job in jobs] if alone else self._commit(jobs)
        return outcomes

    def _attempt_alone(self, work: Callable[[Session], Any]) -> Outcome:
        try:
            return Outcome(result=work(self._session))
        except Exception as error:
            self._roll_back()
            return Outcome(error=readable(error, self._database))

    def _commit(self, batch: list[Job]) -> list[Outcome]:
        try:
            self._session.control("begin immediate")
            outcomes = self._attempt_all(batch) or [self._attempt(job.work) for job in batch]
            self._session.control("commit")
        except sqlite3.Error as error:
            self._roll_back()
            return [Outcome(error=readable(error, self._database)) for _ in batch]
        return outcomes

    def _attempt_all(self, batch: list[Job]) -> list[Outcome] | None:
        """All jobs, as if none could fail; None, in a transaction begun anew, when one did."""
        try:
            return [Outcome(result=job.work(self._session)) for job in batch]
        except Exception as error:
            if not self._session.in_transaction:
                raise _ended(error) from error
        self._session.control("rollback")
        self._session.control("begin immediate")
        return None

    def _attempt(self, work: Callable[[Session], Any]) -> Outcome:
        """One job in its savepoint. Raises the driver's error when it ended the whole transaction."""
        self._session.control("savepoint job")
        try:
            outcome = Outcome(result=work(self._session))
        except Exception as error:
            if not self._session.in_transaction:
                raise _ended(error) from error
            self._session.control("rollback to job")
            outcome = Outcome(error=readable(error, self._database))
        self._session.control("release job")
        return outcome

    def _roll_back(self) -> None:
        # What fails here was reported by the error that brought us here.
        with contextlib.suppress(sqlite3.Error):
            if self._session.in_transaction:
                self._session.control("rollback")


def _ended(error: Exception) -> sqlite3.Error:
    return error if isinstance(error, sqlite3.Error) else sqlite3.OperationalError(str(error))
