"""What a server can do, as its clients may know it: no prompts, no addresses, no keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wakeful.catalog.snapshot import Catalog
from wakeful.contracts.errors import NotFound
from wakeful.contracts.spec import AgentSpec, ModelSpec
from wakeful.contracts.tool import Tool, ToolSpec
from wakeful.contracts.tool_source import SourceHealth


@dataclass(frozen=True, slots=True)
class Protocol:
    """One protocol: its `versions`, newest first, and the path under which it is spoken."""

    name: str
    versions: tuple[str, ...]
    path: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """A look at one catalog."""

    catalog: Catalog
    protocols: tuple[Protocol, ...]

    @property
    def agents(self) -> Mapping[str, AgentSpec]:
        """By id."""
        return self.catalog.agents

    def tools_of(self, agent: AgentSpec) -> Mapping[str, ToolSpec]:
        """The tools the agent's model is offered now, other agents not among them."""
        found: dict[str, Tool] = {}
        for name in agent.tools:
            try:
                found |= self.catalog.offered(name)
            except NotFound:  # its source is gone; the run says so
                continue
        return {name: tool.spec for name, tool in found.items()}

    @property
    def tools(self) -> Mapping[str, ToolSpec]:
        """All tools, those of connected servers among them."""
        found = {name: tool.spec for name, tool in self.catalog.tools.items()}
        for source in self.catalog.sources.values():
            found |= {name: tool.spec for name, tool in source.tools.items()}
        return found

    @property
    def models(self) -> Mapping[str, ModelSpec]:
        """Those that have names of their own."""
        return self.catalog.models

    @property
    def providers(self) -> tuple[str, ...]:
        """The prefixes in `"provider:model"` that are in use."""
        return tuple(self.catalog.providers)

    @property
    def sources(self) -> Mapping[str, SourceHealth]:
        """How the connected servers are."""
        return {name: source.health for name, source in self.catalog.sources.items()}
