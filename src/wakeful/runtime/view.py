"""How one reader gets at the bytes of a run's log: from the shared projection, or by a fold of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from wakeful.contracts.event import LogEntry
from wakeful.runtime.channel import Channel
from wakeful.runtime.projection import Projection, Projector


class View:
    """One reader's way to the bytes: its own fold while it replays, the shared projection once it has caught up.

    It stays with the projection it joined, also when the channel begins anew: that one has seen what its readers saw.
    """

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
        self._shared: Projection | None = None
        self._position = start

    def shared_frames(self, entries: Sequence[LogEntry]) -> list[bytes]:
        """The bytes the next events add, of as many as the shared projection gives."""
        frames = self._shared.frames(entries, self._position) if self._shared is not None else []
        if frames:
            self._position = entries[len(frames) - 1].seq
        return frames

    async def own_frames(self, entries: Sequence[LogEntry]) -> list[bytes]:
        """The bytes the next events add, by a fold of the reader's own."""
        own = self._own or await self._rebuilt()
        frames = [own(entry) for entry in entries]
        self._position = entries[-1].seq
        self._shared = self._joined(own)
        self._own = own if self._shared is None else None
        return frames

    def _joined(self, own: Projector) -> Projection | None:
        """The projection that serves from here on, if any; who catches up with the channel first founds it."""
        shared = self._channel.projections.get(self._key)
        if shared is None or not self._channel.covers(shared.position):
            if not self._channel.covers(self._position):
                return None
            shared = self._channel.projections[self._key] = Projection(own, self._position)
        return shared if shared.base <= self._position <= shared.position else None

    async def _rebuilt(self) -> Projector:
        own = self._projector()
        async for entry in self._replay(self._position):
            own(entry)
        return own
