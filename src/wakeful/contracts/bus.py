"""The bus socket: carries what logs gained to the processes whose readers wait for it. The log stays the truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

from wakeful.contracts.event import LogEntry
from wakeful.contracts.lifecycle import RunStatus


class Batch(msgspec.Struct, frozen=True):
    """What one commit added to a run's log: `entries`, ascending, which follow the one numbered `after`.

    `status` is the run's after that commit. Nothing is in a batch that is not in the log.
    """

    run_key: int
    after: int
    entries: tuple[LogEntry, ...]
    status: RunStatus


class BusStatus(msgspec.Struct, frozen=True):
    """How a bus is: `sent` and `heard` count batches of this process. While it is degraded, logs are read instead."""

    state: Literal["connected", "degraded"]
    sent: int
    heard: int


class Bus(Protocol):
    """Carries batches between the processes of one store.

    It may lose batches, repeat them, or bring them late: what it brings is taken only where it continues what is known.
    Nothing here waits or fails, whatever becomes of the network, and everything it keeps is bounded.
    """

    @property
    def status(self) -> BusStatus | None:
        """How it is now; None where there is no bus."""
        ...

    def publish(self, batch: Batch) -> None:
        """Send to whoever follows the run, unless that is nobody. What cannot be sent at once is dropped."""
        ...

    def follow(self, run_key: int) -> None:
        """Hear of this run from now on; again is harmless."""
        ...

    def leave(self, run_key: int) -> None:
        """Hear of this run no more; harmless where it was not followed."""
        ...

    async def listen(self, hear: Callable[[Batch], None], lost: Callable[[], None]) -> None:
        """Connect, and again whenever that is needed, until cancelled; returns only where there is no bus.

        `hear` is called with what comes of other processes' runs that are followed, `lost` when the connection ended,
        so that nothing comes for a while.
        """
        ...


class NoBus:
    """Reaches nobody."""

    @property
    def status(self) -> BusStatus | None:
        """There is none."""
        return None

    def publish(self, batch: Batch) -> None:
        """Nobody hears it."""

    def follow(self, run_key: int) -> None:
        """Nothing comes."""

    def leave(self, run_key: int) -> None:
        """Nothing came."""

    async def listen(self, hear: Callable[[Batch], None], lost: Callable[[], None]) -> None:
        """Return: nothing will ever come."""


NO_BUS = NoBus()
