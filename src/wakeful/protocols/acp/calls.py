"""What a client is told of a tool call: its kind, its title, the files it is about, its result and its diffs. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import cast

import msgspec

from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.message import ResultStatus
from wakeful.protocols.acp import wire
from wakeful.protocols.acp.content import json_text, one_line, plain, text

LONGEST_TITLE = 120
KINDS: Mapping[wire.ToolKind, frozenset[str]] = {
    "read": frozenset({"read", "get", "list", "show", "load", "open", "view", "cat", "ls"}),
    "search": frozenset({"search", "find", "grep", "query", "lookup", "glob"}),
    "edit": frozenset({"edit", "write", "update", "patch", "create", "insert", "replace", "save"}),
    "delete": frozenset({"delete", "remove", "rm"}),
    "move": frozenset({"move", "rename", "mv"}),
    "execute": frozenset({"run", "execute", "exec", "bash", "shell", "command", "terminal"}),
    "fetch": frozenset({"fetch", "download", "browse", "http", "web", "crawl"}),
    "think": frozenset({"think", "plan", "reason", "reflect"}),
}
"""The words in a tool's name that tell its kind; the first word that is known decides."""
_PATHS = ("path", "file_path", "filePath", "file", "filename")
_SUBJECTS = (*_PATHS, "command", "query", "pattern", "url")
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


def kind(name: str) -> wire.ToolKind:
    """The kind of a tool, from the words of its name; of `mcp__server__tool` only the tool's own."""
    words = [word.lower() for word in _WORDS.findall(name.rpartition("__")[2])]
    for word in words:
        for found, known in KINDS.items():
            if word in known:
                return found
    return "other"


def title(name: str, arguments: JsonObject) -> str:
    """The tool's name in words, and what the call is about where its arguments say so."""
    words = " ".join(_WORDS.findall(name.rpartition("__")[2])) or name
    subject = next((arguments[key] for key in _SUBJECTS if isinstance(arguments.get(key), str)), "")
    shown = words[:1].upper() + words[1:]
    return one_line(f"{shown}: {subject}" if subject else shown, LONGEST_TITLE)


def read_arguments(written: str) -> JsonObject:
    """The arguments of a call; empty for what is no JSON object."""
    try:
        return msgspec.json.decode(written or "{}", type=JsonObject)
    except (msgspec.DecodeError, RecursionError):
        return {}


def raw_input(written: str) -> JsonValue:
    """The arguments as a client is shown them: JSON, or the text a model wrote that is none."""
    try:
        return msgspec.json.decode(written or "{}")
    except (msgspec.DecodeError, RecursionError):
        return written


def locations(arguments: JsonObject, cwd: str) -> list[wire.Location] | None:
    """The file that arguments name, as an absolute path."""
    path = next((arguments[key] for key in _PATHS if isinstance(arguments.get(key), str) and arguments[key]), None)
    if path is None:
        return None
    line = arguments.get("line")
    counted = isinstance(line, int) and not isinstance(line, bool) and 0 <= line < 2**32
    return [wire.Location(absolute(path, cwd), line if counted else None)]


def absolute(path: str, cwd: str) -> str:
    """A path in the folder of the session, unless it is absolute already."""
    if is_absolute(path):
        return path
    parent = PurePosixPath(cwd) if cwd.startswith("/") else PureWindowsPath(cwd)
    return str(parent / path)


def is_absolute(path: str) -> bool:
    """Whether a path is absolute on any system."""
    return PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()


def result(output: JsonValue, status: ResultStatus, cwd: str) -> list[wire.Content | wire.Diff]:
    """What a call brought: the files it changed as diffs, everything else as text.

    A change is an object {path, oldText?, newText} (or old_text, new_text); a result may be one, or a list of them.
    """
    value = plain(output)
    if status == "succeeded":
        # The cast says what decoded JSON is made of; `isinstance` alone cannot.
        items = cast("list[JsonValue]", value) if isinstance(value, list) else [value]
        diffs = list(_diffs(items, cwd))
        if diffs and len(diffs) == len(items):
            return [*diffs]
    shown = json_text(value)
    return [wire.Content(text(shown))] if shown else []


def _diffs(items: list[JsonValue], cwd: str) -> Iterator[wire.Diff]:
    for item in items:
        change = cast("JsonObject", item) if isinstance(item, dict) else {}
        path = change.get("path")
        new = change.get("newText", change.get("new_text"))
        old = change.get("oldText", change.get("old_text"))
        if isinstance(path, str) and isinstance(new, str) and (old is None or isinstance(old, str)):
            yield wire.Diff(absolute(path, cwd), new, old)
