"""Writes a `ModelRequest` as pydantic-ai messages, settings and parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic_ai import messages as theirs
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from wakeful.contracts.message import (
    FilePart,
    Message,
    MessagePart,
    ReasoningPart,
    ResultStatus,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from wakeful.contracts.model import ModelRequest
from wakeful.contracts.model_errors import ModelRequestInvalid
from wakeful.contracts.spec import ReasoningEffort
from wakeful.providers.parts import is_data_url


def messages_of(request: ModelRequest, *, provider: str) -> list[theirs.ModelMessage]:
    """The conversation: neighbours of one side are one message; the instructions stand on the last request."""
    turns: list[theirs.ModelMessage] = []
    asked: list[theirs.ModelRequestPart] = []
    for message in request.messages:
        if message.role != "assistant":
            asked += _asked(message)
            continue
        if parts := [part for ours in message.parts for part in _said(ours, provider)]:
            if asked:
                turns.append(theirs.ModelRequest(parts=asked))
            turns.append(theirs.ModelResponse(parts=parts))
            asked = []
    turns.append(theirs.ModelRequest(parts=asked, instructions=request.instructions or None))
    return turns


def settings_of(request: ModelRequest, model: Model) -> ModelSettings:
    """The knobs, and no retries inside the vendor's SDK where it can be told so."""
    settings = ModelSettings()
    if request.settings.max_output_tokens is not None:
        settings["max_tokens"] = request.settings.max_output_tokens
    if request.settings.temperature is not None:
        settings["temperature"] = request.settings.temperature
    if request.settings.reasoning_effort is not None:
        settings["thinking"] = _thinking(request.settings.reasoning_effort)
    if "max_retries" not in model.unsupported_settings:
        settings["max_retries"] = 0
    return settings


def parameters_of(request: ModelRequest) -> ModelRequestParameters:
    """The tools."""
    return ModelRequestParameters(
        function_tools=[
            ToolDefinition(name=tool.name, description=tool.description, parameters_json_schema=tool.parameters)
            for tool in request.tools
        ]
    )


def _thinking(effort: ReasoningEffort) -> Literal["minimal", "low", "medium", "high"] | Literal[False]:
    return False if effort == "none" else effort


def _asked(message: Message) -> Iterator[theirs.ModelRequestPart]:
    for part in message.parts:
        if isinstance(part, ToolResultPart):
            yield theirs.ToolReturnPart(part.name, part.output, part.call_id, outcome=_outcome(part.status))
    if message.role == "tool":
        return
    content = [_content(part) for part in message.parts if isinstance(part, TextPart | FilePart)]
    if not content:
        return
    if message.role == "system":
        yield theirs.SystemPromptPart(message.text)
    else:
        yield theirs.UserPromptPart(message.text if all(isinstance(item, str) for item in content) else content)


def _outcome(status: ResultStatus) -> Literal["success", "failed", "denied", "interrupted"]:
    match status:
        case "succeeded":
            return "success"
        case "cancelled":
            return "interrupted"
        case "failed" | "denied":
            return status


def _content(part: TextPart | FilePart) -> theirs.UserContent:
    if isinstance(part, TextPart):
        return part.text
    if is_data_url(part.url):
        try:
            return theirs.BinaryContent.from_data_uri(part.url)
        except ValueError as error:
            raise ModelRequestInvalid(f"a file cannot be sent: {error}") from error
    kind = part.media_type.partition("/")[0]
    link = {"image": theirs.ImageUrl, "audio": theirs.AudioUrl, "video": theirs.VideoUrl}.get(kind, theirs.DocumentUrl)
    return link(part.url, media_type=part.media_type)


def _said(part: MessagePart, provider: str) -> Iterator[theirs.ModelResponsePart]:
    match part:
        case TextPart(text=text) if text:
            yield theirs.TextPart(text)
        case ToolCallPart():
            yield theirs.ToolCallPart(part.name, part.arguments, part.call_id)
        case ReasoningPart(signature=str()) if part.provider == provider:
            vendor, _, item_id = (part.item_id or "").partition(":")
            yield theirs.ThinkingPart(
                part.text, id=item_id or None, signature=part.signature, provider_name=vendor or None
            )
        case _:
            pass
