"""Paths into JSON arguments: `command`, `files[0].name`, `files[*].name`, `headers.*`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import cast

import msgspec

from wakeful.contracts.json import JsonObject, JsonValue

KEY = r"[A-Za-z_][A-Za-z0-9_-]*"
PATH = rf"(?:{KEY}|\*)(?:\.(?:{KEY}|\*)|\[(?:[0-9]{{1,9}}|\*)\])*"
STEP = re.compile(rf"\.?(?P<key>{KEY}|\*)|\[(?P<index>[0-9]+|\*)\]")

Path = tuple[str | int, ...]
"""Keys and indexes; `"*"` is every key of an object, `-1` every item of an array."""
EVERY_KEY = "*"
EVERY_ITEM = -1


def parse_path(text: str) -> Path:
    """The steps of a text that `PATH` matches."""
    return tuple(_step(step) for step in STEP.finditer(text))


def resolve(path: Path, value: JsonValue) -> list[JsonValue]:
    """All values the path leads to; none where a key or an index is not there."""
    found = [value]
    for step in path:
        found = [child for one in found for child in _children(one, step)]
    return found


def as_text(value: JsonValue) -> str:
    """A value as patterns see it: a string as it is, null as nothing, all else as compact JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()


def _step(step: re.Match[str]) -> str | int:
    if step["index"] is None:
        return step["key"]
    return EVERY_ITEM if step["index"] == "*" else int(step["index"])


def _children(value: JsonValue, step: str | int) -> Iterable[JsonValue]:
    # The casts say what decoded JSON is made of; `isinstance` alone cannot.
    if isinstance(value, dict) and isinstance(step, str):
        members = cast("JsonObject", value)
        return members.values() if step == EVERY_KEY else [members[step]] if step in members else []
    if isinstance(value, list) and isinstance(step, int):
        items = cast("list[JsonValue]", value)
        return items if step == EVERY_ITEM else items[step : step + 1]
    return []
