"""A run's channel in this process: a ring of its newest visible events, and the readers to wake."""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from wakeful.contracts.event import LogEntry

if TYPE_CHECKING:
    from wakeful.runtime.projection import Projection

RING = 1024
"""Newest events kept for readers; must exceed the recorder's `SHOWN_AHEAD`, so that nothing uncommitted falls out."""


class Channel:
    """Holds every visible event after `base`; readers further back read the log.

    `version` grows with every change, so that a reader never misses one between looking and waiting.
    """

    def __init__(self, run_key: int) -> None:
        self.run_key = run_key
        self.readers = 0
        self.version = 0
        self.live = False
        self.resting = False
        self.finished = False
        self.projections: dict[str, Projection] = {}
        self._base: int | None = None
        self._ring: deque[LogEntry] = deque()
        self._waiting: set[asyncio.Future[bool]] = set()
        self._wake_scheduled = False

    # -- the writer's side

    def begin(self, last_seq: int) -> None:
        """A recorder starts writing after `last_seq`."""
        self._ring.clear()
        self._base = last_seq
        self.projections.clear()
        self.live, self.resting, self.finished = True, False, False
        self.poke()

    def publish(self, entry: LogEntry) -> None:
        """Show one event; costs no reader anything until the loop's next turn."""
        self._ring.append(entry)
        if len(self._ring) > RING:
            self._base = self._ring.popleft().seq
        self.poke()

    def rest(self, *, finished: bool) -> None:
        """The run waits or is finished; readers drain and end."""
        self.live, self.resting, self.finished = False, True, finished
        self.poke()

    def release(self) -> None:
        """The recorder is gone without an end; readers go by the log."""
        self.live = False
        self._base = None
        self._ring.clear()
        self.projections.clear()
        self.poke()

    def poke(self) -> None:
        """Something changed, here or in the log."""
        self.version += 1
        if self._waiting and not self._wake_scheduled:
            self._wake_scheduled = True
            asyncio.get_running_loop().call_soon(self._wake)

    # -- the readers' side

    def covers(self, position: int) -> bool:
        """Whether everything after `position` that is visible can be read here."""
        return self._base is not None and self._base <= position

    def after(self, position: int, limit: int) -> list[LogEntry]:
        """Up to `limit` events after `position`, oldest first; call only when covered."""
        ring = self._ring
        if not ring or ring[-1].seq <= position:
            return []
        skip = max(0, len(ring) - (ring[-1].seq - position))
        return [entry for entry in islice(ring, skip, None) if entry.seq > position][:limit]

    async def changed(self, version: int, timeout_ms: int) -> bool:
        """Wait for a change since `version`; False when `timeout_ms` passed without one."""
        if version != self.version:
            return True
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        timer = loop.call_later(timeout_ms / 1000, _resolve, waiter, False)  # noqa: FBT003 - the future's value
        self._waiting.add(waiter)
        try:
            return await waiter
        finally:
            timer.cancel()
            self._waiting.discard(waiter)

    def _wake(self) -> None:
        self._wake_scheduled = False
        for waiter in self._waiting:
            _resolve(waiter, True)  # noqa: FBT003 - the future's value


def _resolve(waiter: asyncio.Future[bool], value: bool) -> None:  # noqa: FBT001 - a callback's argument
    if not waiter.done():
        waiter.set_result(value)
