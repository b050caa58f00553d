"""Builds the stored assistant message out of a reply's chunks."""

from __future__ import annotations

from wakeful.contracts.event import ReasoningDelta, ReasoningSealed, TextDelta, ToolCallDelta, ToolCallProposed
from wakeful.contracts.message import Message, MessagePart, ReasoningPart, TextPart, ToolCallPart

ReplyChunk = TextDelta | ReasoningDelta | ReasoningSealed | ToolCallProposed | ToolCallDelta


class _Block:
    """A run of deltas that will become one part."""

    __slots__ = ("kind", "name", "pieces", "seal")

    def __init__(self, kind: str, name: str = "") -> None:
        self.kind = kind
        self.name = name
        self.pieces: list[str] = []
        self.seal: ReasoningSealed | None = None


class Accumulator:
    """Collects one reply. Adjacent deltas of a kind form one part; a sealed reasoning block is closed."""

    def __init__(self, *, message_id: str, run_id: str, step: int, provider: str, created_at: int) -> None:
        self._identity = (message_id, run_id, step, created_at)
        self._provider = provider
        self._blocks: list[_Block] = []
        self._open: _Block | None = None
        self._calls: dict[str, _Block] = {}

    @property
    def empty(self) -> bool:
        """Whether nothing arrived yet."""
        return not self._blocks

    def add(self, chunk: ReplyChunk) -> None:
        """Take one chunk."""
        match chunk:
            case TextDelta():
                self._block("text").pieces.append(chunk.delta)
            case ReasoningDelta():
                self._block("reasoning").pieces.append(chunk.delta)
            case ToolCallDelta():
                self._calls[chunk.call_id].pieces.append(chunk.delta)
            case ToolCallProposed():
                self._calls[chunk.call_id] = self._new(_Block(chunk.call_id, chunk.name))
                self._open = None
            case ReasoningSealed():
                self._block("reasoning").seal = chunk
                self._open = None

    def message(self) -> Message:
        """The complete reply."""
        return self._message(tuple(self._part(block, interrupted=False) for block in self._blocks))

    def partial(self) -> Message | None:
        """What may be kept of a reply that was cut off: text marked interrupted, sealed reasoning, no calls."""
        kept = [block for block in self._blocks if block.kind == "text" or block.seal is not None]
        parts = tuple(self._part(block, interrupted=True) for block in kept)
        return self._message(parts) if parts else None

    def _block(self, kind: str) -> _Block:
        if self._open is None or self._open.kind != kind:
            self._open = self._new(_Block(kind))
        return self._open

    def _new(self, block: _Block) -> _Block:
        self._blocks.append(block)
        return block

    def _part(self, block: _Block, *, interrupted: bool) -> MessagePart:
        content = "".join(block.pieces)
        if block.name:
            return ToolCallPart(block.kind, block.name, content.strip() or "{}")
        if block.kind == "text":
            return TextPart(content, interrupted)
        seal = block.seal or ReasoningSealed()
        return ReasoningPart(content, seal.signature, seal.encrypted, seal.item_id, self._provider)

    def _message(self, parts: tuple[MessagePart, ...]) -> Message:
        message_id, run_id, step, created_at = self._identity
        return Message(message_id, "assistant", parts, created_at, run_id=run_id, step=step)
