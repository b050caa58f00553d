"""Reads the new turn of a run's input: what was said, and the files that came with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from wakeful.contracts.errors import BadRequest
from wakeful.contracts.message import FilePart, TextPart
from wakeful.contracts.request import InputMessage
from wakeful.protocols.ag_ui.sent import SentMessage, SentPart, SentSource
from wakeful.server.files import Files, family

SPOKEN: dict[str, Literal["user", "system"]] = {"user": "user", "system": "system", "developer": "system"}
ROLES = ("developer", "system", "user", "assistant", "tool", "activity", "reasoning")
PARTS = ("text", "image", "audio", "video", "document")

_content: msgspec.json.Decoder[str | list[str | SentPart] | None] = msgspec.json.Decoder(
    str | list[str | SentPart] | None
)


def new_turn(messages: Sequence[SentMessage], files: Files) -> tuple[InputMessage, ...]:
    """The user, system and developer messages after the last assistant message. Raises `BadRequest`.

    A role nobody knows is refused wherever it stands, a part nobody knows and an id used twice in the new turn.
    """
    for message in messages:
        if message.role not in ROLES:
            raise BadRequest(f"expected a message's role to be one of {', '.join(ROLES)}; found {message.role!r}")
    turn: list[InputMessage] = []
    for message in after_the_last_answer(messages):
        role = SPOKEN.get(message.role)
        if role is None:
            continue
        parts = tuple(part for sent in parts_of(message) if (part := _input_part(sent, files)) is not None)
        if any(isinstance(part, FilePart) or part.text.strip() for part in parts):
            turn.append(InputMessage(role, parts, message.id or None))
    given = [message.id for message in turn if message.id is not None]
    if len(set(given)) < len(given):
        raise BadRequest(
            "expected each new message to have an id of its own; found one id twice: leave it out or change it"
        )
    return tuple(turn)


def parts_of(message: SentMessage) -> Iterator[SentPart]:
    """The parts of a message; plain text is one. Raises `BadRequest`."""
    try:
        content = _content.decode(message.content) or []
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadRequest(f"the content of a {message.role} message cannot be read: {error}") from None
    for part in [content] if isinstance(content, str) else content:
        yield SentPart("text", text=part) if isinstance(part, str) else part


def after_the_last_answer(messages: Sequence[SentMessage]) -> list[SentMessage]:
    """The messages that the last assistant message does not know of."""
    turn: list[SentMessage] = []
    for message in reversed(messages):
        if message.role == "assistant":
            break
        turn.append(message)
    return turn[::-1]


def _input_part(part: SentPart, files: Files) -> TextPart | FilePart | None:
    match part.type:
        case "text":
            return TextPart(part.text) if part.text else None
        case "image" | "audio" | "video" | "document" | "binary":
            return _file(part, files)
        case _:
            raise BadRequest(f"expected a part of type {', '.join(PARTS)}; found {part.type!r}")


def _file(part: SentPart, files: Files) -> FilePart:
    """A part's file; its type must be of the kind the part says."""
    source = part.source
    if part.type == "binary":
        return files.admit_content(part.data or "", media_type=part.mime_type or "", filename=part.filename)
    if source is None:
        raise BadRequest(f"a part of type {part.type!r} has no source; expected {{type, value, mimeType}}")
    if source.type == "data":
        found = files.admit_content(source.value, media_type=source.mime_type or "", filename=part.filename)
    elif source.type == "url":
        found = files.admit_url(source.value, media_type=_declared(part.type, source), filename=part.filename)
    else:
        raise BadRequest("files must be sent inline: expected a source of type 'data', or a base64 data: URL")
    if family(found.media_type) != part.type:
        raise BadRequest(f"a file of type {found.media_type!r} is not accepted as {part.type!r}")
    return found


def _declared(kind: str, source: SentSource) -> str | None:
    """The type a file at a URL is said to have: at least a linked one is of its part's family."""
    linked = source.value[:6].lower() == "https:"
    return source.mime_type or (f"{kind}/*" if linked and kind != "document" else None)
