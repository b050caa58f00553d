"""Builds a runtime from what an author wrote: one catalog, checked as a whole, and one store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from wakeful.bootstrap.code import Code, by_id, by_name
from wakeful.bootstrap.compiler import Compiler
from wakeful.bootstrap.exposing import callers, exposure_of
from wakeful.bootstrap.plugs import (
    MEMORY,
    open_bus,
    open_mcp_server,
    open_store,
)
from wakeful.bootstrap.settings import read_runtime_settings
from wakeful.catalog.catalogs import Catalogs
from wakeful.catalog.journal import Journal
from wakeful.catalog.records import Records
from wakeful.catalog.vault import FernetVault, NoVault
from wakeful.contracts.bus import NO_BUS
from wakeful.contracts.clock import Clock
from wakeful.contracts.config import InvalidConfiguration, Problem
from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.managed import ModelPoolSpec
from wakeful.contracts.model import Provider
from wakeful.contracts.spec import AgentSpec, ModelSpec
from wakeful.contracts.store import Store
from wakeful.contracts.tool import Tool
from wakeful.contracts.tool_source import ToolSource
from wakeful.plugins.mcp.spec import McpServerSpec
from wakeful.runtime.clock import SystemClock
from wakeful.runtime.config import RuntimeConfig
from wakeful.runtime.runtime import Runtime
from wakeful.sdk.agent import Agent
from wakeful.sdk.exposure import Exposed
from wakeful.sdk.function_agent import FunctionAgent
from wakeful.sdk.tool import as_tool

McpServer = McpServerSpec | ToolSource
"""A server as it is written down, or one that is connected in a way of its own."""


def build_runtime(
    *,
    agents: Sequence[Agent | FunctionAgent | AgentSpec],
    tools: Sequence[Tool | Callable[..., Any]] = (),
    models: Sequence[ModelSpec] = (),
    pools: Sequence[ModelPoolSpec] = (),
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
    code = Code(
        agents=by_id("agent", [(spec.id, spec) for spec in specs]),
        models=by_id("model", [(model.id, model) for model in models]),
        pools=by_id("model pool", [(pool.id, pool) for pool in pools]),
        providers=given,
        tools=by_name([*(as_tool(tool) for tool in tools), *own, *exposed.checked_tools()]),
        backends={agent.spec.id: agent for agent in agents if isinstance(agent, FunctionAgent)} | callers(exposed),
        sources=_sources(mcp_servers, clock),
        exposure=exposure_of(exposed),
    )
    catalogs = _catalogs(code, opened, clock, config)
    bus = open_bus(config.bus, store, clock) if config.bus else NO_BUS
    return Runtime(catalogs=catalogs, store=opened, clock=clock, config=config, bus=bus)


def _catalogs(code: Code, store: Store, clock: Clock, config: RuntimeConfig) -> Catalogs:
    keys = config.secret_key.get_secret_value().split(",") if config.secret_key else []
    records = Records(code.namespaces(), FernetVault(keys) if keys else NoVault())
    compiler = Compiler(code, store=store, clock=clock)
    try:
        first = compiler.build(0, records.specs({}))
    except InvalidConfiguration as error:
        raise ConfigurationError("; ".join(map(_in_code, error.problems))) from None
    return Catalogs(first=first, journal=Journal(store, clock), records=records, builder=compiler, clock=clock)


def _in_code(problem: Problem) -> str:
    return f"{problem.namespace.removesuffix('s')} {problem.id!r}: {problem.message}"


def _sources(servers: Iterable[McpServer], clock: Clock) -> dict[str, ToolSource]:
    opened = [open_mcp_server(server, clock) if isinstance(server, McpServerSpec) else server for server in servers]
    return by_id("tool source", [(source.name, source) for source in opened])
