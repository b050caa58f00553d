"""One frozen snapshot of the agents, models, providers, tools and prices a server offers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Protocol

from wakeful.contracts.backend import Backend
from wakeful.contracts.errors import ConfigurationError, NotFound
from wakeful.contracts.exposure import NOTHING_EXPOSED, Exposure
from wakeful.contracts.glob import Glob, glob
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
        """The tools a name of `AgentSpec.tools` stands for now: one, or all that fit its glob.

        Nothing when a source does not offer it at present. Raises `NotFound` when there is neither such a tool nor
        a source it could be of.
        """
        if name in self.tools:
            return {name: self.tools[name]}
        wanted = glob(name)
        found = {known: tool for known, tool in self.tools.items() if wanted.fits(known)}
        sources = [source for prefix, source in self.sources.items() if _may_be_of(wanted, prefix)]
        if not found and not sources:
            raise NotFound("tool", name)
        for source in sources:
            found |= {known: tool for known, tool in source.tools.items() if wanted.fits(known)}
        return found

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


class Snapshots(Protocol):
    """The catalogs of one process."""

    @property
    def current(self) -> Catalog:
        """What counts now."""
        ...

    async def at(self, publication: int) -> Catalog:
        """What a run began with. Raises `ConfigurationError`."""
        ...

    async def follow(self) -> None:
        """Take over what others publish, until cancelled."""
        ...

    async def aclose(self) -> None:
        """Release what the catalogs hold; none is used afterwards."""
        ...


class Unchanging:
    """One catalog for ever."""

    def __init__(self, catalog: Catalog) -> None:
        self.current = catalog

    async def at(self, publication: int) -> Catalog:
        """Always the same."""
        return self.current

    async def follow(self) -> None:
        """There is nothing to follow."""

    async def aclose(self) -> None:
        """Release its providers and backends."""
        plugs = (*self.current.providers.values(), *self.current.backends.values())
        async with AsyncExitStack() as closing:
            for plug in {id(plug): plug for plug in plugs}.values():
                closing.push_async_callback(plug.aclose)


def _may_be_of(wanted: Glob, prefix: str) -> bool:
    return wanted.head.startswith(prefix) or (wanted.literal is None and prefix.startswith(wanted.head))
