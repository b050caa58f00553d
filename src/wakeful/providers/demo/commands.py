"""What the demo model understands: sentences read as commands. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, get_args

import msgspec

from wakeful.contracts.json import JsonObject

Shape = Literal["circle", "square", "triangle"]
SHAPES: tuple[Shape, ...] = get_args(Shape)
HIGHEST_COUNT = 10_000
LONGEST_PAUSE_MS = 10_000


class UseTool(msgspec.Struct, frozen=True):
    """Call a tool; `arguments` is the JSON text as written, `None` when it is not a JSON object."""

    name: str
    arguments: str | None


class CountTo(msgspec.Struct, frozen=True):
    """Count from 1, with `pause_ms` between two numbers."""

    last: int
    pause_ms: int = 0


class ThinkAbout(msgspec.Struct, frozen=True):
    """Reason first, then answer."""

    topic: str


class Cite(msgspec.Struct, frozen=True):
    """Answer from a source: the URL of a page, or the name of a document."""

    source: str


class Draw(msgspec.Struct, frozen=True):
    """Answer with a picture of a shape."""

    shape: Shape


class Fail(msgspec.Struct, frozen=True):
    """Fail in a way that asking again does not help."""


class Chat(msgspec.Struct, frozen=True):
    """Anything else."""

    text: str


Command = UseTool | CountTo | ThinkAbout | Cite | Draw | Fail | Chat

_NEXT = re.compile(
    r"\s*(?:,\s*)?\band\s+(?=(?:the\s+)?weather in\s|email\s+\S+@|count to\s+\d|think about\s|use\s+[\w.-]+\s*\{"
    r"|cite\s+\S+[.:]|draw\s+an?\s)",
    re.IGNORECASE,
)
_WEATHER = re.compile(r"\bweather in\s+([^?!.,;\n]+)", re.IGNORECASE)
_EMAIL = re.compile(r"\bemail\s+([^\s@]+@[^\s@]+)(?:\s+(.*))?$", re.IGNORECASE | re.DOTALL)
_COUNT = re.compile(r"\bcount to\s+(\d{1,9})(?:\s+every\s+(\d{1,9})\s*(ms|s)\b)?", re.IGNORECASE)
_THINK = re.compile(r"\bthink about\s+(.+)$", re.IGNORECASE | re.DOTALL)
_CITE = re.compile(r"\bcite\s+(https?://\S+|[\w-]+\.[a-z]{2,4}(?=[.,;!?]*\s*$))", re.IGNORECASE)
_DRAW = re.compile(rf"\bdraw\s+an?\s+({'|'.join(SHAPES)})\b", re.IGNORECASE)
_USE = re.compile(r"^(?:please\s+)?use\s+([\w.-]+)\s*(\{.*\})?\s*$", re.IGNORECASE | re.DOTALL)


def read_commands(text: str) -> list[Command]:
    """The commands of one message, in order; several are joined by "and"."""
    if text.strip().lower() == "fail":
        return [Fail()]
    return [_read(clause.strip()) for clause in _NEXT.split(text)]


def _read(clause: str) -> Command:
    for pattern, command in _READERS:
        if match := pattern.search(clause):
            return command(match)
    return Chat(clause)


def _use(match: re.Match[str]) -> Command:
    arguments = match[2] or "{}"
    try:
        msgspec.json.decode(arguments, type=JsonObject)
    except msgspec.DecodeError:
        return UseTool(match[1], None)
    return UseTool(match[1], arguments)


def _weather(match: re.Match[str]) -> Command:
    return UseTool("get_weather", _json({"city": match[1].strip()}))


def _email(match: re.Match[str]) -> Command:
    return UseTool("send_email", _json({"to": match[1].strip(",.;:"), "body": (match[2] or "").strip()}))


def _count(match: re.Match[str]) -> Command:
    pause_ms = int(match[2] or 0) * (1000 if (match[3] or "").lower() == "s" else 1)
    return CountTo(min(max(int(match[1]), 1), HIGHEST_COUNT), min(pause_ms, LONGEST_PAUSE_MS))


def _think(match: re.Match[str]) -> Command:
    return ThinkAbout(match[1].strip().rstrip(".!?"))


def _cite(match: re.Match[str]) -> Command:
    return Cite(match[1].rstrip(".,;!?"))


def _draw(match: re.Match[str]) -> Command:
    return Draw(next(shape for shape in SHAPES if shape == match[1].lower()))


def _json(arguments: JsonObject) -> str:
    return msgspec.json.encode(arguments).decode()


_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Command]], ...] = (
    (_USE, _use),
    (_EMAIL, _email),
    (_WEATHER, _weather),
    (_COUNT, _count),
    (_CITE, _cite),
    (_DRAW, _draw),
    (_THINK, _think),
)
