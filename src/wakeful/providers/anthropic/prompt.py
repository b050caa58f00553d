"""Writes a `ModelRequest` as the body of `POST /v1/messages`."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import msgspec

from wakeful.contracts.json import JsonObject
from wakeful.contracts.message import (
    ArtifactPart,
    DataPart,
    FilePart,
    Message,
    MessagePart,
    ReasoningPart,
    SourcePart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from wakeful.contracts.model import ModelRequest
from wakeful.contracts.model_errors import ModelRequestInvalid
from wakeful.contracts.tool import ToolSpec
from wakeful.providers.anthropic.thinking import adapts, room_for_both, thinking
from wakeful.providers.parts import base64_of, is_data_url, result_text

DEFAULT_MAX_TOKENS = 8192
_THINKING = frozenset({"thinking", "redacted_thinking"})


def encode_prompt(request: ModelRequest, *, provider: str) -> bytes:
    """The JSON body. `provider` is whose reasoning goes back."""
    settings = request.settings
    messages = _messages(request, provider)
    body: JsonObject = {
        "model": request.model,
        "messages": messages,
        "max_tokens": settings.max_output_tokens or DEFAULT_MAX_TOKENS,
        "stream": True,
    }
    if system := _system(request):
        body["system"] = system
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    thoughts = thinking(request.model, settings.reasoning_effort)
    if thoughts and (adapts(request.model) or not _answers_calls_made_without_thinking(messages)):
        body |= thoughts
        body["max_tokens"] = room_for_both(body["max_tokens"], settings.reasoning_effort)
    elif settings.temperature is not None:
        body["temperature"] = min(settings.temperature, 1.0)
    return msgspec.json.encode(body)


def _system(request: ModelRequest) -> str:
    """The wire has one place for instructions, so system messages join the agent's own."""
    said = [request.instructions, *(message.text for message in request.messages if message.role == "system")]
    return "\n\n".join(text for text in said if text)


def _messages(request: ModelRequest, provider: str) -> list[JsonObject]:
    """The turns, strictly alternating: neighbours of one side are one message, tool results first."""
    turns: list[JsonObject] = []
    for message in request.messages:
        blocks = [] if message.role == "system" else list(_blocks(message, provider))
        role = "assistant" if message.role == "assistant" else "user"
        if blocks and turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        elif blocks:
            turns.append({"role": role, "content": blocks})
    return turns


def _answers_calls_made_without_thinking(messages: list[JsonObject]) -> bool:
    """Within one tool turn a model with a budget cannot begin to think: the turn would have to begin with a thought."""
    types: list[str] = []
    for message in messages:
        if message["role"] == "assistant":
            types = [block["type"] for block in message["content"]]
    return "tool_use" in types and types[0] not in _THINKING


def _blocks(message: Message, provider: str) -> Iterator[JsonObject]:
    for part in message.parts:
        if isinstance(part, FilePart) and message.role != "user":
            continue
        if (block := _block(part, provider)) is not None:
            yield block


def _block(part: MessagePart, provider: str) -> JsonObject | None:
    match part:
        case TextPart():
            return {"type": "text", "text": part.text} if part.text.strip() else None
        case ToolCallPart():
            return {"type": "tool_use", "id": part.call_id, "name": part.name, "input": _input(part.arguments)}
        case ToolResultPart():
            return _result(part)
        case ReasoningPart():
            return _thinking(part) if part.provider == provider else None
        case FilePart():
            return _file(part)
        case SourcePart() | DataPart() | ArtifactPart():
            return None


def _thinking(part: ReasoningPart) -> JsonObject | None:
    if part.signature:
        return {"type": "thinking", "thinking": part.text, "signature": part.signature}
    if part.encrypted:
        return {"type": "redacted_thinking", "data": part.encrypted}
    return None


def _input(arguments: str) -> JsonObject:
    """The arguments as an object; text that is none is shown to the model as it wrote it."""
    try:
        return msgspec.json.decode(arguments, type=dict[str, Any])
    except msgspec.DecodeError:
        return {"malformed_arguments": arguments} if arguments else {}


def _result(part: ToolResultPart) -> JsonObject:
    block: JsonObject = {"type": "tool_result", "tool_use_id": part.call_id, "content": result_text(part.output)}
    return block if part.status == "succeeded" else {**block, "is_error": True}


def _file(part: FilePart) -> JsonObject:
    if part.media_type.startswith("image/"):
        return {"type": "image", "source": _source(part)}
    if part.media_type == "application/pdf":
        return _document(part, _source(part))
    if part.media_type.startswith("text/") and is_data_url(part.url):
        text = b64decode(base64_of(part.url)).decode("utf-8", "replace")
        return _document(part, {"type": "text", "media_type": "text/plain", "data": text})
    raise ModelRequestInvalid(
        f"Anthropic models read images, PDFs, and texts sent as data: URLs; found a {part.media_type} file"
    )


def _document(part: FilePart, source: JsonObject) -> JsonObject:
    """A document the answer may cite; its name is what the citation calls it."""
    block: JsonObject = {"type": "document", "source": source, "citations": {"enabled": True}}
    return {**block, "title": part.filename} if part.filename else block


def _source(part: FilePart) -> JsonObject:
    if is_data_url(part.url):
        return {"type": "base64", "media_type": part.media_type, "data": base64_of(part.url)}
    return {"type": "url", "url": part.url}


def _tool(tool: ToolSpec) -> JsonObject:
    return {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
