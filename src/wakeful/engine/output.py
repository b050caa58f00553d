"""Bounds what a tool says: a long output is cut, and says so."""

from __future__ import annotations

import msgspec

from wakeful.contracts.json import JsonValue

NOTICE_BYTES = 128
"""What is shown of a long output leaves this much free for the notice."""


def bounded_output(output: JsonValue, limit: int) -> JsonValue:
    """The output itself when it has at most `limit` bytes as text or as JSON, else its beginning with a notice.

    Nothing long is decoded. Raises `TypeError`, `ValueError` or `msgspec.MsgspecError` when it is not JSON.
    """
    if isinstance(output, str):
        text = output.encode()
        return output if len(text) <= limit else _cut(text, limit)
    encoded = msgspec.json.encode(output)
    return msgspec.json.decode(encoded) if len(encoded) <= limit else _cut(encoded, limit)


def bounded_text(text: str, limit: int) -> str:
    """The text, bounded likewise; what is not Unicode becomes `?`."""
    encoded = text.encode(errors="replace")
    return encoded.decode() if len(encoded) <= limit else _cut(encoded, limit)


def _cut(encoded: bytes, limit: int) -> str:
    beginning = encoded[: limit - NOTICE_BYTES].decode(errors="ignore")  # a character cut in two is left out
    size = len(beginning.encode())
    return f"{beginning}\n\n[Cut off: these are the first {size} of {len(encoded)} bytes.]"
