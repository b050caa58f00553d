"""One frozen snapshot of the agents, models, providers, tools and prices a server offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wakeful.contracts.backend import Backend
from wakeful.contracts.errors import ConfigurationError, NotFound
from wakeful.contracts.model import Provider
from wakeful.contracts.price import NO_PRICES, Prices
from wakeful.contracts.spec import AgentSpec, ModelSpec
from wakeful.contracts.tool import Tool


@dataclass(frozen=True, slots=True)
class Catalog:
    """What exists, by id. Built complete and checked by `bootstrap`; never changed."""

    agents: Mapping[str, AgentSpec]
    models: Mapping[str, ModelSpec]
    providers: Mapping[str, Provider]
    tools: Mapping[str, Tool]
    prices: Prices = NO_PRICES
    backends: Mapping[str, Backend] = field(default_factory=dict[str, Backend])
    """By agent."""

    def agent(self, agent_id: str) -> AgentSpec:
        """The agent; raises `NotFound`."""
        spec = self.agents.get(agent_id)
        if spec is None:
            raise NotFound("agent", agent_id)
        return spec

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
