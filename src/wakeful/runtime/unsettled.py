"""Holds back what an earlier attempt showed of a step, until it is known whether that counts."""

from __future__ import annotations

from collections.abc import Sequence

from wakeful.contracts.event import (
    DELTAS,
    LogEntry,
    MessageCommitted,
    ModelCallFinished,
    RetryScheduled,
    RunFinished,
    RunWaiting,
    StepFinished,
    StepRestarted,
    StepStarted,
)
from wakeful.runtime.channel import Channel


class Unsettled:
    """One reader's frames of a step whose attempt is over and whose reply is not complete.

    Such a step begins again, which makes them void; anything else that ends it makes them count. What the recorder
    that writes now has begun by itself is not held back, nor the notice of a retry, nor a step the reader saw a part
    of: feed it only events after its position.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._held: list[bytes] | None = None

    def settle(self, entries: Sequence[LogEntry], frames: Sequence[bytes]) -> list[bytes]:
        """The frames to show now, given the next events and what each adds (empty bytes when that is left out)."""
        shown: list[bytes] = []
        for entry, data in zip(entries, frames, strict=True):
            if type(entry.event) not in DELTAS:
                shown += self._settle(entry, data)
            elif self._held is None:
                shown.append(data)
            else:
                self._held.append(data)
        return shown

    def _settle(self, entry: LogEntry, data: bytes) -> list[bytes]:
        """The same for one event that is no delta."""
        match entry.event:
            case StepStarted():
                return self._begin(entry, [*self._release(), data])
            case StepRestarted():
                return self._begin(entry, [data] if self._held is None else [])
            case (
                ModelCallFinished() | MessageCommitted(role="assistant") | StepFinished() | RunWaiting() | RunFinished()
            ):
                return [*self._release(), data]
            case _ if self._held is not None and not isinstance(entry.event, RetryScheduled):
                self._held.append(data)
                return []
            case _:
                return [data]

    def _begin(self, entry: LogEntry, shown: list[bytes]) -> list[bytes]:
        self._held = [] if self._channel.is_past(entry.seq) else None
        return shown

    def _release(self) -> list[bytes]:
        held, self._held = self._held, None
        return held or []
