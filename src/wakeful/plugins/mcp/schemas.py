"""Judges by the JSON Schemas of strangers: bounded in size and depth, and never able to fetch or to loop."""

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
MISFITS = 5
UNEVALUATED = frozenset({"unevaluatedProperties", "unevaluatedItems"})
DIALECT = re.compile(r"https?://json-schema\.org/(draft-0[4-7]|draft/2019-09|draft/2020-12)/schema#?")
"""The dialects the validator holds itself; it would ask the network for another."""
MAX_WORK = 10_000_000
"""Bytes of a result times subschemas to look at: what can be judged without holding up everything else."""
ArgumentCheck = Callable[[JsonObject], JsonObject]
ResultCheck = Callable[[JsonValue], str | None]


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
    known = _bounded(root, "inputSchema")
    try:
        jsonschema_rs.meta.validate(known)
        if _Expansion(known).size() > MAX_EXPANSION:
            return lambda arguments: arguments
        options = jsonschema_rs.FancyRegexOptions(backtrack_limit=10_000, size_limit=1 << 20)
        validator = jsonschema_rs.validator_for(known, pattern_options=options, offline=True)
    except ValueError as error:
        raise SchemaRefused(f"its inputSchema is no JSON Schema: {str(error)[:200]}") from None
    return lambda arguments: _checked(validator, arguments)


def result_check(schema: JsonValue) -> ResultCheck:
    """What tells how a result does not fit an `outputSchema`; None when it does, or cannot be judged at a bounded cost.

    Both are a stranger's. So nothing is fetched, patterns are matched in linear time, and what is too large, too deep,
    recursive or no JSON Schema is not judged: a server that wants to promise nothing may do so anyway.
    """
    import jsonschema_rs

    root = cast("JsonObject", schema) if isinstance(schema, dict) else {}
    try:
        known = _bounded(root, "outputSchema")
        size = _Expansion(known).size()
        if not known or size > MAX_EXPANSION:
            return lambda result: None
        jsonschema_rs.meta.validate(known)
        options = jsonschema_rs.RegexOptions(size_limit=1 << 20)
        validator = jsonschema_rs.validator_for(known, pattern_options=options, offline=True)
    except ValueError:
        return lambda result: None
    return lambda result: _misfit(validator, result, MAX_WORK // size)


def _misfit(validator: Validator, result: JsonValue, most_bytes: int) -> str | None:
    if len(msgspec.json.encode(result)) > most_bytes:
        return None
    found = [
        f"{'/'.join(str(step) for step in error.instance_path) or 'the result'}: {error.message[:200]}"
        for error, _ in zip(validator.iter_errors(result), range(MISFITS), strict=False)
    ]
    return "; ".join(found) or None


def _bounded(root: JsonObject, name: str) -> JsonObject:
    """The schema without a dialect that would have to be fetched; raises `SchemaRefused` when it is out of bounds."""
    if _depth_exceeds(root, MAX_DEPTH):
        raise SchemaRefused(f"its {name} is nested more than {MAX_DEPTH} levels deep")
    size = len(msgspec.json.encode(root))
    if size > MAX_BYTES:
        raise SchemaRefused(f"its {name} has {size} bytes, more than {MAX_BYTES}")
    return {key: value for key, value in root.items() if key != "$schema" or DIALECT.fullmatch(str(value))}


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
            if UNEVALUATED & node.keys():  # everything below is looked at twice
                total *= 2
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
