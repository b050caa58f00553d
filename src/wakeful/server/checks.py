"""What no client may propose over any protocol: ids that fit no path, and JSON too deep to be shown again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast

import msgspec

from wakeful.contracts.errors import BadRequest
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.message import DataPart
from wakeful.contracts.request import InputMessage, RunRequest
from wakeful.contracts.thread import MAX_STATE_BYTES

LONGEST_ID = 200
DEEPEST_JSON = 100
MOST_METADATA_BYTES = 64 * 1024
MOST_DATA_BYTES = 256 * 1024
ADDRESSABLE = re.compile(r"(?!\.{1,2}\Z)[^\x00-\x1f\x7f/]+")


def check_id(noun: str, id: str | None) -> None:
    """Raise `BadRequest` for an id that could not be part of a path."""
    if id is None:
        return
    if len(id) > LONGEST_ID:
        raise BadRequest(f"a {noun} id has at most {LONGEST_ID} characters, found {len(id)}")
    if not ADDRESSABLE.fullmatch(id):
        raise BadRequest(f"a {noun} id is part of paths: no '/', no control characters, not '.' or '..'; found {id!r}")


def check_json(noun: str, value: JsonValue) -> None:
    """Raise `BadRequest` for JSON nested deeper than 100 levels."""
    level = [value]
    for _ in range(DEEPEST_JSON):
        level = [child for item in level for child in _children(item)]
        if not level:
            return
    raise BadRequest(f"{noun} is nested deeper than {DEEPEST_JSON} levels; send something flatter")


def check_request(request: RunRequest) -> None:
    """Raise `BadRequest` for anything in a request that could not be kept."""
    check_id("thread", request.thread_id)
    check_id("run", request.run_id)
    check_messages(request.messages)
    check_decisions(request.decisions)
    check_state(request.options.state)
    for tool in request.options.frontend_tools:
        check_json(f"the parameters of tool {tool.name!r}", tool.parameters)


def check_messages(messages: Sequence[InputMessage]) -> None:
    """Raise `BadRequest` for messages that could not be kept.

    Metadata has at most 64 KiB as JSON, a data part 256 KiB.
    """
    for message in messages:
        check_id("message", message.id)
        if message.metadata is not None:
            _check_value("the metadata of a message", message.metadata, MOST_METADATA_BYTES)
        for part in message.parts:
            if isinstance(part, DataPart):
                _check_value("a data part", part.data, MOST_DATA_BYTES)


def check_state(state: JsonObject | None) -> None:
    """Raise `BadRequest` for a shared state that is nested too deeply, or longer than 256 KiB as JSON."""
    if state is not None:
        _check_value("the shared state", state, MAX_STATE_BYTES)


def check_decisions(decisions: Sequence[Decision]) -> None:
    """Raise `BadRequest` for answers that could not be kept."""
    for decision in decisions:
        check_json("a decision's output", decision.output)
        check_json("a decision's arguments", decision.arguments)


def _check_value(noun: str, value: JsonValue, most: int) -> None:
    check_json(noun, value)
    size = len(msgspec.json.encode(value))
    if size > most:
        raise BadRequest(f"{noun} has {size} bytes as JSON; expected at most {most}")


def _children(value: JsonValue) -> list[JsonValue]:
    # The casts say what decoded JSON is made of; `isinstance` alone cannot.
    if isinstance(value, dict):
        return list(cast("JsonObject", value).values())
    return cast("list[JsonValue]", value) if isinstance(value, list) else []
