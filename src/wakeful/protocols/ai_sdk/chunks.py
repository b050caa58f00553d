"""The chunks of the AI SDK UI message stream, told apart by `type`.

Source: `ui-message-chunks.ts` of npm `ai` 5.0.277, 6.0.326 and 7.0.173; a chunk or field that not all of them know
says from which major on. Absent optional fields are left out, never null. Files, sources, steering messages and the
approvals of major 5 arrive in the shape in which they are kept, and so do values, artifacts and questions: `parts.py`.

Never needed: `tool-input-error`, because arguments that are no JSON are shown as text and the call's output says what
is wrong; `reasoning-file`, because reasoning has no files in our log; `custom`, because what has no chunk of its own
is a data part, which every major understands.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from wakeful.contracts.event import StopReason
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.protocols.ai_sdk.parts import Citation, Datum, File, Text, Usage

FinishReason = Literal["stop", "length", "content-filter", "tool-calls", "error", "other", "interrupted"]
"""`interrupted`, known from major 7 on, keeps a client from sending the message again by itself."""


class Chunk(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel", tag_field="type"):
    """One frame of the stream."""


# The message and its steps.


class StartMetadata(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What the start says about a UI message; `created_at` is when its first step began, in milliseconds."""

    run_id: str
    thread_id: str
    created_at: int | None = None


class EndMetadata(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What an end adds to a UI message's metadata; `stop_reason` is more exact than the finish reason.

    `model` is the last one that was asked. `duration_ms` counts from the run's start, waits included.
    """

    usage: Usage
    model: str | None = None
    duration_ms: int | None = None
    stop_reason: StopReason | None = None


class Start(Chunk, frozen=True, tag="start"):
    """Opens the stream; without `message_id` the client goes on with its last assistant message."""

    message_id: str | None = None
    message_metadata: StartMetadata | None = None


class StartStep(Chunk, frozen=True, tag="start-step"):
    """A step begins."""


class FinishStep(Chunk, frozen=True, tag="finish-step"):
    """A step ends; text and reasoning must be closed before."""


class ResetStep(Chunk, frozen=True, tag="reset-step"):
    """What the open step showed is taken back. From 7 on."""


class MessageMetadata(Chunk, frozen=True, tag="message-metadata"):
    """More about the message, where no finish can say it."""

    message_metadata: EndMetadata


class Error(Chunk, frozen=True, tag="error"):
    """The run failed."""

    error_text: str


class Abort(Chunk, frozen=True, tag="abort"):
    """The run was cancelled. `reason` from 6 on."""

    reason: str | None = None


class Finish(Chunk, frozen=True, tag="finish"):
    """The end of the stream."""

    finish_reason: FinishReason
    message_metadata: EndMetadata | None = None


# Text and reasoning.


class TextStart(Chunk, frozen=True, tag="text-start"):
    """A text block opens."""

    id: str


class TextEnd(Chunk, frozen=True, tag="text-end"):
    """A text block closes. `citations` from 7 on."""

    id: str
    citations: tuple[Citation, ...] = ()


class ReasoningStart(Chunk, frozen=True, tag="reasoning-start"):
    """A reasoning block opens."""

    id: str


class ReasoningEnd(Chunk, frozen=True, tag="reasoning-end"):
    """A reasoning block closes."""

    id: str


# Tool calls.


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
    """A call was refused by a human. From 6 on."""

    tool_call_id: str


class ToolApprovalRequest(Chunk, frozen=True, tag="tool-approval-request"):
    """May this call run? From 6 on, `reason` (the question in words) from 7 on."""

    approval_id: str
    tool_call_id: str
    reason: str | None = None


class ToolApprovalResponse(Chunk, frozen=True, tag="tool-approval-response"):
    """A human answered. From 7 on."""

    approval_id: str
    approved: bool
    reason: str | None = None


# What has no chunk of its own.


class Data(Chunk, frozen=True, kw_only=True):
    """An application part; transient ones reach `onData` and are not kept in the message."""

    data: JsonObject
    id: str | None = None
    transient: bool = False


class DataRunInfo(Data, frozen=True, tag="data-run-info"):
    """Which run this is."""


class DataActivity(Data, frozen=True, tag="data-activity"):
    """A tool's progress."""


class DataUsage(Data, frozen=True, tag="data-usage"):
    """What one model call took."""


class DataSubagent(Data, frozen=True, tag="data-subagent"):
    """How far another agent is that a call handed its work to."""


class DataStateSnapshot(Data, frozen=True, tag="data-state-snapshot"):
    """The whole shared state."""


class DataStateDelta(Data, frozen=True, tag="data-state-delta"):
    """A change of the shared state."""


class DataRetry(Data, frozen=True, tag="data-retry"):
    """Something failed and is tried again; not an end."""


class DataStepRestarted(Data, frozen=True, tag="data-step-restarted"):
    """The step before this one is void. Until 6."""


class DataSteered(Data, frozen=True, tag="data-steered"):
    """A message that a user sent meanwhile is taken into account from here on. Until 6."""


class DataStatus(Data, frozen=True, tag="data-status"):
    """What the agent is about."""


class DataArtifactDelta(Chunk, frozen=True, kw_only=True, tag="data-artifact-delta"):
    """A change of an artifact that was shown before."""

    id: str
    data: ArtifactDelta
    transient: bool = False


class ArtifactDelta(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`append` adds `part` to the artifact, text to its last text, else it begins anew; `last`: it is complete."""

    id: str
    part: Text | File | Datum
    name: str | None = None
    description: str | None = None
    append: bool = False
    last: bool = False


class DataReasoningEncrypted(Data, frozen=True, tag="data-reasoning-encrypted"):
    """A vendor's cipher of hidden reasoning."""
