"""Makes what an author offers to other programs part of the catalog."""

from __future__ import annotations

from collections.abc import Iterable

from wakeful.contracts.backend import Backend
from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.exposure import Exposure
from wakeful.sdk.exposure import Exposed
from wakeful.sdk.tool_caller import ToolCaller, caller_of


def exposure_of(exposed: Exposed) -> Exposure:
    """What is offered, checked. Raises `ConfigurationError`."""
    agents, tools = exposed.agent_ids(), exposed.checked_tools()
    _refuse_repeated("tool", [*agents, *(tool.spec.name for tool in tools)])
    _refuse_repeated("resource", [one.uri for one in exposed.resources])
    _refuse_repeated("prompt", [one.name for one in exposed.prompts])
    return Exposure(
        agents=agents,
        callers={tool.spec.name: caller_of(tool.spec.name, tool.spec.description) for tool in tools},
        resources={one.uri: one for one in exposed.resources},
        prompts={one.name: one for one in exposed.prompts},
        instructions=exposed.instructions,
        task_after_seconds=exposed.task_after_seconds,
    )


def callers(exposed: Exposed) -> dict[str, Backend]:
    """What carries the callers of exposed tools, by agent."""
    found: dict[str, Backend] = {}
    for tool in exposed.checked_tools():
        found[caller_of(tool.spec.name, "").id] = ToolCaller(tool.spec.name)
    return found


def _refuse_repeated(noun: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ConfigurationError(f"two things are exposed as the {noun} {name!r}; rename one")
        seen.add(name)
