"""The system's clock: real time, real waiting, fresh UUIDv7 ids."""

from __future__ import annotations

import asyncio
import time

from uuid_utils import uuid7


class SystemClock:
    """Keeps the `Clock` promise with the operating system's time."""

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    async def sleep(self, milliseconds: int) -> None:
        """Wait in real time."""
        await asyncio.sleep(milliseconds / 1000)

    def new_id(self) -> str:
        """A fresh UUIDv7."""
        return str(uuid7())
