"""Text and reasoning: one block is open at a time, and whatever follows closes it."""

from __future__ import annotations

from typing import Literal

import msgspec

from wakeful.contracts import event as log
from wakeful.protocols.ag_ui import build, wire
from wakeful.protocols.ag_ui.held import Held
from wakeful.protocols.ag_ui.messages import ReasoningMessage
from wakeful.protocols.ag_ui.segment import Segment
from wakeful.protocols.ag_ui.step import Step

_json = msgspec.json.encode


class Blocks:
    """The blocks of the present step.

    A client that comes back may hold a part of the reasoning it is shown now, which would grow instead of beginning
    again. With `reclaim` the first reasoning therefore stands, still empty, in a snapshot of all messages: that is
    what makes clients drop other reasoning.
    """

    def __init__(self, segment: Segment, step: Step, held: Held, *, reclaim: bool) -> None:
        self._segment = segment
        self._step = step
        self._held = held
        self._reclaims = reclaim
        self._to_reclaim = reclaim
        self._open: Literal["text", "reasoning"] | None = None
        self._id = ""
        self._head = b""

    def text(self, delta: str) -> None:
        """More text."""
        if self._open != "text":
            self._open_text()
        self._segment.more(self._head, delta)
        self._held.more_text(delta)

    def reasoning(self, delta: str) -> None:
        """More reasoning."""
        if self._open != "reasoning":
            self._open_reasoning()
        self._segment.more(self._head, delta)

    def seal(self, sealed: log.ReasoningSealed) -> None:
        """A cipher is passed on, in a span of its own if it comes bare. Signatures stay with the server's history."""
        if self._open == "reasoning":
            self.close(encrypted=sealed.encrypted)
            return
        self.close()
        if sealed.encrypted:
            block_id, at = self._step.ids.next_reasoning(), self._segment.at
            self._segment.put(wire.ReasoningStart(message_id=block_id, timestamp=at))
            self._segment.put(build.cipher(block_id, sealed.encrypted, at))
            self._segment.put(wire.ReasoningEnd(message_id=block_id, timestamp=at))

    def close(self, *, encrypted: str | None = None) -> None:
        """Close what is open."""
        block_id, at = self._id, self._segment.at
        if self._open == "text":
            self._segment.put(wire.TextMessageEnd(message_id=block_id, timestamp=at))
        elif self._open == "reasoning":
            self._segment.put(wire.ReasoningMessageEnd(message_id=block_id, timestamp=at))
            if encrypted:
                self._segment.put(build.cipher(block_id, encrypted, at))
            self._segment.put(wire.ReasoningEnd(message_id=block_id, timestamp=at))
        self._open = None

    def void(self) -> None:
        """What was shown of the step is taken back; a replay may leave that out, a snapshot with it."""
        self.close()
        self._to_reclaim = self._reclaims

    def _open_text(self) -> None:
        self.close()
        self._open, self._id = "text", self._step.ids.next_text()
        self._head = b'{"type":"TEXT_MESSAGE_CONTENT","messageId":' + _json(self._id) + b',"delta":'
        self._segment.put(wire.TextMessageStart(message_id=self._id, role="assistant", timestamp=self._segment.at))
        self._held.open_text(self._id)

    def _open_reasoning(self) -> None:
        self.close()
        block_id, at = self._step.ids.next_reasoning(), self._segment.at
        self._open, self._id = "reasoning", block_id
        self._head = b'{"type":"REASONING_MESSAGE_CONTENT","messageId":' + _json(block_id) + b',"delta":'
        self._reclaim(block_id)
        self._segment.put(wire.ReasoningStart(message_id=block_id, timestamp=at))
        self._segment.put(wire.ReasoningMessageStart(message_id=block_id, role="reasoning", timestamp=at))

    def _reclaim(self, block_id: str) -> None:
        messages = self._held.messages() if self._to_reclaim else None
        self._to_reclaim = False
        if messages is not None:
            messages.append(ReasoningMessage(block_id, "reasoning", ""))
            self._segment.put(wire.MessagesSnapshot(messages=messages, timestamp=self._segment.at))
