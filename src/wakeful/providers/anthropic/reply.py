"""Reads the events of a streamed message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from wakeful.contracts.event import (
    FinishReason,
    ReasoningDelta,
    ReasoningSealed,
    TextDelta,
    ToolCallDelta,
    ToolCallProposed,
)
from wakeful.contracts.json import JsonObject
from wakeful.contracts.model import ModelChunk, ReplyFinished
from wakeful.contracts.usage import Usage
from wakeful.providers.anthropic.citations import cite, listed
from wakeful.providers.call_ids import CallIds
from wakeful.providers.failures import ErrorBody, Failures
from wakeful.providers.sources import Citations, Span

_FINISH: Mapping[str, FinishReason] = {
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}


class _Kind(msgspec.Struct):
    type: str


class _OutputDetails(msgspec.Struct):
    thinking_tokens: int | None = None


class _Usage(msgspec.Struct):
    """Counts so far; a later event repeats only what changed. `input_tokens` leaves cached ones out."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    output_tokens_details: _OutputDetails | None = None


class _Message(msgspec.Struct):
    model: str | None = None
    usage: _Usage | None = None


class _MessageStart(msgspec.Struct):
    message: _Message


class _Block(msgspec.Struct):
    type: str
    text: str = ""
    thinking: str = ""
    data: str = ""
    id: str | None = None
    name: str | None = None
    input: JsonObject | None = None
    citations: msgspec.Raw = msgspec.Raw(b"null")


class _BlockStart(msgspec.Struct):
    index: int
    content_block: _Block


class _BlockDelta(msgspec.Struct):
    type: str
    text: str = ""
    thinking: str = ""
    signature: str = ""
    partial_json: str = ""
    citation: msgspec.Raw = msgspec.Raw(b"null")


class _BlockDeltaEvent(msgspec.Struct):
    index: int
    delta: _BlockDelta


class _BlockStop(msgspec.Struct):
    index: int


class _Stop(msgspec.Struct):
    stop_reason: str | None = None


class _MessageDelta(msgspec.Struct):
    delta: _Stop
    usage: _Usage | None = None


class _Error(msgspec.Struct):
    error: ErrorBody


_kinds = msgspec.json.Decoder(_Kind)
_message_starts = msgspec.json.Decoder(_MessageStart)
_block_starts = msgspec.json.Decoder(_BlockStart)
_block_deltas = msgspec.json.Decoder(_BlockDeltaEvent)
_block_stops = msgspec.json.Decoder(_BlockStop)
_message_deltas = msgspec.json.Decoder(_MessageDelta)
_errors = msgspec.json.Decoder(_Error)


class _OpenBlock:
    """A content block between its start and its stop; its text begins at `begins`."""

    __slots__ = ("begins", "call_id", "citations", "input", "signature", "written")

    def __init__(self, begins: int, *, call_id: str | None = None, input: JsonObject | None = None) -> None:
        self.begins = begins
        self.citations: list[msgspec.Raw] = []
        self.call_id = call_id
        self.input = input
        self.signature = ""
        self.written = False


class MessageReply:
    """One reply being read. It ends with `message_stop`, nothing else."""

    def __init__(self, failures: Failures, ids: CallIds, sources: Citations) -> None:
        self._failures = failures
        self._ids = ids
        self._sources = sources
        self._blocks: dict[int, _OpenBlock] = {}
        self._usage = _Usage()
        self._model: str | None = None
        self._stop: str | None = None
        self.finished = False

    def read(self, data: bytes) -> list[ModelChunk]:
        """The chunks of one event; events and blocks that carry nothing for us give none."""
        return self._sources.place(self._chunks(data))

    def _chunks(self, data: bytes) -> list[ModelChunk]:
        match _kinds.decode(data).type:
            case "content_block_delta":
                return list(self._delta(_block_deltas.decode(data)))
            case "content_block_start":
                return list(self._begun(_block_starts.decode(data)))
            case "content_block_stop":
                return list(self._done(_block_stops.decode(data)))
            case "message_start":
                message = _message_starts.decode(data).message
                self._model = message.model
                self._count(message.usage)
            case "message_delta":
                event = _message_deltas.decode(data)
                self._stop = event.delta.stop_reason or self._stop
                self._count(event.usage)
            case "message_stop":
                return [self._end()]
            case "error":
                raise self._failures.reported(_errors.decode(data).error)
            case _:
                pass
        return []

    def end(self) -> list[ModelChunk]:
        """A stream without `message_stop` was cut off."""
        raise self._failures.dropped()

    def _begun(self, event: _BlockStart) -> Iterator[ModelChunk]:
        block = event.content_block
        opened = self._blocks[event.index] = _OpenBlock(self._sources.written, input=block.input)
        opened.citations += listed(block.citations)
        match block.type:
            case "text" if block.text:
                yield TextDelta(block.text)
            case "thinking" if block.thinking:
                yield ReasoningDelta(block.thinking)
            case "redacted_thinking":
                yield ReasoningSealed(encrypted=block.data)
            case "tool_use":
                if not block.name:
                    raise self._failures.malformed("a tool_use block begins without a name")
                opened.call_id = self._ids.claim(block.id)
                yield ToolCallProposed(opened.call_id, block.name)
            case _:
                pass

    def _delta(self, event: _BlockDeltaEvent) -> Iterator[ModelChunk]:
        block, delta = self._open(event.index), event.delta
        match delta.type:
            case "text_delta":
                yield TextDelta(delta.text)
            case "thinking_delta":
                yield ReasoningDelta(delta.thinking)
            case "signature_delta":
                block.signature += delta.signature
            case "citations_delta":
                block.citations.append(delta.citation)
            case "input_json_delta" if delta.partial_json and block.call_id:
                block.written = True
                yield ToolCallDelta(block.call_id, delta.partial_json)
            case _:
                pass

    def _done(self, event: _BlockStop) -> Iterator[ModelChunk]:
        block = self._open(event.index)
        for citation in block.citations:
            cite(self._sources, citation, Span(block.begins, self._sources.written))
        if block.signature:
            yield ReasoningSealed(signature=block.signature)
        if block.call_id and block.input and not block.written:
            yield ToolCallDelta(block.call_id, msgspec.json.encode(block.input).decode())

    def _open(self, index: int) -> _OpenBlock:
        if index not in self._blocks:
            raise self._failures.malformed(f"content block {index} was never started")
        return self._blocks[index]

    def _count(self, usage: _Usage | None) -> None:
        for field in msgspec.structs.fields(_Usage):
            value = getattr(usage, field.name, None)
            if value is not None:
                setattr(self._usage, field.name, value)

    def _end(self) -> ReplyFinished:
        self.finished = True
        counts = self._usage
        read, written = counts.cache_read_input_tokens or 0, counts.cache_creation_input_tokens or 0
        thought = counts.output_tokens_details or _OutputDetails()
        usage = Usage(
            input_tokens=(counts.input_tokens or 0) + read + written,
            output_tokens=counts.output_tokens or 0,
            reasoning_tokens=thought.thinking_tokens or 0,
            cached_input_tokens=read,
            cache_write_tokens=written,
        )
        return ReplyFinished(_FINISH.get(self._stop or "", "stop"), usage, self._model)
