"""The messages a client sent, where a snapshot may give them back: all of them, and each as its validator wants it.

Source: AG-UI specification 1.0, `schema.json`, messages. An optional field is there or not, but never null.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from wakeful.contracts.json import JsonObject

MOST_BYTES = 1024 * 1024
"""Above this length of the request its messages are not kept for a snapshot."""
CLIENTS_OWN = frozenset({"activity", "reasoning"})
"""Roles that a snapshot leaves out."""


class SnapshotBase(msgspec.Struct, frozen=True):
    """Messages as they were sent, without activities and reasoning; `ids` of all."""

    messages: tuple[msgspec.Raw, ...]
    ids: frozenset[str]


def snapshot_base(body: bytes) -> SnapshotBase | None:
    """The messages of a run's input; None when there are none or a client could refuse one."""
    if len(body) > MOST_BYTES:
        return None
    try:
        raw = _raw.decode(body).messages
        typed = _typed.decode(body).messages
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if not typed or not all(_complete(message) for message in typed):
        return None
    ids = frozenset(message.id for message in typed)
    if len(ids) < len(typed):
        return None
    kept = (text for text, message in zip(raw, typed, strict=True) if message.role not in CLIENTS_OWN)
    return SnapshotBase(tuple(msgspec.Raw(bytes(text)) for text in kept), ids)


class _Function(msgspec.Struct, frozen=True):
    name: str
    arguments: str


class _Call(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    type: Literal["function"]
    function: _Function
    encrypted_value: str | UnsetType = UNSET
    metadata: JsonObject | UnsetType = UNSET


class _Source(msgspec.Struct, frozen=True, rename="camel"):
    type: Literal["data", "url", "file"]
    value: str
    mime_type: str | UnsetType = UNSET
    provider: str | UnsetType = UNSET


class _Part(msgspec.Struct, frozen=True):
    type: Literal["text", "image", "audio", "video", "document"]
    text: str | UnsetType = UNSET
    source: _Source | UnsetType = UNSET
    metadata: JsonObject | UnsetType = UNSET


class _Message(msgspec.Struct, frozen=True, rename="camel"):
    id: Annotated[str, msgspec.Meta(min_length=1)]
    role: Literal["developer", "system", "assistant", "user", "tool", "activity", "reasoning"]
    content: str | list[_Part] | JsonObject | UnsetType = UNSET
    tool_calls: list[_Call] | UnsetType = UNSET
    tool_call_id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    error: str | UnsetType = UNSET
    encrypted_value: str | UnsetType = UNSET
    subagent_run_id: str | UnsetType = UNSET
    metadata: JsonObject | UnsetType = UNSET


class _Typed(msgspec.Struct, frozen=True):
    messages: list[_Message]


class _Raw(msgspec.Struct, frozen=True):
    messages: list[msgspec.Raw]


def _complete(message: _Message) -> bool:
    content = message.content
    match message.role:
        case "assistant":
            fits = isinstance(content, (str, UnsetType))
        case "tool":
            fits = isinstance(content, (str, list)) and message.tool_call_id is not UNSET
        case "user":
            fits = isinstance(content, (str, list))
        case "system" | "developer":
            fits = isinstance(content, str)
        case "activity" | "reasoning":
            fits = True
    parts = content if isinstance(content, list) else []
    return fits and all((part.text is UNSET) == (part.type != "text") for part in parts) and _sourced(parts)


def _sourced(parts: list[_Part]) -> bool:
    return all((part.source is UNSET) == (part.type == "text") for part in parts)


_raw = msgspec.json.Decoder(_Raw)
_typed = msgspec.json.Decoder(_Typed)
