"""The shapes of AG-UI's events, as a client is sent them.

Source: AG-UI specification 1.0, `schema.json`. Absent optional fields are left out: clients die on an explicit null.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from wakeful.contracts.json import JsonObject
from wakeful.protocols.ag_ui.messages import HistoryMessage

PROTOCOL_VERSION = "1.0"


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


class StateSnapshot(Event, frozen=True, tag="STATE_SNAPSHOT"):
    """The whole shared state."""

    snapshot: JsonObject


class StateDelta(Event, frozen=True, tag="STATE_DELTA"):
    """A change of the shared state, as RFC 6902 operations."""

    delta: tuple[JsonObject, ...]


class SubagentSuspended(msgspec.Struct, frozen=True, tag="suspended", tag_field="type"):
    """The other agent goes on when the run does."""


class SubagentStarted(Event, frozen=True, tag="SUBAGENT_STARTED"):
    """Another agent begins to work for call `parent_tool_call_id`; `metadata` has the `threadId` it works in."""

    subagent_run_id: str
    name: str
    parent_tool_call_id: str
    metadata: JsonObject


class SubagentFinished(Event, frozen=True, tag="SUBAGENT_FINISHED"):
    """The other agent is done, or (`outcome`) rests."""

    subagent_run_id: str
    outcome: SubagentSuspended | None = None


class SubagentError(Event, frozen=True, tag="SUBAGENT_ERROR"):
    """The other agent did not finish its work."""

    subagent_run_id: str
    message: str
    code: str


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


class MessagesSnapshot(Event, frozen=True, tag="MESSAGES_SNAPSHOT"):
    """All messages of the conversation so far; a client drops others.

    Clients keep their activities, and their reasoning unless the snapshot has some.
    """

    messages: Sequence[HistoryMessage | msgspec.Raw]
