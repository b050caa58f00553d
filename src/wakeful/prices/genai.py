"""Prices from the genai-prices package, as installed."""

from __future__ import annotations

from decimal import ROUND_HALF_UP
from typing import TYPE_CHECKING

from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.usage import Usage

if TYPE_CHECKING:
    from genai_prices.types import AbstractUsage

VENDORS = {"openai-responses": "openai"}
"""Our names of providers whose vendor genai-prices calls otherwise."""
BRIDGE = "pydantic-ai"
"""The provider whose models carry their vendor in front: `"vendor:model"`."""


class GenaiPrices:
    """Keeps the `Prices` promise with the data that comes with genai-prices; it is not brought up to date by itself.

    Raises `ConfigurationError` when genai-prices is not installed. Loading it takes some 0.2 s, done here.
    """

    def __init__(self) -> None:
        try:
            from genai_prices import Usage as Counts
            from genai_prices.data_snapshot import get_snapshot
        except ImportError as error:
            raise ConfigurationError('max_cost needs the prices of models: pip install "wakeful[prices]"') from error
        self._counts = Counts
        self._snapshot = get_snapshot()
        self._vendors = frozenset(vendor.id for vendor in self._snapshot.providers)

    def cost(self, provider: str, model: str, usage: Usage) -> int | None:
        """What the call costs at today's price, in millionths of a US dollar; None when the price is not known."""
        vendor, name = VENDORS.get(provider, provider), model
        if provider == BRIDGE:
            vendor, _, name = model.partition(":")
        elif vendor not in self._vendors:  # a name that is only similar may be somebody's own server
            return None
        try:
            priced = self._snapshot.calc(self._counted(usage), name, vendor, None, None)
        except LookupError:
            return None
        return int((priced.total_price * 1_000_000).to_integral_value(ROUND_HALF_UP))

    def _counted(self, usage: Usage) -> AbstractUsage:
        """Tokens as genai-prices wants them: parts never exceed the whole."""
        cached = min(usage.cached_input_tokens, usage.input_tokens)
        return self._counts(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=cached,
            cache_write_tokens=min(usage.cache_write_tokens, usage.input_tokens - cached),
        )
