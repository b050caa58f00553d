"""What the other side says, as far as it matters here: A2A 1.0's ProtoJSON (`a2a.proto`) as frozen values."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.model_errors import MalformedReply

LONGEST_ID = 256
MOST_PARTS = 10_000
State = Literal[
    "TASK_STATE_UNSPECIFIED",
    "TASK_STATE_SUBMITTED",
    "TASK_STATE_WORKING",
    "TASK_STATE_COMPLETED",
    "TASK_STATE_FAILED",
    "TASK_STATE_CANCELED",
    "TASK_STATE_REJECTED",
    "TASK_STATE_INPUT_REQUIRED",
    "TASK_STATE_AUTH_REQUIRED",
]
WAITING = frozenset[State]({"TASK_STATE_INPUT_REQUIRED", "TASK_STATE_AUTH_REQUIRED"})
OVER = frozenset[State]({"TASK_STATE_COMPLETED", "TASK_STATE_FAILED", "TASK_STATE_CANCELED", "TASK_STATE_REJECTED"})
RESTED = WAITING | OVER


class Shape(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of all shapes: camelCase, unknown fields are not looked at."""


class Part(Shape, frozen=True):
    """One of `text`, `raw` (base64), `url` and `data`."""

    text: str | UnsetType = UNSET
    raw: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    data: JsonValue | UnsetType = UNSET
    metadata: JsonObject | None = None
    filename: str = ""
    media_type: str = ""


class Message(Shape, frozen=True):
    """What one side said."""

    message_id: str = ""
    context_id: str = ""
    task_id: str = ""
    parts: tuple[Part, ...] = ()
    metadata: JsonObject | None = None

    @property
    def text(self) -> str:
        """Its words."""
        return "\n".join(part.text for part in self.parts if isinstance(part.text, str))


class Artifact(Shape, frozen=True):
    """Something the agent made."""

    artifact_id: str = ""
    name: str = ""
    description: str = ""
    parts: tuple[Part, ...] = ()


class Status(Shape, frozen=True):
    """Where a task is, and what the agent says about that."""

    state: State = "TASK_STATE_UNSPECIFIED"
    message: Message | None = None


class Task(Shape, frozen=True):
    """A task as a whole."""

    id: str = ""
    context_id: str = ""
    status: Status = Status()
    artifacts: tuple[Artifact, ...] = ()
    history: tuple[Message, ...] = ()


class StatusUpdate(Shape, frozen=True):
    """A task's new status."""

    task_id: str = ""
    context_id: str = ""
    status: Status = Status()


class ArtifactUpdate(Shape, frozen=True):
    """Content of an artifact: more of it with `append`, else what it is now; `last_chunk`: it is complete."""

    task_id: str = ""
    context_id: str = ""
    artifact: Artifact = Artifact()
    append: bool = False
    last_chunk: bool = False


class Said(Shape, frozen=True):
    """One of what a stream brings."""

    task: Task | None = None
    message: Message | None = None
    status_update: StatusUpdate | None = None
    artifact_update: ArtifactUpdate | None = None


def read(value: JsonObject) -> Said:
    """What was said; raises `MalformedReply`."""
    try:
        found = msgspec.convert(value, Said)
    except msgspec.ValidationError as error:
        raise MalformedReply(f"the remote agent said something that is not A2A: {error}") from error
    _bounded(found)
    return found


def read_task(value: JsonObject) -> Task:
    """A task; raises `MalformedReply`."""
    found = read({"task": value}).task
    if found is None:
        raise MalformedReply("the remote agent answered without a task")
    return found


def _bounded(said: Said) -> None:
    artifacts = [*(said.task.artifacts if said.task else ())]
    ids: list[str] = []
    if said.artifact_update is not None:
        artifacts.append(said.artifact_update.artifact)
    if said.task is not None:
        ids += [said.task.id, said.task.context_id]
    ids += [artifact.artifact_id for artifact in artifacts]
    if any(len(one) > LONGEST_ID for one in ids):
        raise MalformedReply(f"the remote agent uses an id of more than {LONGEST_ID} characters")
    if sum(len(artifact.parts) for artifact in artifacts) > MOST_PARTS:
        raise MalformedReply(f"the remote agent sent more than {MOST_PARTS} parts at once")
