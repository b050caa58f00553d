"""The socket for time and identity: the one place ids are minted and the one way to wait."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Tells the time, waits, and mints ids.

    Time is integer milliseconds since the epoch, UTC, everywhere.
    """

    def now(self) -> int:
        """The current time in milliseconds since the epoch."""
        ...

    async def sleep(self, milliseconds: int) -> None:
        """Return after `milliseconds` of this clock's time; cancellable."""
        ...

    def new_id(self) -> str:
        """A fresh UUIDv7 in its canonical text form (RFC 9562, section 5.7)."""
        ...
