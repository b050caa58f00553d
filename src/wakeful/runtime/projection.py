"""A run's log as the bytes of one protocol, encoded once for all readers of that protocol."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from wakeful.contracts.event import LogEntry

RING = 1024
"""Newest events kept for readers; must exceed the recorder's `SHOWN_AHEAD`, so that nothing uncommitted falls out."""

Projector = Callable[[LogEntry], bytes]
"""A fold fed every event in order, giving the bytes each adds to the stream; equal logs give equal bytes."""


class Projection:
    """The frames of the newest events of one log. Shared by all readers with the same key."""

    def __init__(self, project: Projector, position: int) -> None:
        self.base = position
        self.position = position
        self._project = project
        self._order: deque[int] = deque()
        self._frames: dict[int, tuple[int, bytes]] = {}

    def frame(self, entry: LogEntry, previous: int) -> bytes | None:
        """The bytes of the event that follows `previous`, encoded now if nobody did; None when not to be had here."""
        known = self._frames.get(entry.seq)
        if known is not None:
            return known[1] if known[0] == previous else None
        if previous != self.position:
            return None
        data = self._project(entry)
        if len(self._order) == RING:
            self.base = self._order.popleft()
            del self._frames[self.base]
        self._order.append(entry.seq)
        self._frames[entry.seq] = (previous, data)
        self.position = entry.seq
        return data
