"""Reads the events of a pydantic-ai model stream."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping

from pydantic_ai import messages as theirs
from pydantic_ai.models import StreamedResponse
from pydantic_ai.usage import RequestUsage

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
from wakeful.providers.generated import generated_file
from wakeful.providers.sources import Citations, Span

_FINISH: Mapping[str, FinishReason] = {
    "length": "length",
    "content_filter": "content_filter",
    "tool_call": "tool_calls",
}


class BridgedReply:
    """One reply being read. Arguments pydantic-ai holds as objects are given once, when they are complete."""

    def __init__(self, failures: Failures, ids: CallIds, sources: Citations) -> None:
        self._failures = failures
        self._ids = ids
        self._sources = sources
        self._begins: dict[int, int] = {}
        self._calls: dict[int, str] = {}
        self._written: set[int] = set()

    def read(self, event: theirs.ModelResponseStreamEvent) -> list[ModelChunk]:
        """The chunks of one event."""
        return self._sources.place(self._chunks(event))

    def _chunks(self, event: theirs.ModelResponseStreamEvent) -> list[ModelChunk]:
        match event:
            case theirs.PartStartEvent():
                return list(self._begun(event.index, event.part))
            case theirs.PartDeltaEvent():
                return list(self._delta(event.index, event.delta))
            case theirs.PartEndEvent(part=theirs.ThinkingPart() as part) if part.signature:
                # pydantic-ai sends a proof back only to the vendor that gave it, so its name has to be kept too.
                return [ReasoningSealed(part.signature, item_id=f"{part.provider_name or ''}:{part.id or ''}")]
            case _:
                return []

    def end(self, response: StreamedResponse) -> list[ModelChunk]:
        """The last chunks. Raises `ModelUnavailable` when the stream was cut off."""
        whole = response.get()
        if whole.state == "incomplete":
            raise self._failures.dropped()
        if whole.finish_reason == "error":
            raise self._failures.reported(ErrorBody("the model stopped with an error"))
        chunks: list[ModelChunk] = []
        for index, part in enumerate(whole.parts):
            if isinstance(part, theirs.ToolCallPart) and index in self._calls and index not in self._written:
                chunks.append(ToolCallDelta(self._calls[index], part.args_as_json_str()))
        reason = _FINISH.get(whole.finish_reason or "stop", "stop")
        if reason == "stop" and self._calls:
            reason = "tool_calls"
        return self._sources.place([*chunks, ReplyFinished(reason, _usage(whole.usage), whole.model_name)])

    def _begun(self, index: int, part: theirs.ModelResponsePart) -> Iterator[ModelChunk]:
        match part:
            case theirs.TextPart(content=text):
                self._begins[index] = self._sources.written
                self._cite(index, part.citations)
                yield TextDelta(text)
            case theirs.FilePart(content=file):
                yield from generated_file(file.media_type, b64encode(file.data).decode("ascii"))
            case theirs.ThinkingPart(content=text) if text:
                yield ReasoningDelta(text)
            case theirs.ToolCallPart() if index not in self._calls:
                self._calls[index] = self._ids.claim(part.tool_call_id)
                yield ToolCallProposed(self._calls[index], part.tool_name)
                yield from self._arguments(index, part.args)
            case _:
                pass

    def _delta(self, index: int, delta: theirs.ModelResponsePartDelta) -> Iterator[ModelChunk]:
        match delta:
            case theirs.TextPartDelta(content_delta=text):
                self._cite(index, delta.citations_delta)
                if text:
                    yield TextDelta(text)
            case theirs.ThinkingPartDelta(content_delta=text) if text:
                yield ReasoningDelta(text)
            case theirs.ToolCallPartDelta() if index in self._calls:
                yield from self._arguments(index, delta.args_delta)
            case _:
                pass

    def _cite(self, index: int, citations: Iterable[theirs.Citation] | None) -> None:
        """What a text part cites; told anew with every citation, so what is known already is left out."""
        begins = self._begins.get(index, self._sources.written)
        for citation in citations or ():
            anchor = citation.anchor
            span = Span(begins + anchor.start, begins + anchor.end) if anchor else None
            for source in citation.sources:
                passage = " … ".join(source.excerpts) or None
                if isinstance(source, theirs.WebCitationSource):
                    self._sources.cite_page(source.url, title=source.title, passage=passage, span=span)
                else:
                    self._sources.cite_document(source.title or source.document_id, passage=passage, span=span)

    def _arguments(self, index: int, arguments: object) -> Iterator[ModelChunk]:
        if isinstance(arguments, str) and arguments:
            self._written.add(index)
            yield ToolCallDelta(self._calls[index], arguments)


def _usage(usage: RequestUsage) -> Usage:
    return Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        reasoning_tokens=usage.output_reasoning_tokens,
        cached_input_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
    )
