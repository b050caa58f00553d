"""What waits to be sent: runs to follow or to leave, and batches."""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import islice

MOST_BYTES = 8 * 1024 * 1024
AT_ONCE = 256


class Outbox:
    """Holds batches of at most 8 MiB together; a further one is refused. Each run to follow or leave is held once."""

    def __init__(self) -> None:
        self._runs: dict[int, None] = {}
        self._batches: deque[tuple[int, bytes]] = deque()
        self._bytes = 0
        self._some = asyncio.Event()

    def put_run(self, run_key: int) -> None:
        """Whether this run is followed may have changed."""
        self._runs[run_key] = None
        self._some.set()

    def put_batch(self, run_key: int, data: bytes) -> bool:
        """Keep a batch; False when there is no room."""
        if self._bytes + len(data) > MOST_BYTES:
            return False
        self._batches.append((run_key, data))
        self._bytes += len(data)
        self._some.set()
        return True

    def take_runs(self) -> list[int]:
        """Up to 256 runs."""
        taken = list(islice(self._runs, AT_ONCE))
        for run_key in taken:
            del self._runs[run_key]
        return taken

    def take_batches(self) -> list[tuple[int, bytes]]:
        """Up to 256 batches, oldest first."""
        taken = [self._batches.popleft() for _ in range(min(AT_ONCE, len(self._batches)))]
        self._bytes -= sum(len(data) for _, data in taken)
        return taken

    def clear(self) -> None:
        """Forget everything: what was to be sent is in the log."""
        self._runs.clear()
        self._batches.clear()
        self._bytes = 0

    def wake(self) -> None:
        """Let who waits look."""
        self._some.set()

    async def wait(self) -> None:
        """Return when there is something to look at."""
        if not self._runs and not self._batches:
            self._some.clear()
            await self._some.wait()
