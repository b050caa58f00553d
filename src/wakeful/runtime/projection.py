"""A run's log as the bytes of one protocol, encoded once for all readers of that protocol."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

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

    def frames(self, entries: Sequence[LogEntry], previous: int) -> list[bytes]:
        """The bytes of the events that follow `previous`, encoded now where nobody did; fewer where some are not here.

        What is not here is what was dropped, and what follows another event than a reader saw before it.
        """
        found: list[bytes] = []
        for entry in entries:
            known = self._frames.get(entry.seq)
            if known is None and previous == self.position:
                known = self._encoded(entry)
            if known is None or known[0] != previous:
                break
            found.append(known[1])
            previous = entry.seq
        return found

    def _encoded(self, entry: LogEntry) -> tuple[int, bytes]:
        frame = (self.position, self._project(entry))
        if len(self._order) == RING:
            self.base = self._order.popleft()
            del self._frames[self.base]
        self._order.append(entry.seq)
        self._frames[entry.seq] = frame
        self.position = entry.seq
        return frame
