"""A clock for tests: time moves only when told, and ids count."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import count


class FakeClock:
    """Keeps the `Clock` promise. Time starts at `now` milliseconds; ids are `id-1`, `id-2`, …"""

    def __init__(self, now: int = 1_000_000) -> None:
        self._now = now
        self._ids = count(1)
        self._order = count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._arrivals: set[asyncio.Future[None]] = set()

    def now(self) -> int:
        """The time last told."""
        return self._now

    def new_id(self) -> str:
        """The next id."""
        return f"id-{next(self._ids)}"

    async def sleep(self, milliseconds: int) -> None:
        """Return once time was advanced this far; cancellable. No time at all still gives others their turn."""
        if milliseconds <= 0:
            await asyncio.sleep(0)
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + milliseconds, next(self._order), done))
        for arrival in self._arrivals:
            if not arrival.done():
                arrival.set_result(None)
        await done

    @property
    def due(self) -> list[int]:
        """When the present sleepers are to wake, soonest first."""
        return sorted(at for at, _, done in self._sleepers if not done.done())

    def advance(self, milliseconds: int) -> None:
        """Move time; those whose time has come wake in the order in which they are due, once each."""
        self._now += milliseconds
        while self._sleepers and self._sleepers[0][0] <= self._now:
            _, _, done = heapq.heappop(self._sleepers)
            if not done.done():
                done.set_result(None)

    async def until_due(self, at: int) -> None:
        """Return when somebody sleeps until exactly `at`."""
        await self._until(lambda: at in self.due)

    async def until_asleep(self, sleepers: int = 1) -> None:
        """Return when at least so many sleep."""
        await self._until(lambda: len(self.due) >= sleepers)

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            arrival: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._arrivals.add(arrival)
            try:
                await arrival
            finally:
                self._arrivals.discard(arrival)
