"""One response's worth of events: RUN_STARTED comes before anything else, nothing after its end."""

from __future__ import annotations

import msgspec

from wakeful.contracts.json import JsonObject
from wakeful.protocols.ag_ui import build, wire
from wakeful.protocols.ag_ui.messages import HistoryMessage, ReasoningMessage

_json = msgspec.json.encode


class Segment:
    """Collects the events of the log entry at hand, whose time is `at` (ms).

    `before` are the messages a returning client is given first. Of its own reasoning a client drops only what a
    snapshot that has reasoning leaves out. So with `purge` the snapshot gets some, which is turned into an activity
    that nobody shows: what the client may hold of attempts that were taken back is gone then.
    """

    def __init__(self, *, thread_id: str, client_run_id: str, before: list[HistoryMessage] | None, purge: bool) -> None:
        self.at = 0
        self.ended = False
        self._thread_id = thread_id
        self._client_run_id = client_run_id
        self._before = before
        self._purge = purge
        self._started = False
        self._frames: list[bytes] = []

    def take(self) -> list[bytes]:
        """The events since the last time."""
        frames, self._frames = self._frames, []
        return frames

    def begin(self) -> None:
        """Open the segment; again is harmless."""
        if self._started:
            return
        self._started = True
        self.put(
            wire.RunStarted(
                thread_id=self._thread_id,
                run_id=self._client_run_id,
                protocol_version=wire.PROTOCOL_VERSION,
                timestamp=self.at,
            )
        )
        before, self._before = self._before, None
        if before is not None:
            self._give(before)

    def put(self, event: wire.Event) -> None:
        """Add an event."""
        self.begin()
        self._frames.append(_json(event))

    def more(self, head: bytes, delta: str) -> None:
        """Add text to something open; `head` is its event up to the delta's value."""
        self._frames.append(b'%b%b,"timestamp":%d}' % (head, _json(delta), self.at))

    def custom(self, name: str, value: JsonObject) -> None:
        """Add something of our own."""
        self.put(wire.Custom(name=name, value=value, timestamp=self.at))

    def end(self, event: wire.RunFinished | wire.RunError) -> None:
        """Add the last event."""
        self.put(event)
        self.ended = True

    def renew(self) -> None:
        """After its end: what comes is a segment of its own."""
        if self.ended:
            self._started = self.ended = False

    def _give(self, before: list[HistoryMessage]) -> None:
        purge = self._purge and not has_reasoning(before)
        stand_in = f"{self._thread_id}:void"
        given = [*before, ReasoningMessage(stand_in, "reasoning", "")] if purge else before
        self.put(wire.MessagesSnapshot(messages=given, timestamp=self.at))
        if purge:
            self.put(build.void(stand_in, self.at))


def has_reasoning(messages: list[HistoryMessage]) -> bool:
    """Whether a client that is given these drops all other reasoning it holds."""
    return any(isinstance(message, ReasoningMessage) for message in messages)
