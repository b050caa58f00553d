"""Holds back what an earlier attempt showed of a step, until it is known whether that counts."""

from __future__ import annotations

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

    def concerns(self, entry: LogEntry) -> bool:
        """Whether `settle` has to see this event: nearly no delta, as long as nothing is held back."""
        return self._held is not None or type(entry.event) not in DELTAS

    def settle(self, entry: LogEntry, data: bytes) -> list[bytes]:
        """The frames to show now, given the next event and what it adds (empty bytes when that is left out)."""
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
