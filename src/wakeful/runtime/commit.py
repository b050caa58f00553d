"""Group commit: one task writes the buffered logs of all runs, together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import StoreUnavailable
from wakeful.contracts.store import Append, Store

LINGER_SECONDS = 0.025
RETRY_MS = 250
MOST_EVENTS = 4096

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
        """The lease is gone, or the log cannot be continued; nothing was written."""
        ...


Taken = tuple[Source, Append]


class GroupCommit:
    """Commits marked sources: facts at once, deltas within 25 ms, all that wait in one transaction.

    Where more than 4096 events wait the rest goes into the next, so that others get their turn with the store.
    """

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
        try:
            while True:
                await self._due.wait()
                self._due.clear()
                self._stop_timer()
                taken = self._take()
                if taken:
                    await self._commit(taken)
        finally:
            self._stop_timer()

    def _take(self) -> list[Taken]:
        taken: list[Taken] = []
        events = 0
        while self._dirty and events < MOST_EVENTS:
            source = next(iter(self._dirty))
            del self._dirty[source]
            append = source.take()
            if append is not None:
                taken.append((source, append))
                events += len(append.entries)
        if self._dirty:
            self._due.set()
        return taken

    async def _commit(self, taken: Sequence[Taken]) -> None:
        try:
            lost = await self._store.append([append for _, append in taken])
        except StoreUnavailable as error:
            log.warning("the log could not be written, trying again: %s", error.message)
            await self._offer_again(taken)
        except Exception:
            await self._commit_apart(taken)
        else:
            _tell(taken, lost)

    async def _offer_again(self, taken: Sequence[Taken]) -> None:
        for source, _ in taken:
            source.untake()
            self._dirty[source] = None
        await self._clock.sleep(RETRY_MS)
        self._due.set()

    async def _commit_apart(self, taken: Sequence[Taken]) -> None:
        """Something in the batch is not accepted: find what, so that it stops its own run only."""
        if len(taken) == 1:
            log.exception("the log of run %s could not be continued", taken[0][1].lease.run_key)
            taken[0][0].lost()
            return
        for one in taken:
            await self._commit([one])

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _tell(taken: Sequence[Taken], lost: frozenset[int]) -> None:
    for source, append in taken:
        if append.lease.run_key in lost:
            source.lost()
        else:
            source.committed()
