"""The bodies of what steers runs: more input, decisions, stops, mailboxes and dead letters."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, Field

from wakeful.protocols.native.wire import Body, ErrorView, MessageBody, Named, Status, aliases

Mode = Literal["queue", "steer", "live_then_queue", "interrupt", "interrupt_then_queue", "resume", "resume_open_run"]
Effect = Literal["started", "queued", "steered", "resumed", "replayed", "waiting"]
MODE = """What the messages do to a busy thread: `queue` waits for its turn, `steer` (`live_then_queue`) reaches the
running run at its next step, `interrupt` (`interrupt_then_queue`) ends what the thread does, `resume`
(`resume_open_run`) continues the waiting run. Without such a run they queue."""
MOST_DECISIONS = 200
LAST = 2**53
"""No sequence number is larger; beyond it JSON numbers are not exact."""


class DecisionBody(Body):
    """`POST …/decision`. Only `approved: true` approves; `output` answers a front-end tool or a question.

    `failed: true` says that the front-end tool failed, or that the user will not answer the question.
    """

    target: Named = Field(
        validation_alias=AliasChoices("interrupt_id", "interruptId", "tool_call_id", "toolCallId", "target"),
        description="The interrupt's id or the tool call's id.",
    )
    approved: bool | None = None
    arguments: dict[str, Any] | None = Field(
        default=None, description="What an approved call runs with instead of the model's arguments."
    )
    output: Any = Field(default=None, validation_alias=AliasChoices("output", "payload"))
    failed: bool = False
    reason: str | None = None
    decision_id: Named | None = aliases("decisionId", "decision_id")


class DecisionsBody(Body):
    """`POST /v1/runs/{id}/decisions`: all of them are taken, or none."""

    decisions: list[DecisionBody] = Field(min_length=1, max_length=MOST_DECISIONS)


class ThreadMessagesBody(Body):
    """`POST /v1/threads/{id}/messages`."""

    agent_id: Named | None = aliases("agentId", "agent_id")
    run_id: Named | None = aliases("runId", "run_id")
    mode: Mode = Field(default="queue", description=MODE)
    messages: list[MessageBody] = Field(min_length=1)


class InputsBody(Body):
    """`POST /v1/runs/{id}/inputs`: messages, decisions or both, for the run's thread and agent."""

    run_id: Named | None = aliases("runId", "run_id")
    mode: Mode = Field(default="queue", description=MODE)
    messages: list[MessageBody] = Field(default=[])
    decisions: list[DecisionBody] = Field(default=[], max_length=MOST_DECISIONS)


class EditBody(Body):
    """`PATCH /v1/threads/{id}/mailbox/{run_id}`: other messages for an entry of this revision."""

    revision: int = Field(ge=1, le=LAST)
    messages: list[MessageBody] = Field(min_length=1)


class OrderBody(Body):
    """`PUT /v1/threads/{id}/mailbox/order`: all entries, in their new order, for a mailbox of this revision."""

    revision: str
    run_ids: list[Named] = Field(validation_alias=AliasChoices("run_ids", "runIds"))


class Accepted(BaseModel):
    """Input was accepted. `run_id` is the run that answers it, `dispatch_id` the delivery that brings it there."""

    status: Literal["accepted"] = "accepted"
    effect: Effect
    run_id: str
    dispatch_id: str
    thread_id: str


class CancelView(BaseModel):
    """A stop was asked for; `run_status` is where the run is now."""

    status: Literal["cancel_requested", "already_finished"]
    run_id: str
    run_status: Status


class InterruptView(BaseModel):
    """A thread was interrupted: the run that was stopped, if any, and the queued ones that ended with it."""

    status: Literal["interrupt_requested"] = "interrupt_requested"
    thread_id: str
    generation: int
    cancelled_run_id: str | None
    run_status: Status | None
    superseded_count: int
    superseded_run_ids: list[str]


class DecisionView(BaseModel):
    """Which answers were taken, which were known already, and whether the run goes on."""

    status: Literal["decision_submitted"] = "decision_submitted"
    run_id: str
    run_status: Status
    accepted: list[str]
    already: list[str]
    resumed: bool


class EntryMessageView(BaseModel):
    """A message that is not in its thread yet; parts are tagged by `type`."""

    id: str
    role: Literal["system", "user", "assistant", "tool"]
    parts: list[dict[str, Any]]
    metadata: dict[str, Any] | None


class EntryView(BaseModel):
    """A queued run that was never carried. `position` is its place in the mailbox, from 0."""

    run_id: str
    dispatch_id: str
    agent_id: str
    mode: Literal["queue", "steer"]
    revision: int
    position: int
    created_at: int
    messages: list[EntryMessageView]


class MailboxView(BaseModel):
    """What waits on a thread; `revision` names this order and content."""

    revision: str
    items: list[EntryView]
    total: int


class DeadLetterView(BaseModel):
    """A delivery that was given up after `failures` attempts; `retried_run_id` is the run that tried again."""

    dispatch_id: str
    run_id: str
    thread_id: str
    agent_id: str
    failures: int
    error: ErrorView | None
    at: int
    retried_run_id: str | None


class DeadLetterPage(BaseModel):
    """Dead letters, newest first."""

    items: list[DeadLetterView]
    has_more: bool
    next_cursor: str | None
