"""Runs functions in threads that nobody has to wait for."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

IDLE_SECONDS = 1.0
"""How long a thread that has nothing to do waits for more."""

T = TypeVar("T")
Job = Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Returned(Generic[T]):
    value: T


class Threads:
    """Daemon threads of one name, each for one function at a time: one that is free is used again.

    A function that never returns holds up no other and no end of the process: where no thread is free, one is started.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._free: list[SimpleQueue[Job]] = []

    async def run(self, function: Callable[[], T]) -> T:
        """What the function returns or raises, run with the caller's context variables.

        What it brings after the caller was cancelled is discarded.
        """
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[_Returned[T] | BaseException] = loop.create_future()
        context = contextvars.copy_context()
        jobs = self._taken()

        def settle(outcome: _Returned[T] | BaseException) -> None:
            if not ended.done():
                ended.set_result(outcome)

        def work() -> None:
            try:
                outcome = _Returned(context.run(function))
            except BaseException as error:
                outcome = error
            self._free.append(jobs)
            with suppress(RuntimeError):  # the loop is closed, and nobody waits any more
                loop.call_soon_threadsafe(settle, outcome)

        jobs.put(work)
        outcome = await ended
        # Carried as a value: asyncio refuses some exceptions in a future and would stop the loop for others.
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome.value

    def _taken(self) -> SimpleQueue[Job]:
        """What a thread that has nothing to do takes its work from."""
        with suppress(IndexError):
            return self._free.pop()
        jobs: SimpleQueue[Job] = SimpleQueue()
        threading.Thread(target=self._serve, args=(jobs,), name=self._name, daemon=True).start()
        return jobs

    def _serve(self, jobs: SimpleQueue[Job]) -> None:
        job = jobs.get()
        while job is not None:
            job()
            job = None  # what it holds is let go before the wait
            job = self._next(jobs)

    def _next(self, jobs: SimpleQueue[Job]) -> Job | None:
        """The next job; None when the thread has waited long enough."""
        with suppress(Empty):
            return jobs.get(timeout=IDLE_SECONDS)
        with suppress(ValueError):
            self._free.remove(jobs)
            return None
        return jobs.get()  # it was taken at the last moment
