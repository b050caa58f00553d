"""JSON Merge Patch (RFC 7396): to apply one, and to find the one between two objects."""

from __future__ import annotations

from typing import cast

from wakeful.contracts.json import JsonObject, JsonValue


def merged(target: JsonObject, patch: JsonObject) -> JsonObject:
    """The target with the patch applied; null removes a member."""
    result = dict(target)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            inner = result.get(key)
            result[key] = merged(_members(inner) if isinstance(inner, dict) else {}, _members(value))
        else:
            result[key] = value
    return result


def difference(old: JsonObject, new: JsonObject) -> JsonObject:
    """The patch that makes `new` of `old`; a member that is null in `new` and not in `old` is removed."""
    patch: JsonObject = dict.fromkeys(old.keys() - new.keys())
    for key, value in new.items():
        if key not in old:
            patch[key] = value
        elif old[key] != value:
            before = old[key]
            both = isinstance(before, dict) and isinstance(value, dict)
            patch[key] = difference(_members(before), _members(value)) if both else value
    return patch


def _members(value: JsonValue) -> JsonObject:
    # The cast says what decoded JSON is made of; `isinstance` alone cannot.
    return cast("JsonObject", value)
