"""Reads the events of a streamed response."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from wakeful.contracts.event import (
    FinishReason,
    ReasoningDelta,
    ReasoningSealed,
    TextDelta,
    ToolCallDelta,
    ToolCallProposed,
)
from wakeful.contracts.model import ModelChunk, ReplyFinished
from wakeful.contracts.usage import Usage
from wakeful.providers.call_ids import CallIds
from wakeful.providers.failures import ErrorBody, Failures
from wakeful.providers.generated import IMAGE_TYPES, generated_file
from wakeful.providers.openai_responses.annotations import ABSENT, cite, of_part
from wakeful.providers.sources import Citations


class _Kind(msgspec.Struct):
    type: str


class _Delta(msgspec.Struct):
    delta: str = ""
    output_index: int = 0
    content_index: int = 0


class _Cited(msgspec.Struct):
    """One annotation as it is added, or a content part that is done with all of them."""

    output_index: int = 0
    content_index: int = 0
    annotation: msgspec.Raw = ABSENT
    part: msgspec.Raw = ABSENT


class _Item(msgspec.Struct):
    type: str
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    encrypted_content: str | None = None
    result: str | None = None
    output_format: str | None = None


class _ItemEvent(msgspec.Struct):
    item: _Item
    output_index: int = 0


class _SummaryPart(msgspec.Struct):
    summary_index: int = 0


class _InputDetails(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: _InputDetails | None = None
    output_tokens_details: _OutputDetails | None = None

    def counted(self) -> Usage:
        read = self.input_tokens_details or _InputDetails()
        written = self.output_tokens_details or _OutputDetails()
        return Usage(
            input_tokens=self.input_tokens or 0,
            output_tokens=self.output_tokens or 0,
            reasoning_tokens=written.reasoning_tokens or 0,
            cached_input_tokens=read.cached_tokens or 0,
            cache_write_tokens=read.cache_write_tokens or 0,
        )


class _Incomplete(msgspec.Struct):
    reason: str | None = None


class _Response(msgspec.Struct):
    model: str | None = None
    usage: _Usage | None = None
    error: ErrorBody | None = None
    incomplete_details: _Incomplete | None = None


class _ResponseEvent(msgspec.Struct):
    response: _Response


class _Error(msgspec.Struct):
    """The documented form has the fields at the top, the one that is really sent has them in `error`."""

    error: ErrorBody | None = None
    message: str | None = None
    code: str | None = None


_kinds = msgspec.json.Decoder(_Kind)
_deltas = msgspec.json.Decoder(_Delta)
_cited = msgspec.json.Decoder(_Cited)
_items = msgspec.json.Decoder(_ItemEvent)
_summary_parts = msgspec.json.Decoder(_SummaryPart)
_responses = msgspec.json.Decoder(_ResponseEvent)
_errors = msgspec.json.Decoder(_Error)


class ResponsesReply:
    """One reply being read. It ends with `response.completed` or `response.incomplete`, nothing else."""

    def __init__(self, failures: Failures, ids: CallIds, sources: Citations) -> None:
        self._failures = failures
        self._ids = ids
        self._sources = sources
        self._begins: dict[tuple[int, int], int] = {}
        self._calls: dict[int, str] = {}
        self._written: set[int] = set()
        self.finished = False

    def read(self, data: bytes) -> list[ModelChunk]:
        """The chunks of one event; events that carry nothing for us give none."""
        return self._sources.place(list(self._chunks(_kinds.decode(data).type, data)))

    def end(self) -> list[ModelChunk]:
        """A stream without a terminal event was cut off."""
        raise self._failures.dropped()

    def _chunks(self, kind: str, data: bytes) -> Iterator[ModelChunk]:
        match kind:
            case "response.output_text.delta" | "response.refusal.delta":
                yield self._text(_deltas.decode(data))
            case "response.output_text.annotation.added" | "response.content_part.done":
                self._cite(_cited.decode(data))
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                yield ReasoningDelta(_deltas.decode(data).delta)
            case "response.reasoning_summary_part.added" if _summary_parts.decode(data).summary_index:
                yield ReasoningDelta("\n\n")
            case "response.function_call_arguments.delta":
                yield self._arguments(_deltas.decode(data))
            case "response.output_item.added":
                yield from self._begun(_items.decode(data))
            case "response.output_item.done":
                yield from self._done(_items.decode(data))
            case _:
                yield from self._whole(kind, data)

    def _whole(self, kind: str, data: bytes) -> Iterator[ModelChunk]:
        """Events about the reply as a whole."""
        match kind:
            case "response.completed" | "response.incomplete":
                yield self._end(_responses.decode(data).response)
            case "response.failed":
                raise self._failures.reported(_responses.decode(data).response.error or ErrorBody())
            case "error":
                error = _errors.decode(data)
                raise self._failures.reported(error.error or ErrorBody(error.message, code=error.code))
            case _:
                pass

    def _text(self, delta: _Delta) -> TextDelta:
        self._begins.setdefault((delta.output_index, delta.content_index), self._sources.written)
        return TextDelta(delta.delta)

    def _cite(self, event: _Cited) -> None:
        begins = self._begins.get((event.output_index, event.content_index), self._sources.written)
        for annotation in (event.annotation, *of_part(event.part)):
            cite(self._sources, annotation, begins=begins)

    def _begun(self, event: _ItemEvent) -> Iterator[ModelChunk]:
        item = event.item
        if item.type != "function_call":
            return
        if not item.name:
            raise self._failures.malformed("a function call begins without a name")
        call_id = self._calls[event.output_index] = self._ids.claim(item.call_id)
        yield ToolCallProposed(call_id, item.name)
        if item.arguments:
            self._written.add(event.output_index)
            yield ToolCallDelta(call_id, item.arguments)

    def _arguments(self, delta: _Delta) -> ToolCallDelta:
        if delta.output_index not in self._calls:
            raise self._failures.malformed(f"arguments for output {delta.output_index}, which is no function call")
        self._written.add(delta.output_index)
        return ToolCallDelta(self._calls[delta.output_index], delta.delta)

    def _done(self, event: _ItemEvent) -> Iterator[ModelChunk]:
        item, index = event.item, event.output_index
        if item.type == "reasoning":
            yield ReasoningSealed(encrypted=item.encrypted_content, item_id=item.id)
        if item.type == "image_generation_call":
            yield from generated_file(IMAGE_TYPES.get(item.output_format or "png"), item.result)
        if item.type != "function_call":
            return
        if index not in self._calls:
            yield from self._begun(event)
        elif index not in self._written and item.arguments:
            self._written.add(index)
            yield ToolCallDelta(self._calls[index], item.arguments)

    def _end(self, response: _Response) -> ReplyFinished:
        self.finished = True
        usage = response.usage.counted() if response.usage else Usage()
        return ReplyFinished(self._reason(response.incomplete_details), usage, response.model)

    def _reason(self, incomplete: _Incomplete | None) -> FinishReason:
        match incomplete.reason if incomplete else None:
            case "max_output_tokens":
                return "length"
            case "content_filter":
                return "content_filter"
            case _:
                return "tool_calls" if self._calls else "stop"
