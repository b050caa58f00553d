"""Files a model made, on every wire: inline, small enough to store, of a known kind; anything else is left out."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping

from wakeful.contracts.event import FileGenerated
from wakeful.contracts.message import FilePart

MAX_BYTES = 8 * 1024 * 1024
IMAGE_TYPES: Mapping[str, str] = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "svg": "image/svg+xml",
}


def generated_file(media_type: str | None, content: str | None) -> Iterator[FileGenerated]:
    """The file with this base64 `content`, as a `data:` URL (RFC 2397)."""
    if media_type and content and _is_sound(content):
        yield FileGenerated(FilePart(media_type, f"data:{media_type};base64,{content}"))


def _is_sound(content: str) -> bool:
    try:
        return len(b64decode(content, validate=True)) <= MAX_BYTES
    except (Base64Error, ValueError):
        return False
