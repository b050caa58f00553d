"""Which concrete plug stands behind a name: providers by prefix, stores and buses by URL."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping

from wakeful.bootstrap.install import install_name
from wakeful.bootstrap.masking import masked_url
from wakeful.contracts.backend import Backend, Turn
from wakeful.contracts.bus import Bus
from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.json import JsonObject
from wakeful.contracts.managed import ProviderSpec
from wakeful.contracts.model import Provider
from wakeful.contracts.price import Prices
from wakeful.contracts.spec import AgentSpec
from wakeful.contracts.store import Store
from wakeful.contracts.tool_source import ToolSource
from wakeful.plugins.mcp.spec import McpServerSpec

MEMORY = "sqlite:///:memory:"


def open_provider(prefix: str, clock: Clock, environment: Mapping[str, str] = os.environ) -> Provider | None:
    """The built-in provider for `"prefix:model"`, with keys and addresses from the environment; None if unknown."""
    make = PROVIDERS.get(prefix)
    return make(environment, clock) if make else None


def open_managed_provider(spec: ProviderSpec, clock: Clock, environment: Mapping[str, str] = os.environ) -> Provider:
    """The provider an operator described; raises `ConfigurationError` when its library or its key is missing."""
    key = spec.api_key.reveal() if spec.api_key else None
    if spec.api_key_env is not None:
        key = environment.get(spec.api_key_env)
        if not key:
            raise ConfigurationError(f"the environment variable {spec.api_key_env!r} holds no key; set it, or api_key")
    match spec.adapter:
        case "openai":
            from wakeful.providers.openai.provider import OpenAIProvider as Vendor
        case "openai-responses":
            from wakeful.providers.openai_responses.provider import OpenAIResponsesProvider as Vendor
        case "anthropic":
            from wakeful.providers.anthropic.provider import AnthropicProvider as Vendor
        case "pydantic-ai":
            from wakeful.providers.pydantic_ai.provider import PydanticAIProvider

            return PydanticAIProvider()
        case "demo":
            return _demo(environment, clock)
    return Vendor(
        spec.id,
        api_key=key,
        base_url=spec.base_url,
        headers={name: value.reveal() for name, value in spec.headers.items()},
        connect_timeout_ms=int(spec.connect_timeout_seconds * 1000),
        idle_timeout_ms=int(spec.idle_timeout_seconds * 1000),
    )


def open_store(url: str, *, migrate: bool = True) -> Store:
    """The store behind `sqlite:///path`, `sqlite:///:memory:` or `postgresql://...`; raises `ConfigurationError`.

    `sqlite:///path?synchronous=full` survives a loss of power right after a commit, and costs a flush of the disk each.
    Without `migrate` it refuses an old schema on PostgreSQL when it is opened. A SQLite file is always brought up to
    date, nobody else having a say in it.
    """
    scheme, _, path = url.partition("://")
    if scheme in {"postgresql", "postgres"}:
        return _postgres(url, migrate=migrate)
    if scheme != "sqlite" or not path.startswith("/") or path == "/":
        raise ConfigurationError(
            "expected a store URL such as sqlite:///wakeful.db or postgresql://user:password@host/wakeful, "
            f"found {masked_url(url)!r}"
        )
    from wakeful.stores.sqlite.store import SQLiteStore

    file, _, option = path[1:].partition("?synchronous=")
    match option:
        case "" | "normal":
            return SQLiteStore(file)
        case "full":
            return SQLiteStore(file, synchronous="full")
        case _:
            raise ConfigurationError(f"expected ?synchronous=normal or ?synchronous=full, found {option[:40]!r}")


def _postgres(url: str, *, migrate: bool) -> Store:
    try:
        from wakeful.stores.postgres.store import PostgresStore
    except ModuleNotFoundError as error:
        raise ConfigurationError('postgresql:// needs its driver: pip install "wakeful[postgres]"') from error
    return PostgresStore(url, migrate=migrate)


def open_bus(url: str, store: Store | str | None, clock: Clock) -> Bus:
    """The bus behind `nats://user:password@host:4222/name` for the processes that share `store`.

    Without a name the store's URL says which they are. Raises `ConfigurationError`.
    """
    try:
        from wakeful.buses.nats.address import read_address
        from wakeful.buses.nats.bus import NatsBus
    except ModuleNotFoundError as error:
        raise ConfigurationError('--bus needs its client: pip install "wakeful[nats]"') from error
    address = read_address(url)
    shared = (store or MEMORY) if store is None or isinstance(store, str) else None
    if shared is None and address.name is None:
        raise ConfigurationError(
            "the store was not given by its URL, so the bus needs a name that all its processes share, such as "
            "nats://host:4222/production"
        )
    if shared is not None and shared.startswith("sqlite:"):
        raise ConfigurationError(
            "a bus is for processes that share PostgreSQL, and this store is SQLite; name a postgresql:// store with "
            "--store, or leave --bus and WAKEFUL_BUS out"
        )
    return NatsBus(address, address.name or install_name(shared or ""), clock)


def open_prices() -> Prices:
    """What models cost; raises `ConfigurationError` when the prices are not installed."""
    from wakeful.prices.genai import GenaiPrices

    return GenaiPrices()


def open_mcp_server(spec: McpServerSpec, clock: Clock) -> ToolSource:
    """The tools of an MCP server; raises `ConfigurationError` when the SDK is not installed."""
    try:
        from wakeful.plugins.mcp.source import McpSource
    except ModuleNotFoundError as error:
        raise ConfigurationError('mcp_servers need the MCP SDK: pip install "wakeful[mcp]"') from error
    return McpSource(spec, clock)


def open_remote_agent(spec: AgentSpec, clock: Clock, metadata: Callable[[Turn], Awaitable[JsonObject]]) -> Backend:
    """What asks the agent at its endpoint; raises `ConfigurationError` without one, or without the SDK."""
    endpoint = spec.endpoint
    if endpoint is None:
        raise ConfigurationError(f"agent {spec.id!r} has no endpoint; give it one")
    try:
        from wakeful.backends.a2a.backend import A2ABackend
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f'agent {spec.id!r} has an endpoint, which needs the A2A SDK: pip install "wakeful[a2a]"'
        ) from error
    return A2ABackend(spec, endpoint, clock, metadata=metadata)


def _openai(environment: Mapping[str, str], _: Clock) -> Provider:
    from wakeful.providers.openai.provider import OpenAIProvider

    return OpenAIProvider(api_key=environment.get("OPENAI_API_KEY"), base_url=environment.get("OPENAI_BASE_URL"))


def _openai_responses(environment: Mapping[str, str], _: Clock) -> Provider:
    from wakeful.providers.openai_responses.provider import OpenAIResponsesProvider

    return OpenAIResponsesProvider(
        api_key=environment.get("OPENAI_API_KEY"), base_url=environment.get("OPENAI_BASE_URL")
    )


def _anthropic(environment: Mapping[str, str], _: Clock) -> Provider:
    from wakeful.providers.anthropic.provider import AnthropicProvider

    return AnthropicProvider(
        api_key=environment.get("ANTHROPIC_API_KEY"), base_url=environment.get("ANTHROPIC_BASE_URL")
    )


def _pydantic_ai(_: Mapping[str, str], __: Clock) -> Provider:
    from wakeful.providers.pydantic_ai.provider import PydanticAIProvider

    return PydanticAIProvider()


def _demo(_: Mapping[str, str], clock: Clock) -> Provider:
    from wakeful.providers.demo.provider import DemoProvider

    return DemoProvider(clock)


PROVIDERS: dict[str, Callable[[Mapping[str, str], Clock], Provider]] = {
    "openai": _openai,
    "openai-responses": _openai_responses,
    "anthropic": _anthropic,
    "pydantic-ai": _pydantic_ai,
    "demo": _demo,
}
