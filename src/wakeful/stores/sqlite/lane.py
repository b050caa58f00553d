"""A lane carries work to a connection and its result back; a closed one refuses it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from wakeful.contracts.errors import StoreUnavailable
from wakeful.stores.sqlite.session import Session

T = TypeVar("T")


class Lane(Protocol):
    """Runs work inside a transaction of its own, off the event loop."""

    async def run(self, work: Callable[[Session], T]) -> T:
        """The work's result once it is committed; raises only errors of our own tree, or a defect's."""
        ...

    async def aclose(self) -> None:
        """Finish what was handed in, then release the connections. Idempotent."""
        ...


class WritingLane(Lane, Protocol):
    """A lane whose work may write."""

    async def run_alone(self, work: Callable[[Session], T]) -> T:
        """The work's result; for what the database does only outside of a transaction. All other writes wait."""
        ...


class Job(NamedTuple):
    """Work, and who waits for its result; `alone` where it must be outside of any transaction."""

    work: Callable[[Session], Any]
    future: asyncio.Future[Any]
    alone: bool = False


class Outcome(NamedTuple):
    """What became of a job."""

    result: Any = None
    error: Exception | None = None


def hand_back(loop: asyncio.AbstractEventLoop, jobs: Sequence[Job], outcomes: Sequence[Outcome]) -> None:
    """From a lane's thread: tell all who wait, with one wake-up of the loop."""
    # The loop may be gone when its owner forgot to close us; then nobody waits for the outcome.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(_deliver, jobs, outcomes)


def _deliver(jobs: Sequence[Job], outcomes: Sequence[Outcome]) -> None:
    for job, outcome in zip(jobs, outcomes, strict=True):
        if job.future.done():
            continue
        if outcome.error is None:
            job.future.set_result(outcome.result)
        else:
            job.future.set_exception(outcome.error)


class ClosedLane:
    """The lane of a store that is not open."""

    async def run(self, work: Callable[[Session], T]) -> T:
        """Raises `StoreUnavailable`."""
        raise StoreUnavailable("the store is not open; call open() first")

    async def run_alone(self, work: Callable[[Session], T]) -> T:
        """Raises `StoreUnavailable`."""
        return await self.run(work)

    async def aclose(self) -> None:
        """Nothing to release."""
