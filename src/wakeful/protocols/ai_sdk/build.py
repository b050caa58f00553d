"""Builds the AI SDK values that take more than a constructor call."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from wakeful.contracts.event import StopReason
from wakeful.contracts.interrupt import Interrupt
from wakeful.contracts.json import JsonValue
from wakeful.contracts.message import ArtifactPart, DataPart, FilePart, InputPart, SourcePart, TextPart
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
OWN_DATA = frozenset(
    {
        "activity",
        "approval-request",
        "artifact",
        "artifact-delta",
        "question",
        "reasoning-encrypted",
        "retry",
        "run-info",
        "state-delta",
        "state-snapshot",
        "status",
        "steered",
        "step-restarted",
        "subagent",
        "usage",
    }
)
"""What data parts of our own are called: no agent's value may pass for one."""
LONGEST_NAME = 64
_UNFIT = re.compile(r"[^A-Za-z0-9_-]+")
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


def user_parts(message: Iterable[InputPart]) -> tuple[parts.Text | parts.File, ...]:
    """What a user said and sent, without values."""
    said = (content(part) for part in message)
    return tuple(part for part in said if not isinstance(part, parts.Datum))


def content(part: InputPart) -> parts.Text | parts.File | parts.Datum:
    """A piece of an artifact, or of what a user sent."""
    match part:
        case TextPart(text):
            return parts.Text(text)
        case FilePart():
            return parts.File(part.media_type, part.url, part.filename)
        case DataPart(data, name):
            return parts.Datum(data, name)


def value(message_id: str, number: int, part: DataPart) -> parts.DataValue:
    """The message's value of this number, from 1."""
    return parts.DataValue(f"data-{_data_name(part.name)}", f"{message_id}:{number}", part.data)


def artifact(message_id: str, made: ArtifactPart) -> parts.Artifact:
    """An artifact as it stands."""
    shown = parts.ArtifactData(made.id, tuple(map(content, made.parts)), made.name, made.description)
    return parts.Artifact(f"{message_id}:{made.id}", shown)


def question(asked: Interrupt, *, answered: bool) -> parts.Question:
    """What a running call asks."""
    data = parts.QuestionData(
        asked.id, asked.call_id, asked.tool, asked.message, asked.response_schema, answered=answered
    )
    return parts.Question(asked.id, data)


def approval_request(interrupt_id: str, call_id: str, name: str, value: JsonValue) -> parts.ApprovalRequest:
    """The question for a client of major 5."""
    data = {"approvalId": interrupt_id, "toolCallId": call_id, "toolName": name, "input": value}
    return parts.ApprovalRequest(interrupt_id, data)


def _data_name(name: str) -> str:
    """Letters, digits, `-` and `_` only; a name of our own gets a prefix."""
    word = _UNFIT.sub("-", name).strip("-")[:LONGEST_NAME] or "value"
    return f"value-{word}" if word in OWN_DATA else word


def _index(place: int | None) -> int | None:
    return place if place is not None and place >= 0 else None
