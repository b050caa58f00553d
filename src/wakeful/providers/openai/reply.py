"""Reads the events of a streamed chat completion."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from wakeful.contracts.event import FinishReason, ReasoningDelta, TextDelta, ToolCallDelta, ToolCallProposed
from wakeful.contracts.model import ModelChunk, ReplyFinished
from wakeful.contracts.usage import Usage
from wakeful.providers.call_ids import CallIds
from wakeful.providers.failures import ErrorBody, Failures
from wakeful.providers.sources import Citations, Span, readable

_FINISH: Mapping[str, FinishReason] = {
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


_NONE = msgspec.Raw(b"null")


class _Page(msgspec.Struct):
    url: str
    title: str | None = None
    start_index: int | None = None
    end_index: int | None = None


class _Annotation(msgspec.Struct):
    type: str
    url_citation: _Page | None = None


class _Annotated(msgspec.Struct):
    annotations: msgspec.Raw = _NONE


class _Function(msgspec.Struct, gc=False):
    name: str | None = None
    arguments: str | None = None


class _CallDelta(msgspec.Struct, gc=False):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(_Annotated, gc=False):
    content: str | None = None
    refusal: str | None = None
    reasoning: str | None = None  # OpenRouter, newer vLLM, Groq
    reasoning_content: str | None = None  # DeepSeek, older vLLM
    tool_calls: list[_CallDelta] | None = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta | None = None
    message: _Annotated | None = None  # some servers repeat the whole message at the end
    finish_reason: str | None = None


class _InputDetails(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _InputDetails | None = None
    completion_tokens_details: _OutputDetails | None = None

    def counted(self) -> Usage:
        read = self.prompt_tokens_details or _InputDetails()
        written = self.completion_tokens_details or _OutputDetails()
        return Usage(
            input_tokens=self.prompt_tokens or 0,
            output_tokens=self.completion_tokens or 0,
            reasoning_tokens=written.reasoning_tokens or 0,
            cached_input_tokens=read.cached_tokens or 0,
            cache_write_tokens=read.cache_write_tokens or 0,
        )


class _Chunk(msgspec.Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    model: str | None = None
    error: ErrorBody | str | None = None


_chunks = msgspec.json.Decoder(_Chunk)
_lists = msgspec.json.Decoder(list[msgspec.Raw] | None)
_annotations = msgspec.json.Decoder(_Annotation)


class _OpenCall(msgspec.Struct):
    call_id: str
    given: str | None


class ChatReply:
    """One reply being read. It ends with `[DONE]`; servers that leave that out must have given a finish reason."""

    def __init__(self, failures: Failures, ids: CallIds, sources: Citations) -> None:
        self._failures = failures
        self._ids = ids
        self._sources = sources
        self._calls: dict[int, _OpenCall] = {}
        self._latest = 0
        self._finish: str | None = None
        self._usage = Usage()
        self._model: str | None = None
        self.finished = False

    def read(self, data: bytes) -> list[ModelChunk]:
        """The chunks of one event."""
        if data == b"[DONE]":
            return self._end()
        chunk = _chunks.decode(data)
        if chunk.error is not None:
            raise self._failures.reported(
                chunk.error if isinstance(chunk.error, ErrorBody) else ErrorBody(message=chunk.error)
            )
        if chunk.usage is not None:
            self._usage = chunk.usage.counted()
        self._model = chunk.model or self._model
        parts: list[ModelChunk] = []
        for choice in chunk.choices or ():
            self._read_choice(choice, parts)
        return self._sources.place(parts)

    def end(self) -> list[ModelChunk]:
        """The last chunk of a stream without `[DONE]`."""
        if self._finish is None:
            raise self._failures.dropped()
        return self._end()

    def _end(self) -> list[ModelChunk]:
        self.finished = True
        reason = _FINISH.get(self._finish or "stop", "stop")
        if reason == "stop" and self._calls:
            reason = "tool_calls"
        return self._sources.place([ReplyFinished(reason, self._usage, self._model)])

    def _read_choice(self, choice: _Choice, parts: list[ModelChunk]) -> None:
        self._finish = choice.finish_reason or self._finish
        delta = choice.delta
        for annotated in (delta, choice.message):
            if annotated is not None and annotated.annotations is not _NONE:
                self._cite(annotated.annotations)
        if delta is None:
            return
        if reasoning := delta.reasoning_content or delta.reasoning:
            parts.append(ReasoningDelta(reasoning))
        if text := delta.content or delta.refusal:
            parts.append(TextDelta(text))
        for call in delta.tool_calls or ():
            self._read_call(call, parts)

    def _cite(self, annotations: msgspec.Raw) -> None:
        for raw in readable(_lists, annotations) or ():
            annotation = readable(_annotations, raw)
            if annotation is not None and (page := annotation.url_citation) is not None:
                known = page.start_index is not None and page.end_index is not None
                span = Span(page.start_index or 0, page.end_index or 0) if known else None
                self._sources.cite_page(page.url, title=page.title, span=span)

    def _read_call(self, delta: _CallDelta, parts: list[ModelChunk]) -> None:
        function = delta.function or _Function()
        index = self._index(delta, function)
        if index not in self._calls:
            if not function.name:
                raise self._failures.malformed("a tool call begins without a name")
            self._calls[index] = _OpenCall(self._ids.claim(delta.id), delta.id)
            parts.append(ToolCallProposed(self._calls[index].call_id, function.name))
        self._latest = index
        if function.arguments:
            parts.append(ToolCallDelta(self._calls[index].call_id, function.arguments))

    def _index(self, delta: _CallDelta, function: _Function) -> int:
        """Which call is meant: some servers leave the index out, some say 0 for every call, each with its own id."""
        index = self._latest if delta.index is None else delta.index
        known = self._calls.get(index)
        begins = known is not None and function.name and delta.id and delta.id != known.given
        if not begins:
            return index
        return next((i for i, call in self._calls.items() if call.given == delta.id), max(self._calls) + 1)
