"""Parts of messages as ACP's content blocks."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from wakeful.contracts.json import JsonValue
from wakeful.contracts.message import DataPart, FilePart, InputPart, SourcePart, TextPart
from wakeful.protocols.acp import wire


def text(value: str) -> wire.TextContent:
    """Text."""
    return wire.TextContent(value)


def of_input(part: InputPart) -> wire.Block:
    """A part that a client, or an agent without a model, made."""
    match part:
        case TextPart(said):
            return text(said)
        case FilePart():
            return of_file(part)
        case DataPart(value, name):
            return of_data(value, name)


def of_file(part: FilePart) -> wire.Block:
    """A file: a picture, sound, an embedded resource, or a link."""
    name = part.filename or "file"
    head, comma, content = part.url.partition(",")
    if not (comma and head[:5].lower() == "data:" and head.lower().endswith(";base64")):
        return wire.ResourceLink(uri=part.url, name=name, mime_type=part.media_type)
    if part.media_type.startswith("image/"):
        return wire.OutImage(content, part.media_type)
    if part.media_type.startswith("audio/"):
        return wire.AudioContent(content, part.media_type)
    return wire.Resource(wire.Contents(uri=f"attachment:{name}", blob=content, mime_type=part.media_type))


def of_data(value: JsonValue, name: str) -> wire.Resource:
    """A JSON value."""
    return wire.Resource(
        wire.Contents(uri=f"data-part:{name or 'value'}", text=json_text(value), mime_type="application/json")
    )


def of_source(source: SourcePart) -> wire.ResourceLink | None:
    """A page as a link; a document without an address cannot be linked to."""
    if source.url is None:
        return None
    return wire.ResourceLink(
        uri=source.url,
        name=source.title or source.url,
        title=source.title,
        description=source.cited_text,
        mime_type=source.media_type,
    )


def plain(value: JsonValue) -> JsonValue:
    """A tool's output as JSON values; what a tool made as raw JSON is read first."""
    return msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else value


def json_text(value: JsonValue) -> str:
    """Text as it is, everything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def one_line(words: str, longest: int) -> str:
    """Words in one line of at most so many characters."""
    line = " ".join(words.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def said(parts: Sequence[object]) -> str:
    """The visible text among parts, in one string."""
    return " ".join(part.text for part in parts if isinstance(part, TextPart))
