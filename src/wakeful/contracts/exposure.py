"""What a server offers to other programs by name: agents and tools to call, resources to read, prompts to use.

Nothing is offered unless its author chose it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from wakeful.contracts.spec import AgentSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposedResource:
    """Something to read under a URI; `read` gives its text or its bytes, of the MIME type `media_type`."""

    uri: str
    name: str
    description: str
    media_type: str
    read: Callable[[], Awaitable[str | bytes]]


@dataclass(frozen=True, slots=True)
class PromptArgument:
    """One argument of a prompt; its value is a text."""

    name: str
    description: str
    required: bool


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


NOTHING_EXPOSED = Exposure()
