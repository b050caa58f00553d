"""Writes a `ModelRequest` as the body of `POST /responses`."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from wakeful.contracts.json import JsonObject
from wakeful.contracts.message import (
    FilePart,
    Message,
    MessagePart,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from wakeful.contracts.model import ModelRequest
from wakeful.contracts.model_errors import ModelRequestInvalid
from wakeful.contracts.tool import ToolSpec
from wakeful.providers.parts import is_data_url, result_text

# OpenAI refuses to include encrypted reasoning for models that have none; these families are closed.
_WITHOUT_REASONING = ("gpt-3", "gpt-4", "chatgpt-4")


def encode_prompt(request: ModelRequest, *, provider: str) -> bytes:
    """The JSON body. `provider` is whose reasoning goes back."""
    body: JsonObject = {
        "model": request.model,
        "input": [item for message in request.messages for item in _items(message, provider)],
        "stream": True,
        "store": False,
    }
    settings = request.settings
    if request.instructions:
        body["instructions"] = request.instructions
    if not request.model.startswith(_WITHOUT_REASONING):
        body["include"] = ["reasoning.encrypted_content"]
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if settings.max_output_tokens is not None:
        body["max_output_tokens"] = settings.max_output_tokens
    if settings.temperature is not None:
        body["temperature"] = settings.temperature
    if settings.reasoning_effort is not None:
        body["reasoning"] = {"effort": settings.reasoning_effort, "summary": "auto"}
    return msgspec.json.encode(body)


def _items(message: Message, provider: str) -> Iterator[JsonObject]:
    """A message as input items: what was said, one item per call, result and reasoning."""
    if message.role == "assistant":
        for position, part in enumerate(message.parts):
            yield from _assistant(part, message.parts[position + 1 :], provider)
        return
    for part in message.parts:
        if isinstance(part, ToolResultPart):
            yield {"type": "function_call_output", "call_id": part.call_id, "output": result_text(part.output)}
    if message.role == "tool":
        return
    if content := [_content(part) for part in message.parts if isinstance(part, TextPart | FilePart)]:
        yield {"type": "message", "role": "system" if message.role == "system" else "user", "content": content}


def _assistant(part: MessagePart, rest: tuple[MessagePart, ...], provider: str) -> Iterator[JsonObject]:
    match part:
        case TextPart(text=text) if text:
            yield {"type": "message", "role": "assistant", "content": text}
        case ToolCallPart():
            yield {
                "type": "function_call",
                "call_id": part.call_id,
                "name": part.name,
                "arguments": part.arguments,
            }
        case ReasoningPart(encrypted=str()) if part.provider == provider and _leads_somewhere(rest):
            yield _reasoning(part)
        case _:
            pass


def _leads_somewhere(rest: tuple[MessagePart, ...]) -> bool:
    """Reasoning is refused without the text or call it led to, as in a reply that was cut off."""
    return any(isinstance(part, ToolCallPart) or (isinstance(part, TextPart) and part.text) for part in rest)


def _reasoning(part: ReasoningPart) -> JsonObject:
    item: JsonObject = {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": part.text}] if part.text else [],
        "encrypted_content": part.encrypted,
    }
    return {**item, "id": part.item_id} if part.item_id else item


def _content(part: TextPart | FilePart) -> JsonObject:
    if isinstance(part, TextPart):
        return {"type": "input_text", "text": part.text}
    if part.media_type.startswith("image/"):
        return {"type": "input_image", "image_url": part.url, "detail": "auto"}
    if is_data_url(part.url):
        return {"type": "input_file", "filename": part.filename or "file", "file_data": part.url}
    if part.media_type.startswith(("audio/", "video/")):
        raise ModelRequestInvalid(
            f"responses take links to images and documents; found one to a {part.media_type} file"
        )
    return {"type": "input_file", "file_url": part.url}


def _tool(tool: ToolSpec) -> JsonObject:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "strict": False,
    }
