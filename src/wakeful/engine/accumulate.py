"""Builds the stored assistant message out of a reply's chunks."""

from __future__ import annotations

from collections.abc import Sequence

from wakeful.contracts.event import (
    FileGenerated,
    ReasoningDelta,
    ReasoningSealed,
    SourceCited,
    TextDelta,
    ToolCallDelta,
    ToolCallProposed,
)
from wakeful.contracts.message import FilePart, Message, MessagePart, ReasoningPart, SourcePart, TextPart, ToolCallPart
from wakeful.contracts.model import ReplyChunk
from wakeful.contracts.model_errors import MalformedReply


class _Text:
    """Text in the making."""

    __slots__ = ("pieces",)

    def __init__(self) -> None:
        self.pieces: list[str] = []


class _Reasoning:
    """Reasoning in the making; sealed, it takes no more."""

    __slots__ = ("pieces", "seal")

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.seal: ReasoningSealed | None = None


class _Call:
    """A tool call in the making."""

    __slots__ = ("call_id", "name", "pieces")

    def __init__(self, call_id: str, name: str) -> None:
        self.call_id = call_id
        self.name = name
        self.pieces: list[str] = []


_Block = _Text | _Reasoning | _Call | SourcePart | FilePart


class Accumulator:
    """Collects one reply. Adjacent deltas of a kind form one part; a sealed reasoning block is closed."""

    def __init__(self, *, message_id: str, run_id: str, step: int, provider: str, created_at: int) -> None:
        self._identity = (message_id, run_id, step, created_at)
        self._provider = provider
        self._blocks: list[_Block] = []
        self._calls: dict[str, _Call] = {}

    @property
    def empty(self) -> bool:
        """Whether nothing arrived yet."""
        return not self._blocks

    def add(self, chunk: ReplyChunk) -> None:
        """Take one chunk. Raises `MalformedReply` for arguments of a call nobody proposed."""
        match chunk:
            case TextDelta():
                self._text().pieces.append(chunk.delta)
            case ReasoningDelta():
                self._reasoning().pieces.append(chunk.delta)
            case ToolCallDelta():
                self._call(chunk.call_id).pieces.append(chunk.delta)
            case ToolCallProposed():
                call = self._calls[chunk.call_id] = _Call(chunk.call_id, chunk.name)
                self._blocks.append(call)
            case ReasoningSealed():
                self._reasoning().seal = chunk
            case SourceCited(source):
                self._blocks.append(source)
            case FileGenerated(file):
                self._blocks.append(file)

    def message(self) -> Message:
        """The complete reply."""
        return self._message(self._blocks, interrupted=False)

    def partial(self) -> Message | None:
        """What may be kept of a reply that was cut off: text marked interrupted, sealed reasoning, no calls."""
        kept = [
            block
            for block in self._blocks
            if not isinstance(block, _Call) and (not isinstance(block, _Reasoning) or block.seal is not None)
        ]
        message = self._message(kept, interrupted=True)
        return message if message.parts else None

    def _text(self) -> _Text:
        """The text that is being written; a source cited in the middle does not end it."""
        last = next((block for block in reversed(self._blocks) if not isinstance(block, SourcePart)), None)
        if not isinstance(last, _Text):
            last = _Text()
            self._blocks.append(last)
        return last

    def _reasoning(self) -> _Reasoning:
        last = self._blocks[-1] if self._blocks else None
        if not isinstance(last, _Reasoning) or last.seal is not None:
            last = _Reasoning()
            self._blocks.append(last)
        return last

    def _call(self, call_id: str) -> _Call:
        call = self._calls.get(call_id)
        if call is None:
            raise MalformedReply(f"the model sent arguments of call {call_id!r} before proposing it")
        return call

    def _message(self, blocks: Sequence[_Block], *, interrupted: bool) -> Message:
        message_id, run_id, step, created_at = self._identity
        found = (self._part(block, interrupted=interrupted) for block in blocks)
        parts = tuple(part for part in found if part is not None)
        return Message(message_id, "assistant", parts, created_at, run_id=run_id, step=step)

    def _part(self, block: _Block, *, interrupted: bool) -> MessagePart | None:
        """The block's part; None for one that says nothing, which no vendor would take back."""
        if isinstance(block, SourcePart | FilePart):
            return block
        content = "".join(block.pieces)
        match block:
            case _Call():
                return ToolCallPart(block.call_id, block.name, content.strip() or "{}")
            case _Text():
                return TextPart(content, interrupted) if content else None
            case _Reasoning():
                if block.seal is None and not content:
                    return None
                seal = block.seal or ReasoningSealed()
                return ReasoningPart(content, seal.signature, seal.encrypted, seal.item_id, self._provider)
