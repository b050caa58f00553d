"""The shapes of the AI SDK UI message stream: the chat request, the chunks and the UI messages.

Source: npm `ai` 6.0.326, `ui-message-chunks.ts`, `validate-ui-messages.ts` and `http-chat-transport.ts`; what only
7.0.173 has says so.
Requests are read tolerantly, unknown keys are ignored. Absent optional fields are left out, never null.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from wakeful.contracts.event import StopReason
from wakeful.contracts.json import JsonObject, JsonValue

FinishReason = Literal["stop", "length", "content-filter", "tool-calls", "error", "other"]


EditedArguments = JsonObject | list[msgspec.Raw] | str | float | bool | None
"""Whatever stands where edited arguments are looked for."""

# What a client sends.


class ChatMessage(msgspec.Struct, frozen=True):
    """One message of a request. Parts stay undecoded: most of them are history, which lives on the server."""

    role: str
    id: str | None = None
    parts: list[msgspec.Raw] | None = None
    content: str | list[msgspec.Raw] | None = None


class ChatRequest(msgspec.Struct, frozen=True):
    """The body of a chat request. `id`, `threadId` and `thread_id` all name the thread.

    `session_id` and `input` belong to a retired body and are looked at only to say so.
    """

    messages: list[ChatMessage] | None = None
    trigger: str | None = None
    message_id: str | None = msgspec.field(name="messageId", default=None)
    id: str | None = None
    thread_camel: str | None = msgspec.field(default=None, name="threadId")
    thread_snake: str | None = msgspec.field(default=None, name="thread_id")
    run_camel: str | None = msgspec.field(default=None, name="runId")
    run_snake: str | None = msgspec.field(default=None, name="run_id")
    agent_camel: str | None = msgspec.field(default=None, name="agentId")
    agent_snake: str | None = msgspec.field(default=None, name="agent_id")
    session_id: JsonValue = msgspec.field(default=None, name="sessionId")
    input: JsonValue = None


class SentApproval(msgspec.Struct, frozen=True, rename="camel"):
    """The approval of a sent tool part; loose because whatever is not `approved: true` refuses.

    `edited_args` is ours, named as in AG-UI: the arguments the call is to run with instead of the model's.
    """

    id: JsonValue = None
    approved: JsonValue = None
    reason: JsonValue = None
    edited_args: EditedArguments = None


class SentPart(msgspec.Struct, frozen=True, rename="camel"):
    """Any part of a sent message, of which only `type` is sure; loose where an odd value must not refuse the rest."""

    type: str
    text: str | None = None
    media_type: str | None = None
    url: str | None = None
    filename: str | None = None
    tool_call_id: str | None = None
    state: str | None = None
    output: JsonValue = None
    error_text: JsonValue = None
    provider_executed: JsonValue = None
    preliminary: JsonValue = None
    approval: SentApproval | None = None
    approval_id: str | None = None
    approved: JsonValue = None
    reason: JsonValue = None
    edited_args: EditedArguments = None


# What a client is sent.


class Chunk(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel", tag_field="type"):
    """One frame of the stream, told apart by `type`."""


class RunMetadata(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """`metadata` of a UI message: which run made it."""

    run_id: str | None = None
    thread_id: str | None = None


class UsageMetadata(msgspec.Struct, frozen=True, rename="camel"):
    """Tokens of a whole run, under the AI SDK's names."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    reasoning_tokens: int
    cached_input_tokens: int


class FinishMetadata(msgspec.Struct, frozen=True, rename="camel"):
    """What the end adds to a UI message's metadata; `stop_reason` is more exact than the finish reason."""

    usage: UsageMetadata
    stop_reason: StopReason


class Start(Chunk, frozen=True, tag="start"):
    """Opens the stream; without `message_id` the client goes on with its last assistant message."""

    message_id: str | None = None
    message_metadata: RunMetadata | None = None


class StartStep(Chunk, frozen=True, tag="start-step"):
    """A step begins."""


class FinishStep(Chunk, frozen=True, tag="finish-step"):
    """A step ends; text and reasoning must be closed before."""


class ResetStep(Chunk, frozen=True, tag="reset-step"):
    """What the open step showed is taken back; understood from major 7 on."""


class TextStart(Chunk, frozen=True, tag="text-start"):
    """A text block opens."""

    id: str


class TextEnd(Chunk, frozen=True, tag="text-end"):
    """A text block closes."""

    id: str


class ReasoningStart(Chunk, frozen=True, tag="reasoning-start"):
    """A reasoning block opens."""

    id: str


class ReasoningEnd(Chunk, frozen=True, tag="reasoning-end"):
    """A reasoning block closes."""

    id: str


class ToolInputStart(Chunk, frozen=True, tag="tool-input-start"):
    """The model begins to write a call."""

    tool_call_id: str
    tool_name: str


class ToolInputAvailable(Chunk, frozen=True, tag="tool-input-available"):
    """A call's input is complete."""

    tool_call_id: str
    tool_name: str
    input: JsonValue
    provider_executed: bool = False


class ToolOutputAvailable(Chunk, frozen=True, tag="tool-output-available", kw_only=True):
    """A call succeeded."""

    tool_call_id: str
    output: JsonValue
    provider_executed: bool = False


class ToolOutputError(Chunk, frozen=True, tag="tool-output-error", kw_only=True):
    """A call failed or was called off."""

    tool_call_id: str
    error_text: str
    provider_executed: bool = False


class ToolOutputDenied(Chunk, frozen=True, tag="tool-output-denied"):
    """A call was refused by a human."""

    tool_call_id: str


class ToolApprovalRequest(Chunk, frozen=True, tag="tool-approval-request"):
    """May this call run?"""

    approval_id: str
    tool_call_id: str


class Data(Chunk, frozen=True, kw_only=True):
    """An application part; transient ones reach `onData` and are not kept in the message."""

    data: JsonObject
    id: str | None = None
    transient: bool = False


class DataRunInfo(Data, frozen=True, tag="data-run-info"):
    """Which run this is."""


class DataActivity(Data, frozen=True, tag="data-activity"):
    """A tool's progress."""


class DataRetry(Data, frozen=True, tag="data-retry"):
    """Something failed and is tried again; not an end."""


class DataStepRestarted(Data, frozen=True, tag="data-step-restarted"):
    """The step before this one is void."""


class DataSteered(Data, frozen=True, tag="data-steered"):
    """A message that a user sent meanwhile is taken into account from here on."""


class DataReasoningEncrypted(Data, frozen=True, tag="data-reasoning-encrypted"):
    """A vendor's cipher of hidden reasoning."""


class Error(Chunk, frozen=True, tag="error"):
    """The run failed."""

    error_text: str


class Abort(Chunk, frozen=True, tag="abort"):
    """The run was cancelled."""

    reason: str


class Finish(Chunk, frozen=True, tag="finish"):
    """The end of the stream."""

    finish_reason: FinishReason
    message_metadata: FinishMetadata | None = None


# What a client is given as history.


class TextUIPart(msgspec.Struct, frozen=True, tag="text", tag_field="type"):
    """Text."""

    text: str
    state: Literal["done"] | msgspec.UnsetType = msgspec.UNSET


class ReasoningUIPart(msgspec.Struct, frozen=True, tag="reasoning", tag_field="type"):
    """Reasoning."""

    text: str
    state: Literal["done"] = "done"


class FileUIPart(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel", tag="file", tag_field="type"):
    """A file by URL."""

    media_type: str
    url: str
    filename: str | None = None


class StepStartUIPart(msgspec.Struct, frozen=True, tag="step-start", tag_field="type"):
    """The boundary before each step's parts."""


class Approval(msgspec.Struct, frozen=True, omit_defaults=True):
    """The question about a call and its answer."""

    id: str
    approved: bool | None = None
    reason: str | None = None


class ToolUIPart(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel", kw_only=True):
    """A call and how far it got; `type` is `tool-<name>`."""

    type: str
    tool_call_id: str
    state: Literal[
        "input-available",
        "approval-requested",
        "approval-responded",
        "output-available",
        "output-error",
        "output-denied",
    ]
    input: JsonValue
    output: JsonValue = msgspec.UNSET
    error_text: str | None = None
    provider_executed: bool = False
    approval: Approval | None = None


UIPart = TextUIPart | ReasoningUIPart | FileUIPart | StepStartUIPart | ToolUIPart


class UIMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message as the client keeps it."""

    id: str
    role: Literal["system", "user", "assistant"]
    parts: list[UIPart]
    metadata: RunMetadata | None = None
