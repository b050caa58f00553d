"""The price socket: what a model call costs."""

from __future__ import annotations

from typing import Protocol

from wakeful.contracts.usage import Usage


class Prices(Protocol):
    """Knows the prices of models."""

    def cost(self, provider: str, model: str, usage: Usage) -> int | None:
        """What a call with this usage costs, in millionths of a US dollar; None when the price is not known."""
        ...


class NoPrices:
    """Knows no price."""

    def cost(self, provider: str, model: str, usage: Usage) -> int | None:
        """Never known."""
        return None


NO_PRICES = NoPrices()
