"""Builds a runtime from what an author wrote: one catalog, checked as a whole, and one store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from wakeful.bootstrap.exposing import callers, exposure_of
from wakeful.bootstrap.plugs import (
    MEMORY,
    PROVIDERS,
    open_bus,
    open_mcp_server,
    open_prices,
    open_provider,
    open_remote_agent,
    open_store,
)
from wakeful.bootstrap.settings import read_runtime_settings
from wakeful.catalog.snapshot import Catalog
from wakeful.contracts.backend import Backend
from wakeful.contracts.bus import NO_BUS
from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import ConfigurationError, NotFound
from wakeful.contracts.model import Provider
from wakeful.contracts.price import NO_PRICES
from wakeful.contracts.spec import AgentSpec, ModelSpec
from wakeful.contracts.store import Store
from wakeful.contracts.tool import Tool
from wakeful.contracts.tool_source import ToolSource
from wakeful.plugins.mcp.spec import McpServerSpec
from wakeful.runtime.chain import Chains
from wakeful.runtime.clock import SystemClock
from wakeful.runtime.config import RuntimeConfig
from wakeful.runtime.handoff import PREFIX
from wakeful.runtime.runtime import Runtime
from wakeful.sdk.agent import Agent
from wakeful.sdk.exposure import Exposed
from wakeful.sdk.function_agent import FunctionAgent
from wakeful.sdk.tool import TOOL_NAME, as_tool

T = TypeVar("T")
McpServer = McpServerSpec | ToolSource
"""A server as it is written down, or one that is connected in a way of its own."""


def build_runtime(
    *,
    agents: Sequence[Agent | FunctionAgent | AgentSpec],
    tools: Sequence[Tool | Callable[..., Any]] = (),
    models: Sequence[ModelSpec] = (),
    providers: Sequence[Provider] | Mapping[str, Provider] = (),
    store: Store | str | None = None,
    clock: Clock | None = None,
    config: RuntimeConfig | None = None,
    mcp_servers: Sequence[McpServer] = (),
    exposed: Exposed | None = None,
) -> Runtime:
    """A runtime, not yet started; without `config` its settings come from the environment.

    Raises `ConfigurationError` naming everything that does not fit together.
    """
    clock = clock or SystemClock()
    exposed = exposed or Exposed()
    config = config or read_runtime_settings()
    opened = open_store(store or MEMORY, migrate=config.migrate) if store is None or isinstance(store, str) else store
    specs = [agent if isinstance(agent, AgentSpec) else agent.spec for agent in agents]
    own = [tool for agent in agents if isinstance(agent, Agent) for tool in agent.tools]
    given = providers if isinstance(providers, Mapping) else {provider.name: provider for provider in providers}
    catalog = Catalog(
        agents=_by_id("agent", [(spec.id, spec) for spec in specs]),
        models=_by_id("model", [(model.id, model) for model in models]),
        providers=_providers(specs, models, given, clock),
        tools=_tools([*(as_tool(tool) for tool in tools), *own, *exposed.checked_tools()]),
        prices=open_prices() if any(spec.max_cost is not None for spec in specs) else NO_PRICES,
        sources=_sources(mcp_servers, clock),
        backends={agent.spec.id: agent for agent in agents if isinstance(agent, FunctionAgent)}
        | callers(exposed)
        | _remote_agents(specs, opened, clock),
        exposure=exposure_of(exposed),
    )
    _check(catalog)
    bus = open_bus(config.bus, store, clock) if config.bus else NO_BUS
    return Runtime(catalog=catalog, store=opened, clock=clock, config=config, bus=bus)


def _by_id(noun: str, pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    found: dict[str, T] = {}
    for key, value in pairs:
        if key in found:
            raise ConfigurationError(f"there are two {noun}s with the id {key!r}; give each its own")
        found[key] = value
    return found


def _tools(tools: Iterable[Tool]) -> dict[str, Tool]:
    found: dict[str, Tool] = {}
    for tool in tools:
        if found.setdefault(tool.spec.name, tool) is not tool:
            raise ConfigurationError(f"there are two different tools named {tool.spec.name!r}; rename one")
    return found


def _remote_agents(specs: Iterable[AgentSpec], store: Store, clock: Clock) -> dict[str, Backend]:
    chains = Chains(store, clock)
    return {spec.id: open_remote_agent(spec, spec.endpoint, clock, chains.metadata) for spec in specs if spec.endpoint}


def _sources(servers: Iterable[McpServer], clock: Clock) -> dict[str, ToolSource]:
    opened = [open_mcp_server(server, clock) if isinstance(server, McpServerSpec) else server for server in servers]
    return _by_id("tool source", [(source.name, source) for source in opened])


def _unknown_tools(catalog: Catalog, agent: AgentSpec) -> Iterator[str]:
    """Its tools that neither exist nor belong to a source, which may offer them later."""
    for name in agent.tools:
        try:
            catalog.offered(name)
        except NotFound:
            yield name


def _providers(
    specs: Iterable[AgentSpec], models: Sequence[ModelSpec], given: Mapping[str, Provider], clock: Clock
) -> dict[str, Provider]:
    """The given providers, and the built-in ones that some agent's model names."""
    named = {model.id: model.provider for model in models}
    wanted = {named.get(model, model.partition(":")[0]) for spec in specs if (model := spec.model)}
    found = dict(given)
    for prefix in sorted(wanted - found.keys()):
        provider = open_provider(prefix, clock)
        if provider is not None:
            found[prefix] = provider
    return found


def _unfit_delegates(catalog: Catalog, agent: AgentSpec) -> Iterator[str]:
    """What is wrong with the agents it may hand work to; each becomes a tool named by its id."""
    for name in agent.delegates:
        if name not in catalog.agents:
            yield f"unknown agent in delegates: {name}"
        elif not TOOL_NAME.fullmatch(name):
            yield f"delegate {name!r} cannot be a tool name; give that agent an id of letters, digits, _ and -"
        elif name in agent.tools or name == agent.id:
            yield f"delegate {name!r} is also the name of {'the agent itself' if name == agent.id else 'a tool'}"


def _unfit_handoffs(catalog: Catalog, agent: AgentSpec) -> Iterator[str]:
    """What is wrong with the agents it may hand the conversation to."""
    for name in agent.handoffs:
        tool = f"{PREFIX}{name}"
        if name not in catalog.agents:
            yield f"unknown agent in handoffs: {name}"
        elif name == agent.id:
            yield f"handoff {name!r} is the agent itself"
        elif not TOOL_NAME.fullmatch(tool):
            yield f"handoff {name!r} cannot be a tool name; give that agent a shorter id of letters, digits, _ and -"
        elif tool in agent.tools or tool in agent.delegates:
            yield f"handoff {name!r} is a tool named {tool!r}, and so is another tool; rename that"


def _check(catalog: Catalog) -> None:
    problems: list[str] = []
    for agent in catalog.agents.values():
        try:
            _ = catalog.backend(agent) if agent.model is None else catalog.model(agent.model)
        except ConfigurationError as error:
            known = f"; built-in providers: {', '.join(PROVIDERS)}" if agent.model else ""
            problems.append(f"agent {agent.id!r}: {error.message}{known}")
        missing = list(_unknown_tools(catalog, agent))
        if missing:
            problems.append(f"agent {agent.id!r}: unknown tools: {', '.join(missing)}")
        problems.extend(f"agent {agent.id!r}: {problem}" for problem in _unfit_delegates(catalog, agent))
        problems.extend(f"agent {agent.id!r}: {problem}" for problem in _unfit_handoffs(catalog, agent))
    unknown = [name for name in catalog.exposure.agents if name not in catalog.agents]
    if unknown:
        problems.append(f"unknown agents are exposed: {', '.join(unknown)}")
    if problems:
        raise ConfigurationError("; ".join(problems))
