"""Reads the events of a pydantic-ai model stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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

_FINISH: Mapping[str, FinishReason] = {
    "length": "length",
    "content_filter": "content_filter",
    "tool_call": "tool_calls",
}


class BridgedReply:
    """One reply being read. Arguments pydantic-ai holds as objects are given once, when they are complete."""

    def __init__(self, failures: Failures, ids: CallIds) -> None:
        self._failures = failures
        self._ids = ids
        self._calls: dict[int, str] = {}
        self._written: set[int] = set()

    def read(self, event: theirs.ModelResponseStreamEvent) -> list[ModelChunk]:
        """The chunks of one event."""
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
        return [*chunks, ReplyFinished(reason, _usage(whole.usage), whole.model_name)]

    def _begun(self, index: int, part: theirs.ModelResponsePart) -> Iterator[ModelChunk]:
        match part:
            case theirs.TextPart(content=text) if text:
                yield TextDelta(text)
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
            case theirs.TextPartDelta(content_delta=text) if text:
                yield TextDelta(text)
            case theirs.ThinkingPartDelta(content_delta=text) if text:
                yield ReasoningDelta(text)
            case theirs.ToolCallPartDelta() if index in self._calls:
                yield from self._arguments(index, delta.args_delta)
            case _:
                pass

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
