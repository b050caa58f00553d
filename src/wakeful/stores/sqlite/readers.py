"""Connections that only read, each used by one thread of a small pool at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import LifoQueue
from typing import TypeVar

from wakeful.stores.sqlite.failures import DRIVER_ERRORS, readable
from wakeful.stores.sqlite.session import Session

T = TypeVar("T")


class Readers:
    """As many threads as sessions. Every piece of work sees one snapshot of the database."""

    def __init__(self, sessions: Sequence[Session], database: str) -> None:
        self._sessions = sessions
        self._database = database
        self._idle: LifoQueue[Session] = LifoQueue()
        for session in sessions:
            self._idle.put(session)
        self._pool = ThreadPoolExecutor(len(sessions), thread_name_prefix=f"reader of {database}")

    async def run(self, work: Callable[[Session], T]) -> T:
        """The work's result, read from one snapshot."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, work)

    async def aclose(self) -> None:
        """Finish what was handed in, then close the connections. Idempotent."""
        await asyncio.to_thread(self._pool.shutdown)
        for session in self._sessions:
            session.close()

    def _read(self, work: Callable[[Session], T]) -> T:
        session = self._idle.get()
        try:
            session.control("begin")
            return work(session)
        except DRIVER_ERRORS as error:
            raise readable(error, self._database) from error
        finally:
            if session.in_transaction:
                session.control("rollback")
            self._idle.put(session)
