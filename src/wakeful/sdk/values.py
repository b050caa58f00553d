"""Values of an author's code as JSON."""

from __future__ import annotations

import msgspec
from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

from wakeful.contracts.errors import ToolError
from wakeful.contracts.json import JsonValue

LARGE_BYTES = 1 << 20
"""A result of more JSON than this is handed over as JSON: it will hardly be shown whole, so it need not be decoded."""


def to_json_value(value: object, *, what: str) -> JsonValue:
    """The value as JSON; raises `ToolError` when `what` is none. A large one is `msgspec.Raw` of its JSON.

    The round trip guarantees that whoever stores or sends the value later finds nothing but JSON in it.
    """
    if type(value) is str and _is_unicode(value):
        return value
    try:
        encoded = to_json(value, inf_nan_mode="null", fallback=_builtins)
    except PydanticSerializationError as error:
        raise ToolError(
            f"{what} (a {type(value).__name__}) is not JSON: {error}; "
            "return JSON types, dataclasses, pydantic models or msgspec structs"
        ) from error
    return msgspec.json.decode(encoded) if len(encoded) <= LARGE_BYTES else msgspec.Raw(encoded)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _builtins(value: object) -> object:
    if isinstance(value, msgspec.Struct):
        return msgspec.to_builtins(value, str_keys=True, enc_hook=_jsonable)
    raise TypeError(f"a {type(value).__qualname__} cannot become JSON")


def _jsonable(value: object) -> object:
    return to_jsonable_python(value, inf_nan_mode="null", fallback=_builtins)
