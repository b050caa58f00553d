"""Reads the named SQL of a store's `queries/*.sql`.

A query begins at `-- name: xyz` and ends at the next name. A line that ends in `-- if argument` is part of the
query only when that argument is given (not None), one that ends in `-- unless argument` only when it is not.
Lines that begin with `--` are comments.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files

Value = str | bytes | int | float | None

_NAME = re.compile(r"^-- name: (\w+)$")
_CONDITION = re.compile(r"^(.*?) -- (if|unless) (\w+)$")
# A colon of a cast is not the beginning of a name.
_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")


class Query:
    """One named query. `text(values)` is its SQL for these arguments, the same object for those alike."""

    __slots__ = ("_conditions", "_lines", "_texts", "text")

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = [_line(line) for line in lines]
        self._conditions = tuple({argument for _, _, argument in self._lines if argument is not None})
        self._texts: dict[tuple[bool, ...], str] = {}
        fixed = "\n".join(line for line, _, _ in self._lines)
        self.text: Callable[[Mapping[str, object]], str] = self._chosen if self._conditions else lambda _: fixed

    def _chosen(self, values: Mapping[str, object]) -> str:
        given = tuple([values.get(argument) is not None for argument in self._conditions])
        text = self._texts.get(given)
        return self._texts.setdefault(given, self._composed(values)) if text is None else text

    def _composed(self, values: Mapping[str, object]) -> str:
        return "\n".join(
            line
            for line, when_given, argument in self._lines
            if argument is None or (values.get(argument) is not None) is when_given
        )


def _line(line: str) -> tuple[str, bool, str | None]:
    if found := _CONDITION.match(line):
        return found[1], found[2] == "if", found[3]
    return line, True, None


def numbered(text: str, mark: str) -> tuple[str, tuple[str, ...]]:
    """The SQL with its named parameters numbered from 1 behind `mark`, and their names in order."""
    names = tuple(dict.fromkeys(_PARAMETER.findall(text)))
    return _PARAMETER.sub(lambda found: f"{mark}{names.index(found[1]) + 1}", text), names


def load_queries(room: str) -> Mapping[str, Query]:
    """All queries of a package such as `"wakeful.stores.sqlite"`, by name.

    Raises `ValueError` when two share a name.
    """
    queries: dict[str, Query] = {}
    for source in sorted(files(room).joinpath("queries").iterdir(), key=lambda file: file.name):
        for name, lines in _split(source.read_text("utf-8")).items():
            if name in queries:
                raise ValueError(f"two queries are named {name}")
            queries[name] = Query(lines)
    return queries


def _split(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if header := _NAME.match(line):
            lines = found.setdefault(header[1], [])
        elif line and not line.startswith("--"):
            lines.append(line)
    return found
