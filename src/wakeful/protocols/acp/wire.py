"""The shapes of ACP version 1 that both sides send: content, tool calls and updates, as published with its schema."""

from __future__ import annotations

from typing import Literal

import msgspec

from wakeful.contracts.json import JsonValue

StopReason = Literal["end_turn", "max_tokens", "max_turn_requests", "refusal", "cancelled"]
ToolKind = Literal["read", "edit", "delete", "move", "search", "execute", "think", "fetch", "switch_mode", "other"]
CallStatus = Literal["pending", "in_progress", "completed", "failed"]


class Shape(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Base of all shapes: camelCase on the wire, absent members are left out."""


# -- content


class TextContent(Shape, frozen=True, tag_field="type", tag="text"):
    """Text."""

    text: str


class ImageContent(Shape, frozen=True, tag_field="type", tag="image"):
    """An image: base64 `data`, or at `uri`."""

    mime_type: str
    data: str = msgspec.field(default="")
    uri: str | None = None


class OutImage(Shape, frozen=True, tag_field="type", tag="image"):
    """An image of ours: always with its data."""

    data: str
    mime_type: str


class AudioContent(Shape, frozen=True, tag_field="type", tag="audio"):
    """Sound as base64 `data`."""

    data: str
    mime_type: str


class ResourceLink(Shape, frozen=True, tag_field="type", tag="resource_link"):
    """A thing somewhere else."""

    uri: str
    name: str
    title: str | None = None
    description: str | None = None
    mime_type: str | None = None


class Contents(Shape, frozen=True):
    """What a resource holds: `text`, or base64 `blob`."""

    uri: str
    text: str | None = None
    blob: str | None = None
    mime_type: str | None = None


class Resource(Shape, frozen=True, tag_field="type", tag="resource"):
    """A resource with its contents."""

    resource: Contents


SentBlock = TextContent | ImageContent | AudioContent | ResourceLink | Resource
Block = TextContent | OutImage | AudioContent | ResourceLink | Resource


# -- tool calls


class Content(Shape, frozen=True, tag_field="type", tag="content"):
    """A block in a call."""

    content: Block


class Diff(Shape, frozen=True, tag_field="type", tag="diff"):
    """A file that a call changed, or wrote anew when there is no `old_text`. `path` is absolute."""

    path: str
    new_text: str
    old_text: str | None = None


class Location(Shape, frozen=True):
    """A file a call is about. `path` is absolute, `line` counts from 0."""

    path: str
    line: int | None = None


class AskedCall(Shape, frozen=True):
    """A call inside a request for permission."""

    tool_call_id: str
    title: str
    name: str
    kind: ToolKind
    status: CallStatus
    raw_input: JsonValue = None
    locations: list[Location] | None = None
    content: list[Content | Diff] | None = None


# -- updates


class Update(Shape, frozen=True, tag_field="sessionUpdate"):
    """Base of what `session/update` brings."""


class UserChunk(Update, frozen=True, tag="user_message_chunk"):
    """A part of what the user said."""

    content: Block
    message_id: str | None = None


class AgentChunk(Update, frozen=True, tag="agent_message_chunk"):
    """A part of the answer."""

    content: Block
    message_id: str | None = None


class ThoughtChunk(Update, frozen=True, tag="agent_thought_chunk"):
    """A part of what the agent thinks."""

    content: Block
    message_id: str | None = None


class ToolCall(Update, frozen=True, tag="tool_call"):
    """A call begins."""

    tool_call_id: str
    title: str
    name: str
    kind: ToolKind
    status: CallStatus | None = None
    raw_input: JsonValue = None
    raw_output: JsonValue = None
    content: list[Content | Diff] | None = None
    locations: list[Location] | None = None


class ToolCallUpdate(Update, frozen=True, tag="tool_call_update"):
    """A call goes on; what is absent stays as it was."""

    tool_call_id: str
    title: str | None = None
    status: CallStatus | None = None
    raw_input: JsonValue = None
    raw_output: JsonValue = None
    content: list[Content | Diff] | None = None
    locations: list[Location] | None = None


class PlanEntry(Shape, frozen=True):
    """One line of a plan."""

    content: str
    priority: Literal["high", "medium", "low"]
    status: Literal["pending", "in_progress", "completed"]


class Plan(Update, frozen=True, tag="plan"):
    """The whole plan."""

    entries: list[PlanEntry]


class CurrentMode(Update, frozen=True, tag="current_mode_update"):
    """The mode the session is in now."""

    current_mode_id: str


class SelectOption(Shape, frozen=True):
    """One value a configuration option may have."""

    value: str
    name: str
    description: str | None = None


class ConfigOption(Shape, frozen=True, tag_field="type", tag="select"):
    """A choice the user has."""

    id: str
    name: str
    current_value: str
    options: list[SelectOption]
    category: str | None = None


class ConfigOptions(Update, frozen=True, tag="config_option_update"):
    """All choices, as they are now."""

    config_options: list[ConfigOption]


class SessionInfoUpdate(Update, frozen=True, tag="session_info_update"):
    """What a session is called; `updated_at` is ISO 8601."""

    title: str | None = None
    updated_at: str | None = None


class Cost(Shape, frozen=True):
    """Money spent on a session."""

    amount: float
    currency: str


class UsageUpdate(Update, frozen=True, tag="usage_update"):
    """Tokens in the model's context, of `size`; 0 is a size that is not known."""

    used: int
    size: int
    cost: Cost | None = None


class Notice(Update, frozen=True, tag="notice"):
    """Something for the user that is no part of the conversation."""

    severity: Literal["info", "warning", "error"]
    title: str
    description: str | None = None
