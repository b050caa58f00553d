"""A lane carries work to a connection and its result back; a closed one refuses it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from wakeful.contracts.errors import StoreUnavailable
from wakeful.stores.postgres.session import Session

T = TypeVar("T")
Work = Callable[[Session], Awaitable[T]]


class ReadingLane(Protocol):
    """Runs work that only reads; raises only errors of our own tree, or a defect's."""

    async def run(self, work: Work[T]) -> T:
        """The work's result, read from one snapshot."""
        ...

    async def run_one(self, work: Work[T]) -> T:
        """The result of work that is one statement, and so one snapshot by itself."""
        ...


class WritingLane(Protocol):
    """Runs work inside a transaction of its own; raises only errors of our own tree, or a defect's."""

    async def run(self, work: Work[T]) -> T:
        """The work's result once it is committed. The work may be done more than once; only one time counts."""
        ...

    async def run_alone(self, statement: str) -> None:
        """Run a statement that is not allowed inside a transaction, for as long as it takes."""
        ...


class ClosedLane:
    """The lane of a store that is not open."""

    async def run(self, work: Work[T]) -> T:
        """Raises `StoreUnavailable`."""
        raise _closed()

    async def run_one(self, work: Work[T]) -> T:
        """Raises `StoreUnavailable`."""
        raise _closed()

    async def run_alone(self, statement: str) -> None:
        """Raises `StoreUnavailable`."""
        raise _closed()


def _closed() -> StoreUnavailable:
    return StoreUnavailable("the store is not open; call open() first")
