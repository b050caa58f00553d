"""Inputs that headers repeat: `Mcp-Param-*` says what the arguments say (MCP 2026-07-28, Streamable HTTP)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from wakeful.contracts.exposure import Mirrored, mirrored_inputs
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.protocols.mcp import wire
from wakeful.protocols.mcp.envelope import decoded

DECIMAL = re.compile(r"-?[0-9]{1,400}(\.0+)?")


def check(parameters: JsonObject, arguments: JsonObject, headers: Iterable[tuple[str, str]]) -> None:
    """Raise `Refused` unless every marked input of a tool and its header say the same, or neither is there.

    A header without its argument is refused too: whoever routed the request by it was told what is not so.
    """
    marked = mirrored_inputs(parameters)
    if not marked:
        return
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name.lower(), []).append(value)
    for one in marked:
        _check_one(one, found.get(one.header, []), _argument(one, arguments))


def _check_one(one: Mirrored, sent: list[str], value: JsonValue) -> None:
    mirrors = isinstance(value, str | int | float)
    if len(sent) > 1:
        raise _mismatch(f"expected one header {one.header}, found several")
    if mirrors and not sent:
        raise _mismatch(f"expected a header {one.header} with the argument {'.'.join(one.path)}, found none")
    if sent and not (mirrors and _agrees(value, decoded(sent[0]))):
        raise _mismatch(f"expected {one.header} to say what the argument {'.'.join(one.path)} says, found {sent[0]!r}")


def _argument(one: Mirrored, arguments: JsonObject) -> JsonValue:
    value: JsonValue = arguments
    for name in one.path:
        inside = wire.as_object(value)
        value = None if inside is None else inside.get(name)
    return value


def _agrees(value: JsonValue, header: str | None) -> bool:
    """Whether a header has a value; a whole number may be written in several ways."""
    if isinstance(value, bool):
        return header == ("true" if value else "false")
    if isinstance(value, int | float) and header is not None and DECIMAL.fullmatch(header):
        return int(header.partition(".")[0]) == value
    return header == str(value)


def _mismatch(message: str) -> wire.Refused:
    return wire.Refused(wire.HEADER_MISMATCH, message)
