"""Builds the AI SDK values that take more than a constructor call."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from wakeful.contracts.event import StopReason
from wakeful.contracts.json import JsonValue
from wakeful.contracts.message import FilePart, SourcePart, TextPart
from wakeful.contracts.usage import Usage
from wakeful.protocols.ai_sdk import parts
from wakeful.protocols.ai_sdk.chunks import FinishReason

FINISH_REASONS: dict[StopReason, FinishReason] = {
    "answered": "stop",
    "stop_on_tool": "stop",
    "stop_on_text": "stop",
    "steered": "stop",
    "max_output": "length",
    "max_steps": "length",
    "max_tokens": "length",
    "max_seconds": "length",
    "max_cost": "length",
    "max_repeats": "length",
    "max_tool_errors": "other",  # given up, although nothing was used up and the run did not fail
    "content_filter": "content-filter",
}
UNTITLED = "Untitled document"
UNKNOWN_TYPE = "application/octet-stream"


def parse_input(arguments: str) -> JsonValue:
    """A call's arguments as a JSON value: `{}` for none, the text itself when it is not JSON."""
    if not arguments.strip():
        return {}
    try:
        return msgspec.json.decode(arguments)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return arguments


def error_text(output: JsonValue, otherwise: str = "The tool failed.") -> str:
    """What a failed call left, as text for a person; `otherwise` when it left nothing."""
    text = output if isinstance(output, str) else msgspec.json.encode(output).decode()
    return text or otherwise


def denial_text(output: JsonValue) -> str:
    """What a refused call left, as text for a person."""
    return error_text(output, "The user denied this call.")


def usage(tokens: Usage) -> parts.Usage:
    """The tokens of a run or a call."""
    return parts.Usage(
        tokens.input_tokens,
        tokens.output_tokens,
        tokens.total_tokens,
        tokens.reasoning_tokens,
        tokens.cached_input_tokens,
    )


def source(cited: SourcePart) -> parts.SourceUrl | parts.SourceDocument:
    """A source as a part; clients refuse a document without title and type, so it has both."""
    if cited.url is not None:
        return parts.SourceUrl(cited.id, cited.url, cited.title)
    title = cited.title or cited.filename or UNTITLED
    return parts.SourceDocument(cited.id, cited.media_type or UNKNOWN_TYPE, title, cited.filename)


def citation(cited: SourcePart) -> parts.Citation:
    """A source as a citation of the text it supports; a place no client would take is left out."""
    known = source(cited)
    if isinstance(known, parts.SourceUrl):
        described = parts.CitedSource("url", known.source_id, url=known.url, title=known.title)
    else:
        described = parts.CitedSource(
            "document", known.source_id, media_type=known.media_type, title=known.title, filename=known.filename
        )
    return parts.Citation(described, _index(cited.start), _index(cited.end), cited.cited_text)


def user_parts(message: Iterable[TextPart | FilePart]) -> tuple[parts.Text | parts.File, ...]:
    """What a user sent."""
    return tuple(
        parts.Text(part.text) if isinstance(part, TextPart) else parts.File(part.media_type, part.url, part.filename)
        for part in message
    )


def approval_request(interrupt_id: str, call_id: str, name: str, value: JsonValue) -> parts.ApprovalRequest:
    """The question for a client of major 5."""
    data = {"approvalId": interrupt_id, "toolCallId": call_id, "toolName": name, "input": value}
    return parts.ApprovalRequest(interrupt_id, data)


def _index(place: int | None) -> int | None:
    return place if place is not None and place >= 0 else None
