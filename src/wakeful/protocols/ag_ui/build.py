"""Builds the AG-UI values that take more than a constructor call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from wakeful.contracts import event as log
from wakeful.contracts.interrupt import ASK_AUTHORISATION, ASK_USER, Interrupt
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.message import ArtifactPart, DataPart, FilePart, InputPart, SourcePart, TextPart
from wakeful.contracts.usage import Usage
from wakeful.protocols.ag_ui import messages, wire

MEDIA_KINDS: dict[str, Literal["image", "audio", "video", "document"]] = {
    "image": "image",
    "audio": "audio",
    "video": "video",
}
LAST_MOMENT = 253_402_300_799_000
APPROVAL_SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "approved": {"type": "boolean"},
        "reason": {"type": "string"},
        "editedArgs": {"type": "object"},
    },
    "required": ["approved"],
}
TEXT_SCHEMA: JsonObject = {"type": "string"}
LIMITS: frozenset[log.StopReason] = frozenset(
    {"max_output", "max_steps", "max_tokens", "max_seconds", "max_cost", "max_tool_errors", "max_repeats"}
)
"""Ends by a limit. The producer stopped the run, so it is cancelled and no success (AG-UI 1.0, outcomes)."""
CANCELLED: dict[log.StopReason, str] = {
    "superseded": "superseded by newer input",
    "withdrawn": "withdrawn before it began",
}


def content(output: JsonValue) -> str:
    """A tool's output as the text of its tool message."""
    return output if isinstance(output, str) else msgspec.json.encode(output).decode()


def result(message_id: str, call_id: str, text: str, at: int) -> wire.ToolCallResult:
    """The result of a call."""
    return wire.ToolCallResult(message_id=message_id, tool_call_id=call_id, content=text, role="tool", timestamp=at)


def cipher(entity_id: str, value: str, at: int) -> wire.ReasoningEncryptedValue:
    """The cipher of reasoning message `entity_id`."""
    return wire.ReasoningEncryptedValue(subtype="message", entity_id=entity_id, encrypted_value=value, timestamp=at)


def asks_in_words(interrupt: Interrupt) -> bool:
    """Whether somebody is to answer a question: a tool's, or that of an agent without a model.

    A front-end tool that a page happens to call `ask_user` has no such words.
    """
    asks = interrupt.tool in (ASK_USER, ASK_AUTHORISATION) and bool(interrupt.message)
    return interrupt.kind == "question" or (interrupt.kind == "frontend_tool" and asks)


def interrupts(interrupt: Interrupt) -> bool:
    """Whether it ends the run with an interrupt, which `resume` answers; else it is a front-end call."""
    return interrupt.kind == "approval" or asks_in_words(interrupt)


def interrupt(interrupt: Interrupt) -> wire.Interrupt:
    """An approval is answered with `approved`, a reason and changed arguments; a question with what its schema says."""
    in_words = asks_in_words(interrupt)
    otherwise = {} if interrupt.kind == "question" else TEXT_SCHEMA
    return wire.Interrupt(
        interrupt.id,
        "input_required" if in_words else "confirmation",
        (interrupt.response_schema or otherwise) if in_words else APPROVAL_SCHEMA,
        interrupt.message or None,
        interrupt.call_id,
        None if interrupt.expires_at is None else iso(interrupt.expires_at),
    )


def iso(milliseconds: int) -> str:
    """A time as ISO 8601 in UTC; one beyond the calendar becomes its last moment."""
    return datetime.fromtimestamp(min(milliseconds, LAST_MOMENT) / 1000, UTC).isoformat(timespec="milliseconds")


def tokens(provider: str, model: str, usage: Usage) -> wire.TokenUsage:
    """One model's tokens."""
    return wire.TokenUsage(
        provider,
        model,
        usage.input_tokens,
        usage.output_tokens,
        usage.total_tokens,
        usage.reasoning_tokens,
        usage.cached_input_tokens,
        usage.cache_write_tokens,
    )


def activity(event: log.ToolProgressed, at: int) -> wire.ActivitySnapshot:
    """Progress in the shape clients know as `tool-call-progress.v1`."""
    fields = {
        "type": "tool-call-progress",
        "schema": "tool-call-progress.v1",
        "node_id": f"tool_call:{event.call_id}",
        "call_id": event.call_id,
        "tool_name": event.name,
        "status": "running",
        "message": event.message,
        "progress": event.progress,
        "total": event.total,
        "updated_at_ms": at,
    }
    return wire.ActivitySnapshot(
        message_id=f"tool_call:{event.call_id}",
        activity_type="tool-call-progress",
        content={key: value for key, value in fields.items() if value is not None},
        replace=True,
        timestamp=at,
    )


def void(message_id: str, at: int) -> wire.ActivitySnapshot:
    """An activity in place of a message that does not count."""
    return wire.ActivitySnapshot(message_id=message_id, activity_type="void", content={}, replace=True, timestamp=at)


def source(part: SourcePart) -> JsonObject:
    """A source: {id, url?, title?, mediaType?, filename?, citedText?, start?, end?}."""
    fields: JsonObject = {
        "id": part.id,
        "url": part.url,
        "title": part.title,
        "mediaType": part.media_type,
        "filename": part.filename,
        "citedText": part.cited_text,
        "start": part.start,
        "end": part.end,
    }
    return {key: value for key, value in fields.items() if value is not None}


def file(part: FilePart) -> JsonObject:
    """A file: {mediaType, url, filename?}; the url is `data:` or `https:`."""
    named: JsonObject = {} if part.filename is None else {"filename": part.filename}
    return {"mediaType": part.media_type, "url": part.url, **named}


def value(part: DataPart) -> JsonObject:
    """A value: {data, name?}."""
    named: JsonObject = {"name": part.name} if part.name else {}
    return {"data": part.data, **named}


def artifact(part: ArtifactPart) -> JsonObject:
    """An artifact: {id, name?, description?, parts}; a part is {type: text|file|data, …}."""
    content: list[JsonValue] = [_content(piece) for piece in part.parts]
    return {"id": part.id, **_called(part.name, part.description), "parts": content}


def artifact_change(event: log.ArtifactChanged) -> JsonObject:
    """A change of an artifact: {id, part, name?, description?, append, last}.

    Without `append` the artifact begins with the part. Text that is appended to text continues it.
    """
    called = _called(event.name, event.description)
    return {"id": event.id, **called, "part": _content(event.part), "append": event.append, "last": event.last}


def _called(name: str | None, description: str | None) -> JsonObject:
    fields: JsonObject = {"name": name, "description": description}
    return {key: text for key, text in fields.items() if text is not None}


def _content(part: InputPart) -> JsonObject:
    match part:
        case TextPart(text):
            return {"type": "text", "text": text}
        case FilePart():
            return {"type": "file", **file(part)}
        case DataPart():
            return {"type": "data", **value(part)}


def said(parts: Sequence[object]) -> str | list[messages.TextContent | messages.MediaContent]:
    """What a user said: text, or parts where there are files."""
    if not any(isinstance(part, FilePart) for part in parts):
        return "".join(part.text for part in parts if isinstance(part, TextPart))
    shown: list[messages.TextContent | messages.MediaContent] = []
    for part in parts:
        match part:
            case TextPart(text):
                shown.append(messages.TextContent(text))
            case FilePart():
                shown.append(_media(part))
            case _:
                pass
    return shown


def _media(part: FilePart) -> messages.MediaContent:
    head, _, data = part.url.partition(";base64,")
    inline = head[:5].lower() == "data:" and bool(data)
    return messages.MediaContent(
        MEDIA_KINDS.get(part.media_type.partition("/")[0], "document"),
        messages.Source("data" if inline else "url", data if inline else part.url, part.media_type),
    )


def restart(event: log.StepRestarted) -> JsonObject:
    """The value of `CUSTOM step_restarted`: {step, messageId, reason}."""
    return {"step": event.step, "messageId": event.message_id, "reason": event.reason}


def steered(message_id: str, parts: Sequence[InputPart]) -> JsonObject:
    """The value of `CUSTOM steered`: {messageId, content?}; the content is that of a user message."""
    return {"messageId": message_id, **({"content": said(parts)} if parts else {})}


def retry(event: log.RetryScheduled) -> JsonObject:
    """The value of `CUSTOM retry_scheduled`: {target, attempt, delayMs, code, message}.

    `target` is `model_call` or `run`.
    """
    error = event.error
    return {
        "target": event.target,
        "attempt": event.attempt,
        "delayMs": event.delay_ms,
        "code": error.code,
        "message": error.message,
    }
