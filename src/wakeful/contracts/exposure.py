"""What a server offers to other programs by name: agents and tools to call, resources to read, prompts to use.

Nothing is offered unless its author chose it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast
from urllib.parse import unquote

from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.spec import AgentSpec

Complete = Callable[[str, Mapping[str, str]], Awaitable[Sequence[str]]]
"""What a value that begins with the first text may be, the best first, given the values chosen for other arguments."""
VARIABLE = re.compile(r"\{(\w+)\}")
"""A variable of a URI template (RFC 6570, level 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposedResource:
    """Something to read under a URI; `read` gives its text or its bytes, of the MIME type `media_type`.

    With `variables` the `uri` is a template: `read` takes a value for each of them, which `complete` may suggest.
    """

    uri: str
    name: str
    description: str
    media_type: str
    read: Callable[[Mapping[str, str]], Awaitable[str | bytes]]
    variables: tuple[str, ...] = ()
    complete: Mapping[str, Complete] = field(default_factory=dict[str, Complete])

    def values_in(self, uri: str) -> Mapping[str, str] | None:
        """The variables' values in a URI of this template, each at least one character, without a slash; else None."""
        parts = VARIABLE.split(self.uri)
        pattern = "".join(f"(?P<{part}>[^/]+)" if at % 2 else re.escape(part) for at, part in enumerate(parts))
        found = re.fullmatch(pattern, uri)
        return None if found is None else {name: unquote(value) for name, value in found.groupdict().items()}


@dataclass(frozen=True, slots=True)
class PromptArgument:
    """One argument of a prompt; its value is a text, which `complete` may suggest."""

    name: str
    description: str
    required: bool
    complete: Complete | None = None


@dataclass(frozen=True, slots=True)
class PromptLine:
    """One message of a prompt."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposedPrompt:
    """A prompt to begin a conversation with; `render` makes its messages of checked arguments."""

    name: str
    description: str
    arguments: tuple[PromptArgument, ...]
    render: Callable[[Mapping[str, str]], Awaitable[tuple[PromptLine, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What is offered. `agents` are ids, in the order in which they are shown, with their public descriptions.

    `callers` are by tool name the agents without a model that make one call of that tool: a tool is called as a run of
    its caller, so that a call from outside is as durable as any other. `instructions` tell a client what the server is
    for. A call that has not come to rest after `task_after_seconds` is a task for clients that know tasks.
    """

    agents: tuple[str, ...] = ()
    callers: Mapping[str, AgentSpec] = field(default_factory=dict[str, AgentSpec])
    resources: Mapping[str, ExposedResource] = field(default_factory=dict[str, ExposedResource])
    prompts: Mapping[str, ExposedPrompt] = field(default_factory=dict[str, ExposedPrompt])
    instructions: str = ""
    task_after_seconds: float = 1.0

    def caller(self, agent_id: str) -> AgentSpec | None:
        """The caller with this id."""
        return next((caller for caller in self.callers.values() if caller.id == agent_id), None)

    @property
    def completes(self) -> bool:
        """Whether anything offered suggests values."""
        arguments = [one for prompt in self.prompts.values() for one in prompt.arguments]
        return any(one.complete for one in arguments) or any(one.complete for one in self.resources.values())


NOTHING_EXPOSED = Exposure()
MIRRORED = "x-mcp-header"
"""What marks an input whose value clients repeat in a header `Mcp-Param-<its value>` (MCP 2026-07-28, tools)."""
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
DATA = frozenset({"default", "examples", "const", "enum"})
NAMED_SCHEMAS = frozenset({"$defs", "definitions", "patternProperties", "dependentSchemas"})


@dataclass(frozen=True, slots=True)
class Mirrored:
    """An input of a tool, by the names that lead to it, that is repeated in the header `header`."""

    path: tuple[str, ...]
    header: str


def mirrored_inputs(schema: JsonObject) -> tuple[Mirrored, ...]:
    """The marked inputs of a tool; raises `ConfigurationError` for a mark that clients would refuse the tool for."""
    found: list[Mirrored] = []
    for path, node in _schemas(schema, ()):
        if MIRRORED in node:
            found.append(_mirrored(path, node))
    names = [one.header for one in found]
    if len(set(names)) < len(names):
        raise ConfigurationError(f"two inputs have the same {MIRRORED}; they are: {', '.join(sorted(names))}")
    return tuple(found)


def _mirrored(path: tuple[str, ...] | None, node: JsonObject) -> Mirrored:
    name = node[MIRRORED]
    if not path:
        raise ConfigurationError(f"{MIRRORED} {name!r} marks no input that leads there by names alone; move it")
    if not isinstance(name, str) or not TOKEN.fullmatch(name):
        raise ConfigurationError(f"{MIRRORED} of {'.'.join(path)} has to be the end of a header's name, not {name!r}")
    if node.get("type") not in ("string", "integer", "boolean"):
        raise ConfigurationError(f"{MIRRORED} {name!r} marks {'.'.join(path)}, which is no text, integer or boolean")
    return Mirrored(path, f"mcp-param-{name.lower()}")


def _schemas(node: JsonValue, path: tuple[str, ...] | None) -> Iterator[tuple[tuple[str, ...] | None, JsonObject]]:
    """Every schema in a schema, with the names that lead to it; None where something else than names does."""
    if not isinstance(node, dict):
        return
    schema = cast("JsonObject", node)
    yield path, schema
    for key, value in schema.items():
        if key == "properties" and isinstance(value, dict):
            for name, one in cast("JsonObject", value).items():
                yield from _schemas(one, None if path is None else (*path, name))
        elif key not in DATA:
            yield from _unnamed(key, value)


def _unnamed(key: str, value: JsonValue) -> Iterator[tuple[tuple[str, ...] | None, JsonObject]]:
    inside = list(cast("JsonObject", value).values()) if key in NAMED_SCHEMAS and isinstance(value, dict) else value
    for one in cast("list[JsonValue]", inside) if isinstance(inside, list) else [inside]:
        yield from _schemas(one, None)
