"""Makes catalogs of specs: opens what they name, keeps open what did not change, and checks the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Generic, TypeVar, cast

import msgspec

from wakeful.bootstrap.code import Code
from wakeful.bootstrap.fitness import problems_of
from wakeful.bootstrap.plugs import open_managed_provider, open_prices, open_provider, open_remote_agent
from wakeful.catalog.snapshot import Catalog
from wakeful.contracts.backend import Backend
from wakeful.contracts.clock import Clock
from wakeful.contracts.config import InvalidConfiguration, Problem, Specs
from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.managed import ModelPoolSpec, ProviderSpec, ToolPatch
from wakeful.contracts.model import Provider
from wakeful.contracts.price import NO_PRICES, Prices
from wakeful.contracts.spec import AgentSpec, ModelSpec
from wakeful.contracts.store import Store
from wakeful.contracts.tool import Tool, ToolContext, ToolSpec
from wakeful.pools.pool import Model, Pool
from wakeful.runtime.chain import Chains

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")


class Compiler:
    """Builds the catalogs of one runtime. What several of them have in common is opened once."""

    def __init__(self, code: Code, *, store: Store, clock: Clock) -> None:
        chains = Chains(store, clock)
        self._code = code
        self._prices: Prices = NO_PRICES
        self._builtin: _Opened[str, Provider | None] = _Opened(lambda prefix: open_provider(prefix, clock))
        self._managed: _Opened[ProviderSpec, Provider] = _Opened(lambda spec: open_managed_provider(spec, clock))
        self._pools: _Opened[tuple[ModelPoolSpec, dict[str, Model]], Pool] = _Opened(
            lambda made: Pool(made[0], made[1], clock)
        )
        self._remote: _Opened[AgentSpec, Backend] = _Opened(
            lambda spec: open_remote_agent(spec, clock, chains.metadata)
        )

    def build(self, publication: int, specs: Specs) -> Catalog:
        """The catalog. Raises `InvalidConfiguration` naming everything that does not fit together."""
        # The casts say what the namespaces of `Code` hold.
        agents = cast("Mapping[str, AgentSpec]", specs["agents"])
        models = cast("Mapping[str, ModelSpec]", specs["models"])
        pools = cast("Mapping[str, ModelPoolSpec]", specs["model-pools"])
        found = _Found()
        providers = self._own_providers(cast("Mapping[str, ProviderSpec]", specs["providers"]), found)
        named = {agent.model for agent in agents.values() if agent.model}
        named |= {member.model for pool in pools.values() for member in pool.members}
        self._add_builtin(providers, models, named - models.keys() - pools.keys())
        catalog = Catalog(
            agents=agents,
            models=models,
            providers=providers,
            tools=self._tools(cast("Mapping[str, ToolPatch]", specs["tools"])),
            prices=self._priced(agents.values()),
            backends={**self._code.backends, **self._remotes(agents.values(), found)},
            exposure=self._code.exposure,
            sources=self._code.sources,
            publication=publication,
        )
        catalog = self._with_pools(catalog, pools, found)
        found.problems.extend(problems_of(catalog))
        if found.problems:
            raise InvalidConfiguration(found.problems)
        return catalog

    async def aclose(self) -> None:
        """Release everything that was opened; no catalog is used afterwards."""
        plugs = [*self._code.providers.values(), *self._code.backends.values()]
        plugs += [*self._builtin.values(), *self._managed.values(), *self._remote.values()]
        async with AsyncExitStack() as closing:
            for plug in {id(plug): plug for plug in plugs if plug is not None}.values():
                closing.push_async_callback(plug.aclose)

    # -- the parts

    def _own_providers(self, managed: Mapping[str, ProviderSpec], found: _Found) -> dict[str, Provider]:
        """The code's and the operators'."""
        providers = dict(self._code.providers)
        for name, spec in managed.items():
            if name in providers:
                found.add("providers", name, "id", "a provider of that id is defined in code; choose another id")
            elif opened := found.trying("providers", name, lambda spec=spec: self._managed(spec)):
                providers[name] = opened
        return providers

    def _add_builtin(self, providers: dict[str, Provider], models: Mapping[str, ModelSpec], direct: Set[str]) -> None:
        """Those that somebody names, as a model's provider or in front of a colon, and nobody defines."""
        named = {model.provider for model in models.values()} | {model.partition(":")[0] for model in direct}
        for prefix in sorted(named - providers.keys()):
            if opened := self._builtin(prefix):
                providers[prefix] = opened

    def _with_pools(self, catalog: Catalog, pools: Mapping[str, ModelPoolSpec], found: _Found) -> Catalog:
        """Each pool as one more model, whose provider it is itself."""
        made: dict[str, Pool] = {}
        for name, spec in pools.items():
            if name in catalog.models or name in catalog.providers:
                found.add("model-pools", name, "id", "a model or a provider has that id; choose another")
                continue
            members = _members(catalog, spec, found)
            if len(members) == len(spec.members):
                made[name] = self._pools((spec, members))
        return replace(
            catalog,
            models={**catalog.models, **{name: ModelSpec(id=name, provider=name, name=name) for name in made}},
            providers={**catalog.providers, **made},
        )

    def _tools(self, patches: Mapping[str, ToolPatch]) -> dict[str, Tool]:
        return {name: _described(tool, patches[name].description) for name, tool in self._code.tools.items()}

    def _priced(self, agents: Iterable[AgentSpec]) -> Prices:
        if self._prices is NO_PRICES and any(agent.max_cost is not None for agent in agents):
            self._prices = open_prices()
        return self._prices

    def _remotes(self, agents: Iterable[AgentSpec], found: _Found) -> dict[str, Backend]:
        remotes = {
            agent.id: found.trying("agents", agent.id, lambda agent=agent: self._remote(agent))
            for agent in agents
            if agent.endpoint
        }
        return {name: backend for name, backend in remotes.items() if backend is not None}


def _members(catalog: Catalog, pool: ModelPoolSpec, found: _Found) -> dict[str, Model]:
    """The pool's models by the names it gives them; those that are not there are problems."""
    models: dict[str, Model] = {}
    for i, member in enumerate(pool.members):
        try:
            provider, spec = catalog.model(member.model)
        except ConfigurationError as error:
            found.add("model-pools", pool.id, f"members.{i}.model", error.message)
        else:
            models[member.model] = Model(provider, spec)
    return models


class _Opened(Generic[K, V]):
    """Opens one plug for each spec that is different from all before."""

    def __init__(self, open: Callable[[K], V]) -> None:
        self._open = open
        self._plugs: list[tuple[K, V]] = []

    def __call__(self, spec: K) -> V:
        """The plug; raises what opening raises."""
        for known, plug in self._plugs:
            if known == spec:
                return plug
        plug = self._open(spec)
        self._plugs.append((spec, plug))
        return plug

    def values(self) -> list[V]:
        """All that were opened."""
        return [plug for _, plug in self._plugs]


class _Found:
    """What is wrong so far."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, namespace: str, id: str, path: str, message: str) -> None:
        """One more."""
        self.problems.append(Problem(namespace, id, path, message))

    def trying(self, namespace: str, id: str, make: Callable[[], T]) -> T | None:
        """What was made, or None and one more problem."""
        try:
            return make()
        except ConfigurationError as error:
            self.add(namespace, id, "", error.message)
            return None


class _Described:
    """A tool under a description of the operators'."""

    def __init__(self, tool: Tool, description: str) -> None:
        self._tool = tool
        self._spec = msgspec.structs.replace(tool.spec, description=description)

    @property
    def spec(self) -> ToolSpec:
        """What models are told."""
        return self._spec

    def check(self, arguments: JsonObject) -> JsonObject:
        """The arguments, validated."""
        return self._tool.check(arguments)

    async def call(self, arguments: JsonObject, context: ToolContext) -> JsonValue:
        """Run the tool itself."""
        return await self._tool.call(arguments, context)


def _described(tool: Tool, description: str) -> Tool:
    return tool if tool.spec.description == description else _Described(tool, description)
