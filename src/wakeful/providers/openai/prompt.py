"""Writes a `ModelRequest` as the body of `POST /chat/completions`."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from wakeful.contracts.json import JsonObject
from wakeful.contracts.message import FilePart, Message, TextPart, ToolCallPart, ToolResultPart
from wakeful.contracts.model import ModelRequest
from wakeful.contracts.model_errors import ModelRequestInvalid
from wakeful.contracts.tool import ToolSpec
from wakeful.providers.parts import is_data_url, result_text


def encode_prompt(request: ModelRequest, *, at_openai: bool) -> bytes:
    """The JSON body. OpenAI's own models want another name for the output limit than everybody else's."""
    body: JsonObject = {
        "model": request.model,
        "messages": [*_instructions(request), *(item for message in request.messages for item in _items(message))],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    settings = request.settings
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if settings.max_output_tokens is not None:
        body["max_completion_tokens" if at_openai else "max_tokens"] = settings.max_output_tokens
    if settings.temperature is not None:
        body["temperature"] = settings.temperature
    if settings.reasoning_effort is not None:
        body["reasoning_effort"] = settings.reasoning_effort
    return msgspec.json.encode(body)


def _instructions(request: ModelRequest) -> list[JsonObject]:
    return [{"role": "system", "content": request.instructions}] if request.instructions else []


def _items(message: Message) -> Iterator[JsonObject]:
    """A message as the vendor's messages: each tool result is one of its own; one that says nothing is left out."""
    for part in message.parts:
        if isinstance(part, ToolResultPart):
            yield {"role": "tool", "tool_call_id": part.call_id, "content": result_text(part.output)}
    if message.role == "assistant":
        yield from _assistant(message)
    elif message.role != "tool" and (content := _content(message)):
        yield {"role": "system" if message.role == "system" else "user", "content": content}


def _assistant(message: Message) -> Iterator[JsonObject]:
    item: JsonObject = {"role": "assistant"}
    if message.text:
        item["content"] = message.text
    if message.tool_calls:
        item["tool_calls"] = [_call(call) for call in message.tool_calls]
    if len(item) > 1:
        yield item


def _content(message: Message) -> str | list[JsonObject]:
    if not any(isinstance(part, FilePart) for part in message.parts):
        return message.text
    parts = [part for part in message.parts if isinstance(part, FilePart | TextPart)]
    return [_file(part) if isinstance(part, FilePart) else {"type": "text", "text": part.text} for part in parts]


def _file(part: FilePart) -> JsonObject:
    if part.media_type.startswith("image/"):
        return {"type": "image_url", "image_url": {"url": part.url}}
    if not is_data_url(part.url):
        raise ModelRequestInvalid(
            f"chat completions take a {part.media_type} file as a data: URL only, not as a link; send its content"
        )
    return {"type": "file", "file": {"filename": part.filename or "file", "file_data": part.url}}


def _call(call: ToolCallPart) -> JsonObject:
    return {"id": call.call_id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _tool(tool: ToolSpec) -> JsonObject:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}
