"""The shapes of AG-UI's messages, as history and snapshots give them.

Source: AG-UI specification 1.0, `schema.json`. Absent optional fields are left out: clients die on an explicit null.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from wakeful.contracts.json import JsonObject


class FunctionCall(msgspec.Struct, frozen=True):
    """Which tool, and the arguments as JSON text."""

    name: str
    arguments: str


class ToolCall(msgspec.Struct, frozen=True):
    """A call in an assistant message."""

    id: str
    function: FunctionCall
    type: Literal["function"] = "function"


class TextContent(msgspec.Struct, frozen=True, tag="text", tag_field="type"):
    """Text of a user message."""

    text: str


class Source(msgspec.Struct, frozen=True, rename="camel"):
    """Base64 content (`data`) or an address (`url`)."""

    type: Literal["data", "url"]
    value: str
    mime_type: str


class MediaContent(msgspec.Struct, frozen=True):
    """A file of a user message."""

    type: Literal["image", "audio", "video", "document"]
    source: Source


class InputHistoryMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a user or the system said; `metadata` may have `data`, the values that came along (`build.value`)."""

    id: str
    role: Literal["user", "system"]
    content: str | list[TextContent | MediaContent]
    metadata: JsonObject | None = None


class AssistantMessage(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What the agent said and asked for.

    `metadata` may have `sources`, `files`, `data` and `artifacts`, lists of what `build.py` makes of each.
    """

    id: str
    role: Literal["assistant"]
    content: str | None = None
    tool_calls: list[ToolCall] | None = None
    metadata: JsonObject | None = None


class ToolMessage(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The result of a call; `error` repeats the content when it did not succeed. `metadata` as in a reply."""

    id: str
    role: Literal["tool"]
    tool_call_id: str
    content: str
    error: str | None = None
    metadata: JsonObject | None = None


class ReasoningMessage(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What the agent thought."""

    id: str
    role: Literal["reasoning"]
    content: str
    encrypted_value: str | None = None


HistoryMessage = InputHistoryMessage | AssistantMessage | ToolMessage | ReasoningMessage
