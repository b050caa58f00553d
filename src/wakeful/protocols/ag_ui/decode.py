"""Reads a `RunAgentInput`: the new turn and the answers to open questions, nothing of the history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from wakeful.contracts.errors import BadRequest
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.message import FilePart, TextPart
from wakeful.contracts.request import InputMessage, RunRequest
from wakeful.contracts.run import FrontendTool, RunOptions
from wakeful.protocols.ag_ui import wire
from wakeful.server.files import Files, family

ROLES: dict[str, Literal["user", "system"]] = {"user": "user", "system": "system", "developer": "system"}
NO_PARAMETERS: JsonObject = {"type": "object", "properties": {}}

_body = msgspec.json.Decoder(wire.RunInput)
_content: msgspec.json.Decoder[str | list[str | wire.SentPart] | None] = msgspec.json.Decoder(
    str | list[str | wire.SentPart] | None
)


class Input(msgspec.Struct, frozen=True):
    """A decoded request. `client_run_id` is to be echoed; `protocol_version` is what the client declared."""

    request: RunRequest
    client_run_id: str | None
    protocol_version: str | None


def decode(
    body: bytes, *, thread_id: str | None = None, agent_id: str | None = None, strict_ids: bool = False
) -> Input:
    """The request in `body`; ids from the path win over ids in the body. Raises `BadRequest`.

    `messages` of the result are the user, system and developer messages after the last assistant message; tool
    messages at the very end and `resume` entries become `decisions`. With `strict_ids` the body must have `threadId`
    and `runId`. The client's run id becomes the run's own only for a new turn: an answer continues a run that has
    an id. Model, system prompt and configuration in the body have no effect: those are the operator's.
    """
    sent = _parse(body)
    thread = _id("threadId", thread_id, sent.thread_camel, sent.thread_snake)
    run = _id("runId", sent.run_camel, sent.run_snake)
    if strict_ids and (thread is None or run is None):
        raise BadRequest(f"'{'threadId' if thread is None else 'runId'}' is missing; expected both threadId and runId")
    messages = _read(_new_turn(sent.messages or ()))
    decisions = _decisions(sent)
    if not messages and not decisions:
        raise BadRequest("nothing new to answer: expected a user message, a tool message at the end, or 'resume'")
    request = RunRequest(
        thread_id=thread,
        run_id=None if decisions else run,
        agent_id=_id("agentId", agent_id, sent.agent_camel, sent.agent_snake),
        parent_run_id=sent.parent_run_id or None,
        messages=messages,
        decisions=decisions,
        options=RunOptions(_tools(sent.tools or ()), _context(sent.context, sent.state)),
    )
    return Input(request, run, sent.protocol_version)


def _parse(body: bytes) -> wire.RunInput:
    try:
        return _body.decode(body.decode())
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadRequest(f"the body is not a RunAgentInput: {error}") from None


def _id(name: str, *candidates: str | None) -> str | None:
    """The first id given; blank ones are refused wherever they stand."""
    given = [candidate for candidate in candidates if candidate is not None]
    if any(not candidate.strip() for candidate in given):
        raise BadRequest(f"id must not be blank: {name}; leave it out to have one chosen")
    return given[0] if given else None


def _new_turn(messages: Sequence[wire.SentMessage]) -> list[wire.SentMessage]:
    turn: list[wire.SentMessage] = []
    for message in reversed(messages):
        if message.role == "assistant":
            break
        turn.append(message)
    return turn[::-1]


def _parts(message: wire.SentMessage) -> Iterator[wire.SentPart]:
    try:
        content = _content.decode(message.content) or []
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadRequest(f"the content of a {message.role} message cannot be read: {error}") from None
    for part in [content] if isinstance(content, str) else content:
        yield wire.SentPart("text", text=part) if isinstance(part, str) else part


# The new turn.


def _read(turn: Sequence[wire.SentMessage]) -> tuple[InputMessage, ...]:
    files = Files()
    messages: list[InputMessage] = []
    for message in turn:
        role = ROLES.get(message.role)
        if role is None:
            continue
        parts = tuple(part for sent in _parts(message) if (part := _input_part(sent, files)) is not None)
        if any(isinstance(part, FilePart) or part.text.strip() for part in parts):
            messages.append(InputMessage(role, parts, message.id or None))
    return tuple(messages)


def _input_part(part: wire.SentPart, files: Files) -> TextPart | FilePart | None:
    match part.type:
        case "text":
            return TextPart(part.text) if part.text else None
        case "image" | "audio" | "video" | "document" | "binary":
            return _file(part, files)
        case _:
            return None


def _file(part: wire.SentPart, files: Files) -> FilePart:
    """A part's file; its type must be of the kind the part says."""
    source = part.source
    if part.type == "binary":
        return files.admit_content(part.data or "", media_type=part.mime_type or "", filename=part.filename)
    if source is None:
        raise BadRequest(f"a part of type {part.type!r} has no source; expected {{type, value, mimeType}}")
    if source.type == "data":
        found = files.admit_content(source.value, media_type=source.mime_type or "", filename=part.filename)
    elif source.type == "url":
        found = files.admit_url(source.value, media_type=source.mime_type, filename=part.filename)
    else:
        raise BadRequest("files must be sent inline: expected a source of type 'data', or a base64 data: URL")
    if family(found.media_type) != part.type:
        raise BadRequest(f"a file of type {found.media_type!r} is not accepted as {part.type!r}")
    return found


# The answers.


def _decisions(sent: wire.RunInput) -> tuple[Decision, ...]:
    """Answers to interrupts and front-end calls; one per target, the last wins."""
    resume = [sent.resume] if isinstance(sent.resume, wire.SentResume) else sent.resume or []
    found = [_resumed(entry) for entry in resume]
    found += [_answered(message) for message in _tool_messages_at_the_end(sent.messages or ()) if message.tool_call_id]
    return tuple({decision.target: decision for decision in found}.values())


def _resumed(entry: wire.SentResume) -> Decision:
    target = _id("interruptId", entry.interrupt_camel, entry.interrupt_snake)
    if target is None:
        raise BadRequest("a resume entry has no interruptId; expected {interruptId, status, payload}")
    payload = entry.payload if isinstance(entry.payload, wire.SentPayload) else wire.SentPayload()
    approved = entry.status == "resolved" and payload.approved is True
    edited = payload.edited_args if approved else None
    if edited is not None and not isinstance(edited, dict):
        raise BadRequest(f"'editedArgs' for the interrupt {target!r} are no object; expected the call's arguments")
    reason = payload.reason if isinstance(payload.reason, str) else None
    return Decision(target, approved=approved, reason=reason, arguments=edited)


def _tool_messages_at_the_end(messages: Sequence[wire.SentMessage]) -> list[wire.SentMessage]:
    """Tool messages no user message follows: text sent after an answer supersedes it."""
    tail: list[wire.SentMessage] = []
    for message in reversed(messages):
        if message.role == "tool":
            tail.append(message)
        elif message.role not in {"activity", "reasoning"}:
            break
    return tail[::-1]


def _answered(message: wire.SentMessage) -> Decision:
    text = "".join(part.text or "" for part in _parts(message))
    target = message.tool_call_id or ""
    if message.error:
        return Decision(target, output=message.error if isinstance(message.error, str) else text, failed=True)
    return Decision(target, output=_value(text))


def _value(text: str) -> JsonValue:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text


# What else comes along.


def _tools(tools: Sequence[wire.SentTool]) -> tuple[FrontendTool, ...]:
    offered: dict[str, FrontendTool] = {}
    for tool in tools:
        if not tool.name.strip():
            raise BadRequest("a tool has a blank name; expected {name, description, parameters}")
        if tool.execute in {None, "frontend"}:
            offered[tool.name] = FrontendTool(tool.name, tool.description or "", tool.parameters or NO_PARAMETERS)
    return tuple(offered.values())


def _context(context: list[wire.SentContext] | JsonObject | None, state: JsonValue) -> str | None:
    """Context entries as lines and state as JSON, in one text."""
    if isinstance(context, dict):
        lines = [f"Context: {_text(context)}"] if context else []
    else:
        lines = [f"{entry.description or 'Context'}: {_text(entry.value)}" for entry in context or ()]
    if state not in (None, {}, [], ""):
        lines.append(f"State: {_text(state)}")
    return "\n".join(lines) or None


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
