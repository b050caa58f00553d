"""One frozen snapshot of the agents, models, providers, tools and prices a server offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from wakeful.contracts.backend import Backend
from wakeful.contracts.errors import ConfigurationError, NotFound
from wakeful.contracts.exposure import NOTHING_EXPOSED, Exposure
from wakeful.contracts.model import Provider
from wakeful.contracts.price import NO_PRICES, Prices
from wakeful.contracts.spec import AgentSpec, ModelSpec
from wakeful.contracts.tool import Tool
from wakeful.contracts.tool_source import ToolSource


@dataclass(frozen=True, slots=True)
class Catalog:
    """What exists, by id. Built complete and checked by `bootstrap`; never changed.

    `publication` is the journal entry it was built from, 0 for what code alone defines.
    """

    agents: Mapping[str, AgentSpec]
    models: Mapping[str, ModelSpec]
    providers: Mapping[str, Provider]
    tools: Mapping[str, Tool]
    prices: Prices = NO_PRICES
    backends: Mapping[str, Backend] = field(default_factory=dict[str, Backend])
    """By agent."""
    exposure: Exposure = NOTHING_EXPOSED
    sources: Mapping[str, ToolSource] = field(default_factory=dict[str, ToolSource])
    """By what the names of their tools begin with."""
    publication: int = 0

    def agent(self, agent_id: str) -> AgentSpec:
        """The agent, or the caller of an exposed tool; raises `NotFound`."""
        spec = self.agents.get(agent_id) or self.exposure.caller(agent_id)
        if spec is None:
            raise NotFound("agent", agent_id)
        return spec

    def offered(self, name: str) -> Mapping[str, Tool]:
        """The tools a name of `AgentSpec.tools` stands for now: one, or those of sources that fit its pattern.

        Nothing when the source does not offer it at present. Raises `NotFound` when there is neither such a tool nor
        such a source.
        """
        if name in self.tools:
            return {name: self.tools[name]}
        head = name.partition("*")[0]
        sources = [
            source
            for prefix, source in self.sources.items()
            if head.startswith(prefix) or ("*" in name and prefix.startswith(head))
        ]
        if not sources:
            raise NotFound("tool", name)
        return {
            known: tool
            for source in sources
            for known, tool in source.tools.items()
            if known == name or ("*" in name and fnmatchcase(known, name))
        }

    def default_agent(self) -> AgentSpec:
        """The agent of a request that names none: `default` where there is one, else the first."""
        if not self.agents:
            raise ConfigurationError("no agent is configured; pass at least one to AgentRuntime(agents=[...])")
        return self.agents.get("default") or next(iter(self.agents.values()))

    def backend(self, agent: AgentSpec) -> Backend:
        """What carries an agent without a model; raises `ConfigurationError`."""
        found = self.backends.get(agent.id)
        if found is None:
            raise ConfigurationError(
                f"agent {agent.id!r} has neither a model nor an endpoint nor a function; give it one"
            )
        return found

    def model(self, model: str) -> tuple[Provider, ModelSpec]:
        """The provider and model behind a `ModelSpec` id or `"provider:name"`; raises `ConfigurationError`."""
        spec = self.models.get(model)
        if spec is None:
            provider, colon, name = model.partition(":")
            if not colon or not name:
                known = ", ".join(self.models) or "none"
                raise ConfigurationError(f"unknown model {model!r}: expected 'provider:name' or one of: {known}")
            spec = ModelSpec(id=model, provider=provider, name=name)
        found = self.providers.get(spec.provider)
        if found is None:
            known = ", ".join(self.providers) or "none"
            raise ConfigurationError(f"model {model!r} needs provider {spec.provider!r}; available: {known}")
        return found, spec
