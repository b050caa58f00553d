"""What a server answered, as the result of a call: text or JSON for the model, files for the user."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from wakeful.contracts.errors import ToolError
from wakeful.contracts.json import JsonValue
from wakeful.contracts.tool import ToolContext

if TYPE_CHECKING:
    from mcp.types import CallToolResult, ContentBlock

MEDIA_TYPE = re.compile(r"[a-zA-Z0-9.+-]{1,64}/[a-zA-Z0-9.+-]{1,64}")


def result_of(answer: CallToolResult, context: ToolContext) -> JsonValue:
    """`structuredContent` where there is one, else the text (MCP 2026-07-28, "Tool result").

    Images, sounds and binary resources become files of the answer. Raises `ToolError` for an `isError` result.
    """
    text = "\n\n".join(_told(block, context, attach=not answer.is_error) for block in answer.content)
    if answer.is_error:
        raise ToolError(text or "The tool failed and did not say why.")
    return text if answer.structured_content is None else answer.structured_content


def _told(block: ContentBlock, context: ToolContext, *, attach: bool) -> str:
    match block.type:
        case "text":
            return block.text
        case "resource_link":
            return f"{block.title or block.name}: {block.uri}"
        case "image" | "audio":
            return _attached(block.data, block.mime_type, None, context) if attach else f"[{block.type}]"
        case "resource":
            resource = block.resource
            text = getattr(resource, "text", None)
            if isinstance(text, str):
                return text
            blob = str(getattr(resource, "blob", ""))
            name = str(resource.uri).rstrip("/").rpartition("/")[2][:200] or None
            media_type = resource.mime_type or "application/octet-stream"
            return _attached(blob, media_type, name, context) if attach else f"[{resource.uri}]"


def _attached(data: str, media_type: str, filename: str | None, context: ToolContext) -> str:
    """Hand a file to the user; the returned words tell the model what became of it."""
    if not MEDIA_TYPE.fullmatch(media_type):
        return "[A file was left out: its media type is none.]"
    try:
        base64.b64decode(data, validate=True)
        context.attach(f"data:{media_type};base64,{data}", media_type=media_type, filename=filename)
    except binascii.Error:
        return f"[A file of type {media_type} was left out: it is not base64.]"
    except ToolError as refusal:
        return f"[A file of type {media_type} was left out: {refusal.message}.]"
    return f"[The user sees a file of type {media_type}.]"
