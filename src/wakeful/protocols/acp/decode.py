"""Reads what a client sends. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from wakeful.contracts.errors import BadRequest
from wakeful.contracts.message import FilePart, TextPart
from wakeful.contracts.request import InputMessage
from wakeful.protocols.acp import requests, wire
from wakeful.protocols.acp.calls import is_absolute
from wakeful.server.files import Files

S = TypeVar("S")
_capabilities = msgspec.json.Decoder(requests.ClientCapabilities)


def params(given: msgspec.Raw, shape: type[S]) -> S:
    """The parameters of a method; raises `BadRequest` saying which member is wrong."""
    try:
        found = bytes(given)
        return msgspec.json.decode(b"{}" if found == b"null" else found, type=shape)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadRequest(f"the parameters cannot be read: {error}") from None


def capabilities(given: msgspec.Raw) -> requests.ClientCapabilities:
    """What the client can do; what cannot be read counts as absent (schema: default on error)."""
    try:
        return _capabilities.decode(given)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return requests.ClientCapabilities()


def folder(cwd: str) -> str:
    """The folder of a session; raises `BadRequest` unless it is absolute."""
    if not is_absolute(cwd):
        raise BadRequest(f"expected cwd to be an absolute path, found {cwd!r}")
    return cwd


def message(blocks: Sequence[wire.SentBlock], files: Files) -> InputMessage:
    """A prompt as a message; raises `BadRequest` when nothing in it can be used."""
    parts = tuple(part for block in blocks if (part := _part(block, files)) is not None)
    if not any(isinstance(part, FilePart) or part.text.strip() for part in parts):
        raise BadRequest("the prompt is empty: expected text, an image, audio, a resource or a link to one")
    return InputMessage("user", parts)


def _part(block: wire.SentBlock, files: Files) -> TextPart | FilePart | None:
    match block:
        case wire.TextContent(text):
            return TextPart(text) if text else None
        case wire.ImageContent(mime_type, data, uri):
            if data or not uri:
                return files.admit_content(data, media_type=mime_type, filename=None)
            return files.admit_url(uri, media_type=mime_type, filename=None)
        case wire.AudioContent(data, mime_type):
            return files.admit_content(data, media_type=mime_type, filename=None)
        case wire.ResourceLink(uri, name):
            shown = f"[{block.title or name}]({uri})"
            return TextPart(f"{shown}: {block.description}" if block.description else shown)
        case wire.Resource(found):
            return _resource(found, files)


def _resource(found: wire.Contents, files: Files) -> TextPart | FilePart:
    if found.text is not None:
        return TextPart(f"\n<resource uri={msgspec.json.encode(found.uri).decode()}>\n{found.text}\n</resource>\n")
    name = found.uri.rstrip("/").rpartition("/")[2] or None
    media_type = found.mime_type or "application/octet-stream"
    return files.admit_content(found.blob or "", media_type=media_type, filename=name)
