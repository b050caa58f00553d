"""The shapes of AG-UI 1.0: the run's input, the events and the messages.

Source: AG-UI specification 1.0, `schema.json`. Requests are read tolerantly, unknown keys are ignored. Absent
optional fields are left out: clients die on an explicit null.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from wakeful.contracts.json import JsonObject, JsonValue

PROTOCOL_VERSION = "1.0"

# What a client sends.


class SentMessage(msgspec.Struct, frozen=True):
    """One message of the input. Content stays undecoded: most of it is history, which lives on the server."""

    role: str
    id: str | None = None
    content: msgspec.Raw = msgspec.Raw(b"null")
    tool_call_id: str | None = msgspec.field(default=None, name="toolCallId")
    error: JsonValue = None


class SentSource(msgspec.Struct, frozen=True, rename="camel"):
    """Where a part's content is: `data` (base64 in `value`) or `url`."""

    type: str
    value: str = ""
    mime_type: str | None = None


class SentPart(msgspec.Struct, frozen=True, rename="camel"):
    """A part of a message; `mime_type` and `data` belong to the older `binary` parts."""

    type: str
    text: str | None = None
    source: SentSource | None = None
    mime_type: str | None = None
    data: str | None = None
    filename: str | None = None


class SentTool(msgspec.Struct, frozen=True):
    """A tool the client offers; `execute: "backend"` names one that is not the client's."""

    name: str
    description: str | None = None
    parameters: JsonObject | None = None
    execute: str | None = None


class SentPayload(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to an approval; `edited_args` are the arguments to run with instead of the model's."""

    approved: JsonValue = None
    reason: JsonValue = None
    edited_args: JsonObject | list[msgspec.Raw] | str | float | bool | None = None


class SentResume(msgspec.Struct, frozen=True):
    """The answer to one interrupt; loose because whatever is not resolved with `approved: true` refuses."""

    interrupt_camel: str | None = msgspec.field(default=None, name="interruptId")
    interrupt_snake: str | None = msgspec.field(default=None, name="interrupt_id")
    status: JsonValue = None
    payload: SentPayload | list[msgspec.Raw] | str | float | bool | None = None


class SentContext(msgspec.Struct, frozen=True):
    """A fact about the client's surroundings."""

    description: str | None = None
    value: JsonValue = None


class RunInput(msgspec.Struct, frozen=True):
    """`RunAgentInput`. Both spellings of the ids are read; `resume` may be one answer or a list of them."""

    thread_camel: str | None = msgspec.field(default=None, name="threadId")
    thread_snake: str | None = msgspec.field(default=None, name="thread_id")
    run_camel: str | None = msgspec.field(default=None, name="runId")
    run_snake: str | None = msgspec.field(default=None, name="run_id")
    agent_camel: str | None = msgspec.field(default=None, name="agentId")
    agent_snake: str | None = msgspec.field(default=None, name="agent_id")
    parent_run_id: str | None = msgspec.field(default=None, name="parentRunId")
    protocol_version: str | None = msgspec.field(default=None, name="protocolVersion")
    messages: list[SentMessage] | None = None
    tools: list[SentTool] | None = None
    context: list[SentContext] | JsonObject | None = None
    state: JsonValue = None
    resume: list[SentResume] | SentResume | None = None


# What a client is sent.


class Event(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel", tag_field="type", kw_only=True):
    """One event of the stream; `timestamp` is milliseconds since the epoch."""

    timestamp: int


class TokenUsage(msgspec.Struct, frozen=True, rename="camel"):
    """Tokens of one provider's model; the parts are included in the totals."""

    provider: str
    model: str
    input_tokens: int
    output_tokens: int
    total_tokens: int
    reasoning_tokens: int
    cached_input_tokens: int
    cache_write_input_tokens: int


class Interrupt(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A question that ended the run; `expires_at` is ISO 8601."""

    id: str
    reason: str
    response_schema: JsonObject
    message: str | None = None
    tool_call_id: str | None = None
    expires_at: str | None = None


class SuccessOutcome(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel", tag="success", tag_field="type"):
    """The run did what it could; front-end calls wait for the client."""

    pending_tool_call_ids: list[str] | None = None


class InterruptOutcome(msgspec.Struct, frozen=True, tag="interrupt", tag_field="type"):
    """The run waits for answers."""

    interrupts: list[Interrupt]


class CancelledOutcome(msgspec.Struct, frozen=True, tag="cancelled", tag_field="type"):
    """The run was stopped, by a caller or by a limit."""


Outcome = SuccessOutcome | InterruptOutcome | CancelledOutcome


class RunStarted(Event, frozen=True, tag="RUN_STARTED"):
    """The first event."""

    thread_id: str
    run_id: str
    protocol_version: str


class RunFinished(Event, frozen=True, tag="RUN_FINISHED"):
    """The last event of a run that did not fail; `result` says why it ended: {stopReason}, absent while it waits."""

    thread_id: str
    run_id: str
    result: JsonObject | None = None
    outcome: Outcome | None = None
    usage: list[TokenUsage] | None = None


class RunError(Event, frozen=True, tag="RUN_ERROR"):
    """The last event of a run that failed."""

    message: str
    code: str
    usage: list[TokenUsage] | None = None


class StepStarted(Event, frozen=True, tag="STEP_STARTED"):
    """A step begins."""

    step_name: str


class StepFinished(Event, frozen=True, tag="STEP_FINISHED"):
    """A step ends."""

    step_name: str


class TextMessageStart(Event, frozen=True, tag="TEXT_MESSAGE_START"):
    """A text message opens."""

    message_id: str
    role: Literal["assistant"]


class TextMessageEnd(Event, frozen=True, tag="TEXT_MESSAGE_END"):
    """A text message closes."""

    message_id: str


class ReasoningStart(Event, frozen=True, tag="REASONING_START"):
    """A reasoning span opens."""

    message_id: str


class ReasoningEnd(Event, frozen=True, tag="REASONING_END"):
    """A reasoning span closes."""

    message_id: str


class ReasoningMessageStart(Event, frozen=True, tag="REASONING_MESSAGE_START"):
    """Visible reasoning opens."""

    message_id: str
    role: Literal["reasoning"]


class ReasoningMessageEnd(Event, frozen=True, tag="REASONING_MESSAGE_END"):
    """Visible reasoning closes."""

    message_id: str


class ReasoningEncryptedValue(Event, frozen=True, tag="REASONING_ENCRYPTED_VALUE"):
    """A vendor's cipher of hidden reasoning, belonging to message `entity_id`."""

    subtype: Literal["message"]
    entity_id: str
    encrypted_value: str


class ToolCallStart(Event, frozen=True, tag="TOOL_CALL_START"):
    """The model begins to write a call."""

    tool_call_id: str
    tool_call_name: str
    parent_message_id: str


class ToolCallArgs(Event, frozen=True, tag="TOOL_CALL_ARGS"):
    """More of a call's arguments."""

    tool_call_id: str
    delta: str


class ToolCallEnd(Event, frozen=True, tag="TOOL_CALL_END"):
    """A call's arguments are complete."""

    tool_call_id: str


class ToolCallResult(Event, frozen=True, tag="TOOL_CALL_RESULT"):
    """A call's result, as the tool message `message_id`."""

    message_id: str
    tool_call_id: str
    content: str
    role: Literal["tool"]


class ActivitySnapshot(Event, frozen=True, tag="ACTIVITY_SNAPSHOT"):
    """Structured progress."""

    message_id: str
    activity_type: str
    content: JsonObject
    replace: bool


class Custom(Event, frozen=True, tag="CUSTOM"):
    """Something of our own."""

    name: str
    value: JsonObject


# What a client is given as history.


class FunctionCall(msgspec.Struct, frozen=True):
    """Which tool, and the arguments as JSON text."""

    name: str
    arguments: str


class ToolCall(msgspec.Struct, frozen=True):
    """A call in an assistant message."""

    id: str
    function: FunctionCall
    type: Literal["function"] = "function"


class TextContent(msgspec.Struct, frozen=True, tag="text", tag_field="type"):
    """Text of a user message."""

    text: str


class Source(msgspec.Struct, frozen=True, rename="camel"):
    """Base64 content (`data`) or an address (`url`)."""

    type: Literal["data", "url"]
    value: str
    mime_type: str


class MediaContent(msgspec.Struct, frozen=True):
    """A file of a user message."""

    type: Literal["image", "audio", "video", "document"]
    source: Source


class InputHistoryMessage(msgspec.Struct, frozen=True):
    """What a user or the system said."""

    id: str
    role: Literal["user", "system"]
    content: str | list[TextContent | MediaContent]


class AssistantMessage(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What the agent said and asked for."""

    id: str
    role: Literal["assistant"]
    content: str | None = None
    tool_calls: list[ToolCall] | None = None


class ToolMessage(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The result of a call; `error` repeats the content when it did not succeed."""

    id: str
    role: Literal["tool"]
    tool_call_id: str
    content: str
    error: str | None = None


class ReasoningMessage(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What the agent thought."""

    id: str
    role: Literal["reasoning"]
    content: str
    encrypted_value: str | None = None


HistoryMessage = InputHistoryMessage | AssistantMessage | ToolMessage | ReasoningMessage


class MessagesSnapshot(Event, frozen=True, tag="MESSAGES_SNAPSHOT"):
    """All messages of the conversation so far; a client drops others."""

    messages: list[HistoryMessage]
