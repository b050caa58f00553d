"""Connections that only read, each with a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, TypeVar

from wakeful.stores.sqlite.failures import readable
from wakeful.stores.sqlite.lane import Job, Outcome, hand_back
from wakeful.stores.sqlite.session import Session

T = TypeVar("T")


class Readers:
    """As many threads as sessions; whichever is free takes the next piece of work, which sees one snapshot.

    `database` names it in error messages. Made inside a running event loop.
    """

    def __init__(self, sessions: Sequence[Session], database: str) -> None:
        self._database = database
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        name = f"reader of {database}"
        self._threads = [
            threading.Thread(target=self._serve, args=(session,), name=name, daemon=True) for session in sessions
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, work: Callable[[Session], T]) -> T:
        """The work's result, read from one snapshot."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(Job(work, future))
        return await future

    async def aclose(self) -> None:
        """Finish what was handed in, then end the threads and close the connections. Idempotent."""
        for _ in self._threads:
            self._queue.put(None)
        await asyncio.to_thread(self._join)

    def _join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _serve(self, session: Session) -> None:
        while self._serve_next(session):
            pass
        session.close()

    def _serve_next(self, session: Session) -> bool:
        """Do the next piece of work; False when there is none to come. What was read is not kept while it waits."""
        job = self._queue.get()
        if job is not None:
            hand_back(self._loop, (job,), (self._read(session, job.work),))
        return job is not None

    def _read(self, session: Session, work: Callable[[Session], Any]) -> Outcome:
        try:
            session.control("begin")
            return Outcome(result=work(session))
        except Exception as error:
            return Outcome(error=readable(error, self._database))
        finally:
            if session.in_transaction:
                session.control("rollback")
