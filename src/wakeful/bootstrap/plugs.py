"""Which concrete plug stands behind a name: providers by prefix, stores by URL."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from wakeful.bootstrap.masking import masked_url
from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.model import Provider
from wakeful.contracts.price import Prices
from wakeful.contracts.store import Store

MEMORY = "sqlite:///:memory:"


def open_provider(prefix: str, clock: Clock, environment: Mapping[str, str] = os.environ) -> Provider | None:
    """The built-in provider for `"prefix:model"`, with keys and addresses from the environment; None if unknown."""
    make = PROVIDERS.get(prefix)
    return make(environment, clock) if make else None


def open_store(url: str) -> Store:
    """The store behind `sqlite:///path`, `sqlite:///:memory:` or `postgresql://...`; raises `ConfigurationError`."""
    scheme, _, path = url.partition("://")
    if scheme in {"postgresql", "postgres"}:
        return _postgres(url)
    if scheme != "sqlite" or not path.startswith("/") or path == "/":
        raise ConfigurationError(
            "expected a store URL such as sqlite:///wakeful.db or postgresql://user:password@host/wakeful, "
            f"found {masked_url(url)!r}"
        )
    from wakeful.stores.sqlite.store import SQLiteStore

    return SQLiteStore(path[1:])


def _postgres(url: str) -> Store:
    try:
        from wakeful.stores.postgres.store import PostgresStore
    except ModuleNotFoundError as error:
        raise ConfigurationError('postgresql:// needs its driver: pip install "wakeful[postgres]"') from error
    return PostgresStore(url)


def open_prices() -> Prices:
    """What models cost; raises `ConfigurationError` when the prices are not installed."""
    from wakeful.prices.genai import GenaiPrices

    return GenaiPrices()


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
