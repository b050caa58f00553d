"""Everything a run does, as events of one append-only log.

Facts (`FACTS`) are committed before anybody sees them. Deltas (`DELTAS`) are shown at once and committed in
groups. The tag of every event on the wire is its class name in snake_case. Order within a run:

    RunAccepted  InputChanged*  (RunStarted  step*  (RunWaiting | RunFinished))+
    step = StepStarted  (deltas)  ModelCallFinished  ToolCallReady*  (tool call events)*  StepFinished

RunStarted is followed by StateReplaced when the thread has a shared state; StateChanged comes among tool call events.

A step that waits for decisions goes on after the next RunStarted. HandedOff comes after a StepFinished.
`StepRestarted` voids what the step showed so far. Exactly one RunFinished ends the log.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from wakeful.contracts.interrupt import Interrupt
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.message import FilePart, InputPart, ResultStatus, Role, SourcePart
from wakeful.contracts.usage import Usage

Outcome = Literal["completed", "failed", "cancelled"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]
StopReason = Literal[
    "answered",
    "max_output",
    "content_filter",
    "error",
    "cancelled",
    "superseded",
    "withdrawn",
    "steered",
    "max_steps",
    "max_tokens",
    "max_seconds",
    "max_cost",
    "max_tool_errors",
    "max_repeats",
    "stop_on_tool",
    "stop_on_text",
]
"""Why a run ended. `withdrawn`: taken back while it was queued; `steered`: its input joined the running run."""


class ErrorReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error fit to be shown: a stable `code` and a readable `message`, no secrets, no stack trace."""

    code: str
    message: str


class RunAccepted(msgspec.Struct, frozen=True, tag="run_accepted", omit_defaults=True):
    """The server took responsibility for the run. `message_ids` are its input messages.

    `replaces` is the first of the messages it takes the place of.
    """

    agent_id: str
    message_ids: tuple[str, ...]
    parent_run_id: str | None = None
    replaces: str | None = None


class InputChanged(msgspec.Struct, frozen=True, tag="input_changed"):
    """The input of a queued run was edited; `message_ids` are its input messages now."""

    message_ids: tuple[str, ...]


class RunStarted(msgspec.Struct, frozen=True, tag="run_started", omit_defaults=True):
    """A worker carries the run; `resumed` after a wait."""

    agent_id: str
    resumed: bool = False


class RunWaiting(msgspec.Struct, frozen=True, tag="run_waiting"):
    """The run rests until every interrupt is decided."""

    interrupts: tuple[Interrupt, ...]


class RunFinished(msgspec.Struct, frozen=True, tag="run_finished", omit_defaults=True):
    """The last event of every run. `error` is present exactly when `outcome` is `failed`."""

    outcome: Outcome
    stop_reason: StopReason
    usage: Usage = Usage()
    error: ErrorReport | None = None


class HandedOff(msgspec.Struct, frozen=True, tag="handed_off"):
    """The run goes on with another agent, whose next step answers the same input."""

    agent_id: str


class StepStarted(msgspec.Struct, frozen=True, tag="step_started"):
    """One model reply begins. `step` counts from 1 over the whole run; `message_id` is its stored message."""

    step: int
    message_id: str


class StepRestarted(msgspec.Struct, frozen=True, tag="step_restarted"):
    """What step `step` showed so far is void: it begins again."""

    step: int
    message_id: str
    reason: str


class StepFinished(msgspec.Struct, frozen=True, tag="step_finished"):
    """The reply and all tool calls it asked for are done."""

    step: int


class ModelCallFinished(msgspec.Struct, frozen=True, tag="model_call_finished", omit_defaults=True):
    """The model's reply is complete."""

    model: str
    provider: str
    finish_reason: FinishReason
    usage: Usage
    duration_ms: int


class RetryScheduled(msgspec.Struct, frozen=True, tag="retry_scheduled", omit_defaults=True):
    """Something failed and is tried again in `delay_ms`; not an end.

    `target` is what is tried again: one model call, or the run itself from its last completed step or tool call.
    `attempt` is the one that failed, from 1.
    """

    attempt: int
    delay_ms: int
    error: ErrorReport
    target: Literal["model_call", "run"] = "model_call"


class ToolCallReady(msgspec.Struct, frozen=True, tag="tool_call_ready", omit_defaults=True):
    """The arguments are complete. `frontend` calls are carried out by the client."""

    call_id: str
    name: str
    arguments: str
    frontend: bool = False


class ToolCallStarted(msgspec.Struct, frozen=True, tag="tool_call_started"):
    """The ledger entry before a tool runs."""

    call_id: str
    name: str


class ToolCallFinished(msgspec.Struct, frozen=True, tag="tool_call_finished"):
    """The ledger entry after a call: its result, stored as tool message `message_id`."""

    call_id: str
    name: str
    status: ResultStatus
    output: JsonValue
    message_id: str


class InterruptRaised(msgspec.Struct, frozen=True, tag="interrupt_raised"):
    """A question was asked."""

    interrupt: Interrupt


class InterruptDecided(msgspec.Struct, frozen=True, tag="interrupt_decided", omit_defaults=True):
    """A question was answered. `arguments` is the JSON text of arguments a human changed."""

    interrupt_id: str
    call_id: str
    approved: bool | None = None
    reason: str | None = None
    arguments: str | None = None


class StateReplaced(msgspec.Struct, frozen=True, tag="state_replaced"):
    """The whole shared state of the thread, as it is from here on."""

    state: JsonObject


class StateChanged(msgspec.Struct, frozen=True, tag="state_changed"):
    """A call changed the shared state by `patch`, a list of RFC 6902 operations."""

    call_id: str
    patch: tuple[JsonObject, ...]


class SubagentStarted(msgspec.Struct, frozen=True, tag="subagent_started"):
    """Call `call_id` handed its work to another agent, which answers in a run and a thread of its own."""

    call_id: str
    agent_id: str
    run_id: str
    thread_id: str


class SubagentFinished(msgspec.Struct, frozen=True, tag="subagent_finished", omit_defaults=True):
    """The other agent is done; `error` is present exactly when it failed."""

    call_id: str
    run_id: str
    outcome: Outcome
    error: ErrorReport | None = None


class MessageCommitted(msgspec.Struct, frozen=True, tag="message_committed", omit_defaults=True):
    """A message became part of the thread; its body is in the thread's messages.

    `parts` repeats the body of input that reached the run while it went on.
    """

    message_id: str
    role: Role
    parts: tuple[InputPart, ...] = ()


class TextDelta(msgspec.Struct, frozen=True, tag="text_delta"):
    """More text of the step's message; may be empty."""

    delta: str


class ReasoningDelta(msgspec.Struct, frozen=True, tag="reasoning_delta"):
    """More visible reasoning."""

    delta: str


class ReasoningSealed(msgspec.Struct, frozen=True, tag="reasoning_sealed", omit_defaults=True):
    """The vendor's proof or cipher of the reasoning block so far; the next delta begins a new block."""

    signature: str | None = None
    encrypted: str | None = None
    item_id: str | None = None


class SourceCited(msgspec.Struct, frozen=True, tag="source_cited", omit_defaults=True):
    """The step's message rests on a source; `call_id` names the call that found it, None: the model did."""

    source: SourcePart
    call_id: str | None = None


class FileGenerated(msgspec.Struct, frozen=True, tag="file_generated", omit_defaults=True):
    """A file became part of the answer; `call_id` names the call that made it, None: the model did."""

    file: FilePart
    call_id: str | None = None


class DataEmitted(msgspec.Struct, frozen=True, tag="data_emitted", omit_defaults=True):
    """A JSON value became part of the answer; `name` says what kind of value it is."""

    data: JsonValue
    name: str = ""


class ArtifactChanged(msgspec.Struct, frozen=True, tag="artifact_changed", omit_defaults=True):
    """Content of an artifact. `append` adds to what it has, else the artifact begins with it; `last`: it is complete.

    Text that is appended to text continues it.
    """

    id: str
    part: InputPart
    name: str | None = None
    description: str | None = None
    append: bool = False
    last: bool = False


class StatusNoted(msgspec.Struct, frozen=True, tag="status_noted"):
    """What the agent is about, for whoever watches; no part of its answer."""

    message: str


class ToolCallProposed(msgspec.Struct, frozen=True, tag="tool_call_proposed"):
    """The model begins to write a call."""

    call_id: str
    name: str


class ToolCallDelta(msgspec.Struct, frozen=True, tag="tool_call_delta"):
    """More JSON text of a call's arguments."""

    call_id: str
    delta: str


class ToolProgressed(msgspec.Struct, frozen=True, tag="tool_progressed", omit_defaults=True):
    """A running tool reports progress; `progress` of `total` in the tool's own unit."""

    call_id: str
    name: str
    message: str | None = None
    progress: float | None = None
    total: float | None = None


Fact = (
    RunAccepted
    | InputChanged
    | RunStarted
    | HandedOff
    | RunWaiting
    | RunFinished
    | StepStarted
    | StepRestarted
    | StepFinished
    | ModelCallFinished
    | RetryScheduled
    | ToolCallReady
    | ToolCallStarted
    | ToolCallFinished
    | InterruptRaised
    | InterruptDecided
    | StateReplaced
    | StateChanged
    | SubagentStarted
    | SubagentFinished
    | MessageCommitted
)
Delta = (
    TextDelta
    | ReasoningDelta
    | ReasoningSealed
    | SourceCited
    | FileGenerated
    | DataEmitted
    | ArtifactChanged
    | StatusNoted
    | ToolCallProposed
    | ToolCallDelta
    | ToolProgressed
)
Event = Fact | Delta

DELTAS: frozenset[type] = frozenset(
    {
        TextDelta,
        ReasoningDelta,
        ReasoningSealed,
        SourceCited,
        FileGenerated,
        DataEmitted,
        ArtifactChanged,
        StatusNoted,
        ToolCallProposed,
        ToolCallDelta,
        ToolProgressed,
    }
)


class LogEntry(msgspec.Struct, frozen=True):
    """An event with its place in the run's log: `seq` grows from 1, `at` is milliseconds since the epoch.

    `body` is the event's JSON, encoded once and shared by the store and every native stream.
    """

    seq: int
    at: int
    event: Event
    body: bytes
