"""A lane carries work to a connection and its result back; a closed one refuses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

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
