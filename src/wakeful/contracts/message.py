"""A message and its parts: what a conversation is made of."""

from __future__ import annotations

from typing import Literal

import msgspec

from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.usage import Usage

Role = Literal["system", "user", "assistant", "tool"]
Visibility = Literal["external", "internal"]
ResultStatus = Literal["succeeded", "failed", "denied", "cancelled"]


class TextPart(msgspec.Struct, frozen=True, tag="text", omit_defaults=True):
    """Visible text. `interrupted` marks text that was cut off by a cancel or a failure."""

    text: str
    interrupted: bool = False


class ReasoningPart(msgspec.Struct, frozen=True, tag="reasoning", omit_defaults=True):
    """What the model thought, with what its vendor needs to accept it back.

    `signature` proves unaltered text (Anthropic thinking), `encrypted` carries hidden reasoning (OpenAI
    `encrypted_content`, Anthropic `redacted_thinking`), `item_id` is the vendor's own id for it.
    `provider` names who made it: no other provider is sent it.
    """

    text: str = ""
    signature: str | None = None
    encrypted: str | None = None
    item_id: str | None = None
    provider: str | None = None


class FilePart(msgspec.Struct, frozen=True, tag="file", omit_defaults=True):
    """A file by `url` (`data:` or `https:`) with its MIME `media_type`."""

    media_type: str
    url: str
    filename: str | None = None


class SourcePart(msgspec.Struct, frozen=True, tag="source", omit_defaults=True):
    """What an answer rests on: a page (`url`) or a document (`media_type` and `title`).

    `cited_text` is the passage relied on. `start` and `end` are where, in characters of the text part before it, the
    words stand that it supports.
    """

    id: str
    url: str | None = None
    title: str | None = None
    media_type: str | None = None
    filename: str | None = None
    cited_text: str | None = None
    start: int | None = None
    end: int | None = None


class DataPart(msgspec.Struct, frozen=True, tag="data", omit_defaults=True):
    """A JSON value that is part of a message; `name` says what kind of value it is, where its maker gave one."""

    data: JsonValue
    name: str = ""


class ArtifactPart(msgspec.Struct, frozen=True, tag="artifact", omit_defaults=True):
    """Something an agent made beside its words: a document, a table, an image; `parts` are its content in order."""

    id: str
    parts: tuple[TextPart | FilePart | DataPart, ...]
    name: str | None = None
    description: str | None = None


class ToolCallPart(msgspec.Struct, frozen=True, tag="tool_call"):
    """A call the model asked for; `arguments` is the JSON text exactly as the model wrote it."""

    call_id: str
    name: str
    arguments: str


class ToolResultPart(msgspec.Struct, frozen=True, tag="tool_result", omit_defaults=True):
    """The answer to one call; `output` is the value for the model (an error text unless it succeeded).

    `arguments` is the JSON text the call really ran with, where a human changed it.
    """

    call_id: str
    name: str
    status: ResultStatus
    output: JsonValue
    arguments: str | None = None


InputPart = TextPart | FilePart | DataPart
"""What a client may say."""
MessagePart = TextPart | ReasoningPart | FilePart | SourcePart | DataPart | ArtifactPart | ToolCallPart | ToolResultPart


class ReplyInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a model made a message: its name, the tokens of the call, and how long it took."""

    model: str
    provider: str
    usage: Usage = Usage()
    duration_ms: int = 0


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of a thread. Append-only: a stored message never changes.

    `visibility="internal"` is for the model only. `run_id` and `step` name the producer, where there is one; `reply`
    is present for a complete reply of a model. Sources and files in a tool message came with its result. `metadata` is
    what a client wrote beside its message: untrusted, and not for the model.
    """

    id: str
    role: Role
    parts: tuple[MessagePart, ...]
    created_at: int
    visibility: Visibility = "external"
    run_id: str | None = None
    step: int | None = None
    reply: ReplyInfo | None = None
    metadata: JsonObject | None = None

    @property
    def text(self) -> str:
        """All visible text of the message, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def tool_calls(self) -> tuple[ToolCallPart, ...]:
        """The calls this message asks for, in order."""
        return tuple(part for part in self.parts if isinstance(part, ToolCallPart))
