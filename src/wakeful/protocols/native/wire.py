"""The bodies of the native API. Requests take camelCase and snake_case ids; answers are snake_case."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(pattern=r"\S")]
Named = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Status = Literal["queued", "running", "waiting", "completed", "failed", "cancelled"]


def _aliases(camel: str, snake: str) -> Any:
    return Field(default=None, validation_alias=AliasChoices(snake, camel))


class Body(BaseModel):
    """Base of request bodies: no unknown fields, so that a typo is not silently ignored, and no conversions.

    Only `true` is true: `"yes"` or `1` must never approve anything.
    """

    model_config = ConfigDict(extra="forbid", strict=True)


class MessageBody(Body):
    """A new message: text, or text and file parts."""

    role: Literal["user", "system"] = "user"
    content: Text | list[PartBody]
    id: Named | None = None


class PartBody(Body):
    """One part of a message: `text`, or a `file` as a `data:` URL."""

    type: Literal["text", "file"]
    text: Text | None = None
    url: str | None = None
    media_type: str | None = Field(default=None, validation_alias=AliasChoices("media_type", "mediaType"))
    filename: str | None = None


class RunBody(Body):
    """`POST /v1/runs`."""

    agent_id: Named | None = _aliases("agentId", "agent_id")
    thread_id: Named | None = Field(
        default=None, validation_alias=AliasChoices("thread_id", "threadId", "context_id", "contextId")
    )
    run_id: Named | None = Field(default=None, validation_alias=AliasChoices("run_id", "runId", "task_id", "taskId"))
    parent_run_id: Named | None = _aliases("parentRunId", "parent_run_id")
    messages: list[MessageBody] = Field(min_length=1)


class ThreadMessagesBody(Body):
    """`POST /v1/threads/{id}/messages`: `queue` runs behind what the thread does, `interrupt` ends that first."""

    agent_id: Named | None = _aliases("agentId", "agent_id")
    run_id: Named | None = _aliases("runId", "run_id")
    mode: Literal["queue", "interrupt", "interrupt_then_queue"] = "queue"
    messages: list[MessageBody] = Field(min_length=1)


class DecisionBody(Body):
    """`POST /v1/runs/{id}/decision`. Only `approved: true` approves; `output` answers a front-end tool."""

    target: Named = Field(
        validation_alias=AliasChoices("interrupt_id", "interruptId", "tool_call_id", "toolCallId", "target"),
        description="The interrupt's id or the tool call's id.",
    )
    approved: bool | None = None
    output: Any = None
    failed: bool = False
    reason: str | None = None
    decision_id: Named | None = _aliases("decisionId", "decision_id")


class CreateThreadBody(Body):
    """`POST /v1/threads`."""

    id: Named | None = None
    title: str | None = None
    resource_id: Named | None = _aliases("resourceId", "resource_id")
    parent_thread_id: Named | None = _aliases("parentThreadId", "parent_thread_id")


class UpdateThreadBody(Body):
    """`PATCH /v1/threads/{id}`: absent fields stay, null clears, `custom` is merged key by key."""

    title: str | None = None
    resource_id: Named | None = _aliases("resourceId", "resource_id")
    parent_thread_id: Named | None = _aliases("parentThreadId", "parent_thread_id")
    custom: dict[str, Any] | None = None


class ThreadView(BaseModel):
    """A thread as shown."""

    id: str
    title: str | None
    resource_id: str | None
    parent_thread_id: str | None
    custom: dict[str, Any]
    created_at: int
    updated_at: int
    message_count: int


class SummaryView(ThreadView):
    """A thread in a list of conversations; `agent_id` is the agent of its newest run."""

    agent_id: str | None


class MessageView(BaseModel):
    """A stored message. `seq` is its place in the thread; parts are tagged by `type`."""

    id: str
    seq: int
    role: Literal["system", "user", "assistant", "tool"]
    parts: list[dict[str, Any]]
    created_at: int
    visibility: Literal["external", "internal"]
    run_id: str | None
    step: int | None


class UsageView(BaseModel):
    """Tokens of a run so far."""

    input_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cached_input_tokens: int
    cache_write_tokens: int


class ErrorView(BaseModel):
    """Why a run failed."""

    code: str
    message: str


class RunView(BaseModel):
    """A run as shown."""

    run_id: str
    thread_id: str
    agent_id: str
    parent_run_id: str | None
    origin: str
    status: Status
    stop_reason: str | None
    error: ErrorView | None
    steps: int
    usage: UsageView
    created_at: int
    started_at: int | None
    finished_at: int | None
    updated_at: int


class ActiveRunView(BaseModel):
    """The thread's unfinished run with its open questions, or null."""

    active_run: RunView | None
    interrupts: list[dict[str, Any]] = []


class Page(BaseModel):
    """What every page carries. `next_cursor` is null at the end."""

    total: int
    has_more: bool
    next_cursor: str | None


class ThreadPage(Page):
    """Ids of threads, newest activity first."""

    items: list[str]
    offset: int
    limit: int


class SummaryPage(Page):
    """Threads with what a list of conversations shows."""

    items: list[SummaryView]
    offset: int
    limit: int


class MessagePage(Page):
    """Messages of a thread."""

    messages: list[MessageView]


class RunPage(Page):
    """Runs, newest first."""

    items: list[RunView]
    offset: int
    limit: int


class EventPage(BaseModel):
    """Events of a run; pass `next_cursor` as `after` for more."""

    items: list[dict[str, Any]]
    has_more: bool
    next_cursor: int | None


class Accepted(BaseModel):
    """A background request was accepted."""

    status: Literal["accepted"] = "accepted"
    effect: str
    run_id: str
    thread_id: str


class CancelView(BaseModel):
    """A stop was asked for; `run_status` is where the run is now."""

    status: Literal["cancel_requested", "already_finished"]
    run_id: str
    run_status: Status


class DecisionView(BaseModel):
    """Which answers were taken, which were known already, and whether the run goes on."""

    status: Literal["decision_submitted"] = "decision_submitted"
    run_id: str
    accepted: list[str]
    already: list[str]
    resumed: bool


MessageBody.model_rebuild()
