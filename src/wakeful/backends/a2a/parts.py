"""Parts of what the other side says, as parts and chunks of ours."""

from __future__ import annotations

import re
from typing import cast
from urllib.parse import urlsplit

from msgspec import UNSET

from wakeful.backends.a2a.incoming import Part
from wakeful.contracts.backend import BackendChunk
from wakeful.contracts.event import DataEmitted, FileGenerated, TextDelta
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.message import DataPart, FilePart, InputPart, TextPart

LONGEST_NAME = 255
LONGEST_URL = 8_000
EXACT = 2**53
UNKNOWN_TYPE = "application/octet-stream"
MEDIA_TYPE = re.compile(r"[\w.+-]{1,100}/[\w.+*-]{1,100}")


def content_of(part: Part) -> InputPart | None:
    """A part as ours; None for one that is empty, or a link to something that is not http(s)."""
    if isinstance(part.text, str):
        return TextPart(part.text)
    if part.data is not UNSET:
        name = (part.metadata or {}).get("name")
        return DataPart(_tidy(part.data), name[:LONGEST_NAME] if isinstance(name, str) else "")
    media_type = part.media_type if MEDIA_TYPE.fullmatch(part.media_type) else UNKNOWN_TYPE
    filename = part.filename[:LONGEST_NAME] or None
    if isinstance(part.raw, str):
        return FilePart(media_type, f"data:{media_type};base64,{part.raw}", filename)
    if isinstance(part.url, str) and len(part.url) <= LONGEST_URL and urlsplit(part.url).scheme in ("http", "https"):
        return FilePart(media_type, part.url, filename)
    return None


def chunk_of(part: Part) -> BackendChunk | None:
    """A part of the reply as a chunk; None for one that cannot be shown."""
    match content_of(part):
        case TextPart(text):
            return TextDelta(text) if text else None
        case DataPart(data, name):
            return DataEmitted(data, name)
        case FilePart() as file:
            return FileGenerated(file)
        case None:
            return None


def _tidy(value: JsonValue) -> JsonValue:
    """The same with whole numbers as such: the protocol's own types know only floating ones."""
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return int(value)
    if isinstance(value, dict):
        return {name: _tidy(found) for name, found in cast("JsonObject", value).items()}
    if isinstance(value, list):
        return [_tidy(found) for found in cast("list[JsonValue]", value)]
    return value
