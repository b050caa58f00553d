"""Group commit: one task writes the buffered logs of all runs, together."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import StoreUnavailable
from wakeful.contracts.store import Append, Store

LINGER_SECONDS = 0.025
RETRY_MS = 250

log = logging.getLogger("wakeful.log")


class Source(Protocol):
    """Something with a buffer to commit."""

    def take(self) -> Append | None:
        """Hand over the buffer."""
        ...

    def committed(self) -> None:
        """What was taken is durable."""
        ...

    def untake(self) -> None:
        """What was taken could not be written; it is offered again."""
        ...

    def lost(self) -> None:
        """The lease is gone; nothing was written."""
        ...


class GroupCommit:
    """Commits marked sources: facts at once, deltas within 25 ms, always all that wait in one transaction."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._dirty: dict[Source, None] = {}
        self._due = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    def mark(self, source: Source, *, urgent: bool) -> None:
        """There is something to commit."""
        self._dirty[source] = None
        if urgent:
            self._due.set()
        elif self._timer is None and not self._due.is_set():
            self._timer = asyncio.get_running_loop().call_later(LINGER_SECONDS, self._due.set)

    def forget(self, source: Source) -> None:
        """The source writes its buffer itself."""
        self._dirty.pop(source, None)

    async def run(self) -> None:
        """Commit until cancelled."""
        while True:
            await self._due.wait()
            self._due.clear()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            await self._commit()

    async def _commit(self) -> None:
        taken = [(source, append) for source in self._dirty if (append := source.take()) is not None]
        self._dirty.clear()
        if not taken:
            return
        try:
            lost = await self._store.append([append for _, append in taken])
        except StoreUnavailable as error:
            log.warning("the log could not be written, trying again: %s", error.message)
            for source, _ in taken:
                source.untake()
                self._dirty[source] = None
            await self._clock.sleep(RETRY_MS)
            self._due.set()
            return
        for source, append in taken:
            if append.lease.run_key in lost:
                source.lost()
            else:
                source.committed()
