"""Builds the stored assistant message out of a reply's chunks."""

from __future__ import annotations

from collections.abc import Sequence

from wakeful.contracts.event import (
    ArtifactChanged,
    DataEmitted,
    FileGenerated,
    ReasoningDelta,
    ReasoningSealed,
    SourceCited,
    StatusNoted,
    TextDelta,
    ToolCallDelta,
    ToolCallProposed,
)
from wakeful.contracts.message import (
    ArtifactPart,
    DataPart,
    FilePart,
    InputPart,
    Message,
    MessagePart,
    ReasoningPart,
    SourcePart,
    TextPart,
    ToolCallPart,
)
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


class _Artifact:
    """An artifact in the making."""

    __slots__ = ("_content", "description", "id", "name")

    def __init__(self, id: str) -> None:
        self.id = id
        self.name: str | None = None
        self.description: str | None = None
        self._content: list[InputPart | list[str]] = []

    @property
    def parts(self) -> tuple[InputPart, ...]:
        return tuple(TextPart("".join(part)) if isinstance(part, list) else part for part in self._content)

    def change(self, change: ArtifactChanged) -> None:
        self.name = change.name or self.name
        self.description = change.description or self.description
        if not change.append:
            self._content.clear()
        last = self._content[-1] if self._content else None
        if not isinstance(change.part, TextPart):
            self._content.append(change.part)
        elif isinstance(last, list):
            last.append(change.part.text)
        else:
            self._content.append([change.part.text])


_Block = _Text | _Reasoning | _Call | _Artifact | SourcePart | FilePart | DataPart
Chunk = ReplyChunk | DataEmitted | ArtifactChanged | StatusNoted


class Accumulator:
    """Collects one reply. Adjacent deltas of a kind form one part; a sealed reasoning block is closed."""

    def __init__(self, *, message_id: str, run_id: str, step: int, provider: str, created_at: int) -> None:
        self._identity = (message_id, run_id, step, created_at)
        self._provider = provider
        self._blocks: list[_Block] = []
        self._calls: dict[str, _Call] = {}
        self._artifacts: dict[str, _Artifact] = {}
        self._open_text: _Text | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing arrived yet."""
        return not self._blocks

    def add(self, chunk: Chunk) -> None:
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
                self._begin(call)
            case ReasoningSealed():
                self._reasoning().seal = chunk
            case _:
                self._add_whole(chunk)

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

    def _add_whole(self, chunk: SourceCited | FileGenerated | DataEmitted | ArtifactChanged | StatusNoted) -> None:
        match chunk:
            case SourceCited(source):
                self._blocks.append(source)  # a source cited in the middle of a text does not end it
            case FileGenerated(file):
                self._begin(file)
            case DataEmitted(data, name):
                self._begin(DataPart(data, name))
            case ArtifactChanged():
                self._artifact(chunk.id).change(chunk)
            case StatusNoted():
                pass

    def _begin(self, block: _Block) -> None:
        """Add a block, which ends the text before it."""
        self._blocks.append(block)
        self._open_text = None

    def _text(self) -> _Text:
        """The text that is being written."""
        if self._open_text is None:
            self._begin(text := _Text())
            self._open_text = text
        return self._open_text

    def _reasoning(self) -> _Reasoning:
        last = self._blocks[-1] if self._blocks else None
        if not isinstance(last, _Reasoning) or last.seal is not None:
            last = _Reasoning()
            self._begin(last)
        return last

    def _call(self, call_id: str) -> _Call:
        call = self._calls.get(call_id)
        if call is None:
            raise MalformedReply(f"the model sent arguments of call {call_id!r} before proposing it")
        return call

    def _artifact(self, id: str) -> _Artifact:
        artifact = self._artifacts.get(id)
        if artifact is None:
            artifact = self._artifacts[id] = _Artifact(id)
            self._begin(artifact)
        return artifact

    def _message(self, blocks: Sequence[_Block], *, interrupted: bool) -> Message:
        message_id, run_id, step, created_at = self._identity
        found = (self._part(block, interrupted=interrupted) for block in blocks)
        parts = tuple(part for part in found if part is not None)
        return Message(message_id, "assistant", parts, created_at, run_id=run_id, step=step)

    def _part(self, block: _Block, *, interrupted: bool) -> MessagePart | None:
        """The block's part; None for one that says nothing, which no vendor would take back."""
        if isinstance(block, SourcePart | FilePart | DataPart):
            return block
        if isinstance(block, _Artifact):
            return ArtifactPart(block.id, block.parts, block.name, block.description)
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
