"""What a run remembers of the task that works for it elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from wakeful.contracts.backend import Memory
from wakeful.contracts.json import JsonObject
from wakeful.contracts.model_errors import MalformedReply

T = TypeVar("T", bound=msgspec.Struct)


class Position(msgspec.Struct, frozen=True, array_like=True):
    """How much of an artifact was taken in: characters of text, and parts that are not text."""

    characters: int = 0
    others: int = 0


class Handle(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The message of `step` and the task it belongs to.

    `task_id` is empty until the server has said which it is. `delivered`: the server has answered that message.
    `seen` is what steps before this one have shown of the task's artifacts, `shown` the same with this one, once it is
    done.
    """

    card_url: str
    message_id: str
    step: int
    task_id: str = ""
    context_id: str = ""
    delivered: bool = False
    seen: Mapping[str, Position] = {}
    shown: Mapping[str, Position] = {}


class _Context(msgspec.Struct, frozen=True, kw_only=True):
    card_url: str
    context_id: str


async def recall(memory: Memory) -> Handle | None:
    """The handle as it was written last, None before that; raises `MalformedReply` for anything else."""
    return _read(await memory.read(), Handle)


async def remember(memory: Memory, handle: Handle) -> None:
    """Make the handle durable."""
    await memory.write(_plain(handle))


async def known_context(memory: Memory, card_url: str) -> str:
    """The remote conversation that belongs to the thread, empty while there is none with this agent."""
    found = _read(await memory.read(), _Context)
    return found.context_id if found and found.card_url == card_url else ""


async def keep_context(memory: Memory, card_url: str, context_id: str) -> None:
    """Let later runs of the thread go on in this remote conversation."""
    await memory.write(_plain(_Context(card_url=card_url, context_id=context_id)))


def _plain(value: msgspec.Struct) -> JsonObject:
    return msgspec.convert(msgspec.to_builtins(value), JsonObject)


def _read(value: JsonObject | None, shape: type[T]) -> T | None:
    if value is None:
        return None
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise MalformedReply(f"what was remembered of the remote task cannot be read: {error}") from error
