"""Builds the AI SDK values that take more than a constructor call."""

from __future__ import annotations

import msgspec

from wakeful.contracts.event import RetryScheduled, StepRestarted, StopReason, ToolProgressed
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.usage import Usage
from wakeful.protocols.ai_sdk import wire

FINISH_REASONS: dict[StopReason, wire.FinishReason] = {
    "answered": "stop",
    "stop_on_tool": "stop",
    "stop_on_text": "stop",
    "steered": "stop",
    "max_output": "length",
    "max_steps": "length",
    "max_tokens": "length",
    "max_seconds": "length",
    "max_cost": "length",
    "max_repeats": "length",
    "max_tool_errors": "other",  # given up, although nothing was used up and the run did not fail
    "content_filter": "content-filter",
}


def parse_input(arguments: str) -> JsonValue:
    """A call's arguments as a JSON value: `{}` for none, the text itself when it is not JSON."""
    if not arguments.strip():
        return {}
    try:
        return msgspec.json.decode(arguments)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return arguments


def error_text(output: JsonValue) -> str:
    """What a failed call left, as text for a person."""
    text = output if isinstance(output, str) else msgspec.json.encode(output).decode()
    return text or "The tool failed."


def usage(tokens: Usage) -> wire.UsageMetadata:
    """A run's tokens."""
    return wire.UsageMetadata(
        tokens.input_tokens,
        tokens.output_tokens,
        tokens.total_tokens,
        tokens.reasoning_tokens,
        tokens.cached_input_tokens,
    )


def progress(event: ToolProgressed) -> JsonObject:
    """The data of `data-activity`: {toolName, message?, progress?, total?}."""
    data = {"toolName": event.name, "message": event.message, "progress": event.progress, "total": event.total}
    return {key: value for key, value in data.items() if value is not None}


def retry(event: RetryScheduled) -> JsonObject:
    """The data of `data-retry`: {target, attempt, delayMs, code, message}; `target` is `model_call` or `run`."""
    error = event.error
    return {
        "target": event.target,
        "attempt": event.attempt,
        "delayMs": event.delay_ms,
        "code": error.code,
        "message": error.message,
    }


def restart(event: StepRestarted) -> JsonObject:
    """The data of `data-step-restarted`: {step, messageId, reason}."""
    return {"step": event.step, "messageId": event.message_id, "reason": event.reason}
