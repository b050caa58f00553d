"""A run's log as the bytes of one protocol, encoded once for all readers of that protocol."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

from wakeful.contracts.event import LogEntry

RING = 1024
"""Newest events kept for readers; must exceed the recorder's `SHOWN_AHEAD`, so that nothing uncommitted falls out."""

SLACK = 64
"""How many more may be kept, so that they are dropped together."""

Projector = Callable[[LogEntry], bytes]
"""A fold fed every event in order, giving the bytes each adds to the stream; equal logs give equal bytes."""


class Projection:
    """The frames of the newest events of one log. Shared by all readers with the same key."""

    def __init__(self, project: Projector, position: int) -> None:
        self._project = project
        self._seqs = [position]
        self._frames: list[bytes] = []

    @property
    def base(self) -> int:
        """The event after which frames are kept."""
        return self._seqs[0]

    @property
    def position(self) -> int:
        """The event that was encoded last."""
        return self._seqs[-1]

    def frames(self, entries: Sequence[LogEntry], previous: int) -> list[bytes]:
        """The bytes of the events that follow `previous`, encoded now where nobody did; fewer where some are not here.

        What is not here is what was dropped, and what follows another event than a reader saw before it.
        """
        seqs = [entry.seq for entry in entries]
        if previous == self._seqs[-1]:
            return self._encoded(entries, seqs)
        at = bisect_left(self._seqs, previous)
        if at == len(self._seqs) or self._seqs[at] != previous:
            return []
        known = self._seqs[at + 1 : at + 1 + len(entries)]
        if known != seqs[: len(known)]:
            return self._frames[at : at + _alike(known, seqs)]
        found = self._frames[at : at + len(known)]
        if len(known) < len(seqs):
            found += self._encoded(entries[len(known) :], seqs[len(known) :])
        return found

    def _encoded(self, entries: Sequence[LogEntry], seqs: Sequence[int]) -> list[bytes]:
        """The next events, which nobody encoded yet."""
        frames = [self._project(entry) for entry in entries]
        self._frames += frames
        self._seqs += seqs
        if len(self._frames) > RING + SLACK:
            del self._frames[:-RING]
            del self._seqs[: -RING - 1]
        return frames


def _alike(known: Sequence[int], seqs: Sequence[int]) -> int:
    """How many are the same from the beginning on."""
    return next(index for index, seq in enumerate(known) if seq != seqs[index])
