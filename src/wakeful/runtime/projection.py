"""A run's log as the bytes of one protocol, encoded once for all readers of that protocol."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable

from wakeful.contracts.event import LogEntry
from wakeful.runtime.channel import RING, Channel

Projector = Callable[[LogEntry], bytes]
"""A fold fed every event in order, giving the bytes each adds to the stream; equal logs give equal bytes."""


class Projection:
    """The frames of a channel's newest events. Shared by all readers with the same key."""

    def __init__(self, project: Projector, position: int) -> None:
        self.base = position
        self.position = position
        self._project = project
        self._order: deque[int] = deque()
        self._frames: dict[int, bytes] = {}

    def frame(self, entry: LogEntry, previous: int) -> bytes | None:
        """The bytes of the event after `previous`, encoded now if nobody did; None when not to be had here."""
        if entry.seq <= self.position:
            return self._frames.get(entry.seq)
        if previous != self.position:
            return None
        data = self._project(entry)
        if len(self._order) == RING:
            self.base = self._order.popleft()
            del self._frames[self.base]
        self._order.append(entry.seq)
        self._frames[entry.seq] = data
        self.position = entry.seq
        return data


class View:
    """One reader's way to the bytes: its own fold while it replays, the shared projection once it has caught up."""

    def __init__(
        self,
        channel: Channel,
        key: str,
        projector: Callable[[], Projector],
        replay: Callable[[int], AsyncIterator[LogEntry]],
        start: int,
    ) -> None:
        self._channel = channel
        self._key = key
        self._projector = projector
        self._replay = replay
        self._own: Projector | None = projector()
        self._position = start

    async def frame(self, entry: LogEntry) -> bytes:
        """The bytes the next event adds."""
        previous, self._position = self._position, entry.seq
        shared = self._channel.projections.get(self._key)
        if self._own is None and shared is not None:
            data = shared.frame(entry, previous)
            if data is not None:
                return data
        own = self._own or await self._rebuilt(previous)
        data = own(entry)
        self._own = None if self._joined(own) else own
        return data

    def _joined(self, own: Projector) -> bool:
        """Whether the shared projection serves from here on; the first reader to catch up founds it."""
        shared = self._channel.projections.get(self._key)
        if shared is None:
            if not self._channel.covers(self._position):
                return False
            self._channel.projections[self._key] = Projection(own, self._position)
            return True
        return shared.base <= self._position <= shared.position

    async def _rebuilt(self, position: int) -> Projector:
        own = self._projector()
        async for entry in self._replay(position):
            own(entry)
        return own
