"""What an author wrote in code, taken apart and checked for repetitions: the configuration nobody can lose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from wakeful.contracts.backend import Backend
from wakeful.contracts.config import Namespace
from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.exposure import Exposure
from wakeful.contracts.managed import ModelPoolSpec, ProviderSpec, ToolPatch
from wakeful.contracts.model import Provider
from wakeful.contracts.spec import AgentSpec, ModelSpec
from wakeful.contracts.tool import Tool
from wakeful.contracts.tool_source import ToolSource

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Code:
    """All that code defines, by id. `backends` carry agents that are functions, `sources` are connected servers."""

    agents: Mapping[str, AgentSpec]
    models: Mapping[str, ModelSpec]
    pools: Mapping[str, ModelPoolSpec]
    providers: Mapping[str, Provider]
    tools: Mapping[str, Tool]
    backends: Mapping[str, Backend]
    sources: Mapping[str, ToolSource]
    exposure: Exposure

    def namespaces(self) -> dict[str, Namespace]:
        """What operators may change, with what code says of it."""
        tools = {name: ToolPatch(id=name, description=tool.spec.description) for name, tool in self.tools.items()}
        found = (
            Namespace("agents", AgentSpec, self.agents),
            Namespace("models", ModelSpec, self.models),
            Namespace("providers", ProviderSpec),
            Namespace("model-pools", ModelPoolSpec, self.pools),
            Namespace("tools", ToolPatch, tools, closed=True),
        )
        return {namespace.name: namespace for namespace in found}


def by_id(noun: str, pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    """The pairs as a mapping; raises `ConfigurationError` for an id that comes twice."""
    found: dict[str, T] = {}
    for key, value in pairs:
        if key in found:
            raise ConfigurationError(f"there are two {noun}s with the id {key!r}; give each its own")
        found[key] = value
    return found


def by_name(tools: Iterable[Tool]) -> dict[str, Tool]:
    """The tools as a mapping; the same one may come twice. Raises `ConfigurationError` for two of one name."""
    found: dict[str, Tool] = {}
    for tool in tools:
        if found.setdefault(tool.spec.name, tool) is not tool:
            raise ConfigurationError(f"there are two different tools named {tool.spec.name!r}; rename one")
    return found
