r"""The one language for tool calls: which tool, called with what.

    search                      a tool by name
    mcp__github__*              tools by glob
    /^mcp__(github|gitlab)__/   tools by regular expression (Rust's syntax), found anywhere in the name
    bash(git *)                 a glob over the primary argument, which the tool's schema names
    bash(command ~ "git *")     a condition on an argument, wherever it is
    pay(amount = "5", to.country != "CH")   several, all of which must hold

| operator | holds when some value at the path |
|---|---|
| `=`, `!=` | is the text, is another text |
| `~`, `!~` | fits the glob, does not |
| `=~`, `!=~` | has a match of the regular expression, has none |

Where a path leads to no value nothing holds, a negation no more than the rest. Values that are not strings are compared
as compact JSON, null as an empty text. `docs/patterns.md` has the truth table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, cast

import msgspec
from pydantic import AfterValidator, StringConstraints

from wakeful.contracts.glob import Glob
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.json_path import PATH, Path, as_text, parse_path, resolve
from wakeful.contracts.regex import text_matcher

LONGEST = 2000
CALL = re.compile(r"(?P<tool>/(?:[^/\\]|\\.)+/|(?:[^()/\\\s]|\\.)+)(?:\((?P<arguments>.*)\))?", re.DOTALL)
CONDITION = re.compile(rf'\s*(?P<path>{PATH})\s*(?P<operator>!?=~|!?~|!?=)\s*(?P<text>"(?:[^"\\]|\\.)*")\s*')
ANYTHING = "*"

Test = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Condition:
    """What some value at a path must be like."""

    path: Path
    test: Test

    def holds(self, arguments: JsonObject) -> bool:
        """Whether some value at the path passes."""
        return any(self.test(as_text(value)) for value in resolve(self.path, arguments))


@dataclass(frozen=True, slots=True)
class CallPattern:
    """One pattern, compiled. `primary` is the glob over the primary argument, None where it may be anything."""

    text: str
    tool: Test
    name: str | None
    """The one tool it is about, None where the tool part fits several."""
    primary: Glob | None = None
    conditions: tuple[Condition, ...] = ()

    @property
    def any_arguments(self) -> bool:
        """Whether it fits every call of its tools."""
        return self.primary is None and not self.conditions

    def fits(self, tool: str, arguments: JsonObject, schema: JsonObject) -> bool:
        """Whether a call of `tool`, whose parameters are `schema`, is one the pattern is about."""
        if not self.tool(tool):
            return False
        if self.primary is not None:
            key = primary_argument(schema)
            return key is not None and key in arguments and self.primary.fits(as_text(arguments[key]))
        return all(condition.holds(arguments) for condition in self.conditions)


def primary_argument(schema: JsonObject) -> str | None:
    """The argument a tool is about: the first required one, else the first it declares; None where it declares none.

    The schema decides, not the call, so that a call cannot slip out of a pattern by bringing one argument more.
    """
    named = [schema.get("required"), schema.get("properties")]
    # The cast says what decoded JSON is made of; `isinstance` alone cannot.
    names = [name for group in named if isinstance(group, list | dict) for name in cast("Iterable[JsonValue]", group)]
    return next((name for name in names if isinstance(name, str)), None)


@lru_cache(maxsize=4096)
def call_pattern(text: str) -> CallPattern:
    """The pattern, compiled once; raises `ValueError` saying what was expected and found."""
    call = CALL.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if call is None:
        raise ValueError(f'expected tool, tool(text) or tool(path = "value", ...), found {text[:200]!r}')
    tool, name = _tool_test(call["tool"])
    arguments = (call["arguments"] if call["arguments"] is not None else ANYTHING).strip()
    if arguments == ANYTHING:
        return CallPattern(text, tool, name)
    if CONDITION.match(arguments):
        return CallPattern(text, tool, name, conditions=_conditions(arguments))
    return CallPattern(text, tool, name, primary=Glob(arguments))


def _tool_test(text: str) -> tuple[Test, str | None]:
    if text.startswith("/"):
        return text_matcher(text[1:-1].replace("\\/", "/")).isinstance_python, None
    glob = Glob(text)
    return glob.fits, glob.literal


def _conditions(text: str) -> tuple[Condition, ...]:
    found: list[Condition] = []
    position = 0
    while condition := CONDITION.match(text, position):
        found.append(_condition(condition))
        position = condition.end()
        if position == len(text):
            return tuple(found)
        if text[position] != ",":
            break
        position += 1
    raise ValueError(f'expected a condition like path = "value" at {text[position : position + 100]!r} of {text!r}')


def _condition(condition: re.Match[str]) -> Condition:
    operator = condition["operator"]
    test = _test(operator.removeprefix("!"), _value(condition["text"]))
    if operator.startswith("!"):
        return Condition(parse_path(condition["path"]), lambda value: not test(value))
    return Condition(parse_path(condition["path"]), test)


def _test(operator: str, value: str) -> Test:
    match operator:
        case "=":
            return value.__eq__
        case "~":
            return Glob(value).fits
        case _:
            return text_matcher(value).isinstance_python


def _value(text: str) -> str:
    try:
        return msgspec.json.decode(text, type=str)
    except msgspec.DecodeError as error:
        raise ValueError(f"expected a JSON string, found {text[:200]}: {error}") from None


def _checked(text: str) -> str:
    call_pattern(text)
    return text


CallPatternText = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST), AfterValidator(_checked)]
