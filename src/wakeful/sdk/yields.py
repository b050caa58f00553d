"""What an agent of code may yield, and how each becomes what a run shows."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from wakeful.contracts.backend import BackendChunk
from wakeful.contracts.event import (
    ArtifactChanged,
    DataEmitted,
    FileGenerated,
    ReasoningDelta,
    StatusNoted,
    TextDelta,
    ToolCallDelta,
    ToolCallProposed,
)
from wakeful.contracts.interrupt import ASK_AUTHORISATION, ASK_USER
from wakeful.contracts.json import JsonObject
from wakeful.contracts.message import DataPart, FilePart, TextPart
from wakeful.sdk.values import to_json_value


@dataclass(frozen=True, slots=True)
class Reasoning:
    """Visible thoughts."""

    text: str


@dataclass(frozen=True, slots=True)
class Status:
    """What the agent is about now; shown, and no part of its answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The agent will not do this; `text` says why. Nothing more of it is run."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Data:
    """A JSON value as part of the answer; `name` says what kind of value it is."""

    value: object
    name: str = ""


@dataclass(frozen=True, slots=True)
class Artifact:
    """Content of an artifact: a text, a file, or any other JSON value.

    `append` adds to what the artifact has, text to its last text; `last` says that it is complete.
    """

    id: str
    content: object
    name: str | None = None
    description: str | None = None
    append: bool = False
    last: bool = False


@dataclass(frozen=True, slots=True)
class AskUser:
    """A question to whoever called the agent; the answer comes as `request.answers[key]`.

    `schema` is the JSON Schema of the answer, a text without one. `more`: another question follows, and all of them
    are asked together.
    """

    question: str
    key: str = "answer"
    schema: JsonObject | None = None
    more: bool = False

    @staticmethod
    def key_of(arguments: str) -> str:
        """The key in a question's call."""
        return str(msgspec.json.decode(arguments, type=JsonObject).get("key", "answer"))


@dataclass(frozen=True, slots=True)
class AskAuthorisation:
    """A request for a right or a credential, to be given at `url` where there is one; the answer comes like others."""

    question: str
    key: str = "authorisation"
    url: str | None = None
    more: bool = False


def chunks_of(value: object, *, call_id: str) -> list[BackendChunk] | None:
    """What a yielded value shows; None for one that is nothing of the kind. `call_id` is for a question."""
    match value:
        case str(text) | Refused(text):
            return [TextDelta(text)] if text else []
        case Reasoning(text):
            return [ReasoningDelta(text)]
        case Status(text):
            return [StatusNoted(text)]
        case AskUser() | AskAuthorisation():
            return _question(value, call_id)
        case Artifact():
            return [_artifact(value)]
        case _:
            return _data(value)


def _question(asked: AskUser | AskAuthorisation, call_id: str) -> list[BackendChunk]:
    arguments: JsonObject = {"question": asked.question, "key": asked.key}
    if isinstance(asked, AskUser):
        name = ASK_USER
        if asked.schema is not None:
            arguments["schema"] = asked.schema
    else:
        name = ASK_AUTHORISATION
        if asked.url is not None:
            arguments["url"] = asked.url
    return [ToolCallProposed(call_id, name), ToolCallDelta(call_id, msgspec.json.encode(arguments).decode())]


def _artifact(made: Artifact) -> ArtifactChanged:
    match made.content:
        case str(text):
            part = TextPart(text)
        case TextPart() | FilePart() | DataPart():
            part = made.content
        case _:
            part = DataPart(to_json_value(made.content, what=f"artifact {made.id}"))
    return ArtifactChanged(made.id, part, made.name, made.description, made.append, made.last)


def _data(value: object) -> list[BackendChunk] | None:
    match value:
        case FilePart():
            return [FileGenerated(value)]
        case DataPart(data, name):
            return [DataEmitted(data, name)]
        case Data():
            return [DataEmitted(to_json_value(value.value, what="data"), value.name)]
        case None | bool() | int() | float() | bytes():
            return None
        case _:
            return [DataEmitted(to_json_value(value, what="data"), "")]
