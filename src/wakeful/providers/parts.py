"""What parts of our messages become on more than one wire: `data:` URLs (RFC 2397) and tool results as text."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import unquote_to_bytes

import msgspec

from wakeful.contracts.json import JsonValue
from wakeful.contracts.model_errors import ModelRequestInvalid


def is_data_url(url: str) -> bool:
    """Whether the URL carries its content itself."""
    return url[:5].lower() == "data:"


def base64_of(url: str) -> str:
    """The content of a `data:` URL as base64 text. Raises `ModelRequestInvalid` when the URL has no comma."""
    head, comma, content = url.partition(",")
    if not comma:
        raise ModelRequestInvalid("a file has a broken data: URL; expected data:<media type>;base64,<content>")
    if head.lower().endswith(";base64"):
        return content
    return b64encode(unquote_to_bytes(content)).decode("ascii")


def result_text(output: JsonValue) -> str:
    """A tool's output as the text a model reads: texts as they are, other values as JSON."""
    return output if isinstance(output, str) else msgspec.json.encode(output).decode()
