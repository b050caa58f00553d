"""Judges the JSON Schemas of strangers: bounded in size and depth, and never able to fetch or to loop."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import msgspec

from wakeful.contracts.errors import ToolInputInvalid
from wakeful.contracts.json import JsonObject, JsonValue

if TYPE_CHECKING:
    from jsonschema_rs import Validator

MAX_BYTES = 65_536
MAX_DEPTH = 48
MAX_EXPANSION = 10_000
"""Subschemas to look at when every reference is replaced by what it refers to."""
PROBLEMS = 20
DIALECT = re.compile(r"https?://json-schema\.org/(draft-0[4-7]|draft/2019-09|draft/2020-12)/schema#?")
"""The dialects the validator holds itself; it would ask the network for another."""
ArgumentCheck = Callable[[JsonObject], JsonObject]


class SchemaRefused(ValueError):
    """The schema cannot be shown to a model; the message says why."""


def argument_check(schema: JsonValue) -> ArgumentCheck:
    """What validates arguments against `schema`, or raises `ToolInputInvalid` naming the problems.

    A schema whose references are recursive, lead outside or expand without bound is shown to the model as it is, but
    the server alone judges the arguments. Raises `SchemaRefused` for what is no JSON Schema of an object.
    """
    import jsonschema_rs

    root = cast("JsonObject", schema) if isinstance(schema, dict) else {}
    if root.get("type") != "object":
        raise SchemaRefused('expected an inputSchema with "type": "object"')
    if _depth_exceeds(root, MAX_DEPTH):
        raise SchemaRefused(f"its inputSchema is nested more than {MAX_DEPTH} levels deep")
    size = len(msgspec.json.encode(root))
    if size > MAX_BYTES:
        raise SchemaRefused(f"its inputSchema has {size} bytes, more than {MAX_BYTES}")
    known = {key: value for key, value in root.items() if key != "$schema" or DIALECT.fullmatch(str(value))}
    try:
        jsonschema_rs.meta.validate(known)
        if _Expansion(known).size() > MAX_EXPANSION:
            return lambda arguments: arguments
        options = jsonschema_rs.FancyRegexOptions(backtrack_limit=10_000, size_limit=1 << 20)
        validator = jsonschema_rs.validator_for(known, pattern_options=options, offline=True)
    except ValueError as error:
        raise SchemaRefused(f"its inputSchema is no JSON Schema: {str(error)[:200]}") from None
    return lambda arguments: _checked(validator, arguments)


def _checked(validator: Validator, arguments: JsonObject) -> JsonObject:
    problems: list[JsonValue] = [
        {"field": "/".join(str(step) for step in error.instance_path), "problem": error.message[:500]}
        for error, _ in zip(validator.iter_errors(arguments), range(PROBLEMS), strict=False)
    ]
    if problems:
        listed = "; ".join(f"{problem['field'] or 'arguments'}: {problem['problem']}" for problem in problems)
        raise ToolInputInvalid(f"The arguments do not fit: {listed}", details=problems)
    return arguments


def _depth_exceeds(value: JsonValue, limit: int) -> bool:
    level: list[JsonValue] = [value]
    for _ in range(limit):
        level = [child for node in level for child in _children(node)]
        if not level:
            return False
    return True


def _children(node: JsonValue) -> list[JsonValue]:
    if isinstance(node, dict):
        return list(cast("JsonObject", node).values())
    return cast("list[JsonValue]", node) if isinstance(node, list) else []


class _Expansion:
    """Counts what a schema comes to with its references replaced; recursion counts as without bound."""

    def __init__(self, root: JsonObject) -> None:
        self._root = root
        self._sizes: dict[str, int] = {}

    def size(self) -> int:
        try:
            return self._of(self._root)
        except RecursionError:  # a long chain of references
            return MAX_EXPANSION + 1

    def _of(self, node: JsonValue) -> int:
        total = 1 + sum(self._of(child) for child in _children(node))
        if isinstance(node, dict):
            for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
                if keyword in node:
                    total += self._behind(node[keyword])
        return total

    def _behind(self, reference: JsonValue) -> int:
        """The size of what a local reference leads to; while it is being counted it counts as too large."""
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return MAX_EXPANSION + 1
        if reference not in self._sizes:
            self._sizes[reference] = MAX_EXPANSION + 1
            target: JsonValue = self._root
            for step in reference[2:].split("/"):
                inside = cast("JsonObject", target) if isinstance(target, dict) else {}
                target = inside.get(step.replace("~1", "/").replace("~0", "~"))
            self._sizes[reference] = MAX_EXPANSION + 1 if target is None else self._of(target)
        return self._sizes[reference]
