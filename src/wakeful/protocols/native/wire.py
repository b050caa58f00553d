"""The bodies of the native API. Requests take camelCase and snake_case ids; answers are snake_case."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(pattern=r"\S")]
Named = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Status = Literal["queued", "running", "waiting", "completed", "failed", "cancelled"]


def aliases(camel: str, snake: str) -> Any:
    """An optional field that is read under both names."""
    return Field(default=None, validation_alias=AliasChoices(snake, camel))


class Body(BaseModel):
    """Base of request bodies: no unknown fields, so that a typo is not silently ignored, and no conversions.

    Only `true` is true: `"yes"` or `1` must never approve anything.
    """

    model_config = ConfigDict(extra="forbid", strict=True)


class MessageBody(Body):
    """A new message: text, or parts. `metadata` is kept beside it and is not for the model; at most 64 KiB."""

    role: Literal["user", "system"] = "user"
    content: Text | list[PartBody]
    id: Named | None = None
    metadata: dict[str, Any] | None = None


class PartBody(Body):
    """One part of a message: `text`, a `file` as a `data:` URL, or `data`, any JSON of at most 256 KiB."""

    type: Literal["text", "file", "data"]
    text: Text | None = None
    url: str | None = None
    media_type: str | None = Field(default=None, validation_alias=AliasChoices("media_type", "mediaType"))
    filename: str | None = None
    data: Any = None
    name: Named | None = Field(default=None, description="What kind of value `data` is.")


class RunBody(Body):
    """`POST /v1/runs`. `state` becomes the thread's shared state; absent or empty leaves that as it is."""

    agent_id: Named | None = aliases("agentId", "agent_id")
    thread_id: Named | None = Field(
        default=None, validation_alias=AliasChoices("thread_id", "threadId", "context_id", "contextId")
    )
    run_id: Named | None = Field(default=None, validation_alias=AliasChoices("run_id", "runId", "task_id", "taskId"))
    parent_run_id: Named | None = aliases("parentRunId", "parent_run_id")
    messages: list[MessageBody] = Field(min_length=1)
    state: dict[str, Any] | None = None


class CreateThreadBody(Body):
    """`POST /v1/threads`."""

    id: Named | None = None
    title: str | None = None
    resource_id: Named | None = aliases("resourceId", "resource_id")
    parent_thread_id: Named | None = aliases("parentThreadId", "parent_thread_id")


class UpdateThreadBody(Body):
    """`PATCH /v1/threads/{id}`: absent fields stay, null clears, `custom` is merged key by key."""

    title: str | None = None
    resource_id: Named | None = aliases("resourceId", "resource_id")
    parent_thread_id: Named | None = aliases("parentThreadId", "parent_thread_id")
    custom: dict[str, Any] | None = None


class ThreadView(BaseModel):
    """A thread as shown; `generation` counts how often it was interrupted."""

    id: str
    title: str | None
    resource_id: str | None
    parent_thread_id: str | None
    custom: dict[str, Any]
    created_at: int
    updated_at: int
    message_count: int
    generation: int


class StateView(BaseModel):
    """What a thread's agents, tools and client share."""

    state: dict[str, Any]


class SummaryView(ThreadView):
    """A thread in a list of conversations; `agent_id` is the agent of its newest run."""

    agent_id: str | None


class MessageView(BaseModel):
    """A stored message. `seq` is its place in the thread; parts are tagged by `type`.

    `metadata` is what a client wrote beside it: untrusted.
    """

    id: str
    seq: int
    role: Literal["system", "user", "assistant", "tool"]
    parts: list[dict[str, Any]]
    created_at: int
    visibility: Literal["external", "internal"]
    run_id: str | None
    step: int | None
    reply: ReplyView | None
    metadata: dict[str, Any] | None


class UsageView(BaseModel):
    """Tokens of a run so far, and what they cost where prices are known."""

    input_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cached_input_tokens: int
    cache_write_tokens: int
    cost_usd: float


class ReplyView(BaseModel):
    """How a model made a message, and how long it took."""

    model: str
    provider: str
    usage: UsageView
    duration_ms: int


class ErrorView(BaseModel):
    """Why a run failed."""

    code: str
    message: str


class RunView(BaseModel):
    """A run as shown. `attempt` is above 1 once a worker was lost while it carried the run."""

    run_id: str
    thread_id: str
    agent_id: str
    parent_run_id: str | None
    origin: str
    status: Status
    stop_reason: str | None
    error: ErrorView | None
    attempt: int
    steps: int
    usage: UsageView
    created_at: int
    started_at: int | None
    finished_at: int | None
    updated_at: int


class RunCountsView(BaseModel):
    """Unfinished runs by status."""

    queued: int
    running: int
    waiting: int


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


MessageBody.model_rebuild()
