"""The shapes of A2A 1.0 as they travel: ProtoJSON of `a2a.proto`, package `lf.a2a.v1`.

A field that is not there is left out; times are RFC 3339 in UTC with milliseconds.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

import msgspec
from msgspec import UNSET, UnsetType

from wakeful.contracts.json import JsonObject, JsonValue

MEDIA_TYPE = "application/a2a+json"


class State(StrEnum):
    """Where a task is."""

    SUBMITTED = "TASK_STATE_SUBMITTED"
    WORKING = "TASK_STATE_WORKING"
    COMPLETED = "TASK_STATE_COMPLETED"
    FAILED = "TASK_STATE_FAILED"
    CANCELED = "TASK_STATE_CANCELED"
    REJECTED = "TASK_STATE_REJECTED"
    INPUT_REQUIRED = "TASK_STATE_INPUT_REQUIRED"
    AUTH_REQUIRED = "TASK_STATE_AUTH_REQUIRED"


class Shape(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Base of all shapes: camelCase, without what is absent."""


class Part(Shape, frozen=True):
    """Exactly one of `text`, `raw` (base64), `url` and `data` (any JSON value)."""

    text: str | UnsetType = UNSET
    raw: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    data: JsonValue = UNSET
    metadata: JsonObject | None = None
    filename: str | None = None
    media_type: str | None = None


class Message(Shape, frozen=True):
    """What one side said to the other; `role` is `ROLE_USER` or `ROLE_AGENT`."""

    message_id: str = ""
    context_id: str = ""
    task_id: str = ""
    role: str = ""
    parts: tuple[Part, ...] = ()
    metadata: JsonObject | None = None
    extensions: tuple[str, ...] = ()
    reference_task_ids: tuple[str, ...] = ()


class Artifact(Shape, frozen=True):
    """Something the agent made; its answer in words is one, too."""

    artifact_id: str
    parts: tuple[Part, ...]
    name: str = ""
    description: str = ""


class Status(Shape, frozen=True):
    """Where a task is since `timestamp`, and what the agent says about that."""

    state: State
    timestamp: str
    message: Message | None = None


class Task(Shape, frozen=True):
    """A run as its client sees it; `history` are the messages exchanged about it, without the answer."""

    id: str
    context_id: str
    status: Status
    artifacts: tuple[Artifact, ...] = ()
    history: tuple[Message, ...] = ()


class StatusUpdate(Shape, frozen=True):
    """A task's new status."""

    task_id: str
    context_id: str
    status: Status


class ArtifactUpdate(Shape, frozen=True):
    """Content of an artifact: more of it with `append`, else what it is now; `last_chunk`: it is complete."""

    task_id: str
    context_id: str
    artifact: Artifact
    append: bool = False
    last_chunk: bool = False


class StreamResponse(Shape, frozen=True):
    """One of what a stream brings; a notification's body, too."""

    task: Task | None = None
    status_update: StatusUpdate | None = None
    artifact_update: ArtifactUpdate | None = None


class SendResponse(Shape, frozen=True):
    """The answer to a message that was sent."""

    task: Task


class TaskPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One page of tasks, all fields always there; `next_page_token` is empty on the last one."""

    tasks: tuple[Task, ...]
    next_page_token: str
    page_size: int
    total_size: int


class Authentication(Shape, frozen=True):
    """How notifications prove who sends them: `Authorization: <scheme> <credentials>`."""

    scheme: str = ""
    credentials: str = ""


class PushConfig(Shape, frozen=True):
    """Where notifications about a task go; `token` is sent along in `X-A2A-Notification-Token`."""

    tenant: str = ""
    id: str = ""
    task_id: str = ""
    url: str = ""
    token: str = ""
    authentication: Authentication | None = None


class PushConfigPage(Shape, frozen=True):
    """One page of them."""

    configs: tuple[PushConfig, ...] = ()
    next_page_token: str = ""


class SendConfiguration(Shape, frozen=True):
    """How a client wants its message answered."""

    accepted_output_modes: tuple[str, ...] = ()
    task_push_notification_config: PushConfig | None = None
    history_length: int | None = None
    return_immediately: bool = False


class SendRequest(Shape, frozen=True):
    """SendMessage and SendStreamingMessage."""

    message: Message
    tenant: str = ""
    configuration: SendConfiguration = SendConfiguration()
    metadata: JsonObject | None = None


class TaskRequest(Shape, frozen=True):
    """GetTask, CancelTask and SubscribeToTask."""

    id: str = ""
    tenant: str = ""
    history_length: int | None = None


class ListRequest(Shape, frozen=True):
    """ListTasks."""

    tenant: str = ""
    context_id: str = ""
    status: str = ""
    page_size: int | None = None
    page_token: str = ""
    history_length: int | None = None
    status_timestamp_after: str = ""
    include_artifacts: bool = False


class PushRequest(Shape, frozen=True):
    """What asks for notifications of a task (`id` names one), reads, lists or removes that."""

    tenant: str = ""
    task_id: str = ""
    id: str = ""
    page_size: int | None = None
    page_token: str = ""


def timestamp(at: int) -> str:
    """Milliseconds since the epoch as RFC 3339."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at % 1000:03d}Z"
