"""The system's clock: real time, real waiting, fresh UUIDv7 ids."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from uuid_utils import uuid7

NANOSECONDS = 1_000_000


class SystemClock:
    """Keeps the `Clock` promise with the operating system's time, and never goes back.

    When somebody sets the system's time back, it goes on from where it was at the speed of the monotonic clock, so
    that leases, retries and queued work stay due when they were due; time set forward is followed.
    """

    def __init__(
        self, wall: Callable[[], int] = time.time_ns, monotonic: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._ahead = wall() - monotonic()

    def now(self) -> int:
        """Milliseconds since the epoch."""
        monotonic = self._monotonic()
        self._ahead = max(self._ahead, self._wall() - monotonic)
        return (monotonic + self._ahead) // NANOSECONDS

    async def sleep(self, milliseconds: int) -> None:
        """Wait in real time."""
        await asyncio.sleep(milliseconds / 1000)

    def new_id(self) -> str:
        """A fresh UUIDv7."""
        return str(uuid7())
