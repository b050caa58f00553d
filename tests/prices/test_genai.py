"""Prices of models, from installed data."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import Any

import pytest

from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.price import NO_PRICES, Prices
from wakeful.contracts.usage import Usage
from wakeful.prices.genai import GenaiPrices

MILLION = 1_000_000


@pytest.fixture(scope="module")
def prices() -> Prices:
    return GenaiPrices()


@pytest.mark.parametrize(
    ("provider", "model", "dollars"),
    [
        ("openai", "gpt-4o", 2.5),
        ("openai", "gpt-4o-2024-08-06", 2.5),
        ("openai-responses", "gpt-4o", 2.5),
        ("anthropic", "claude-sonnet-4-5-20250929", 3),
        ("pydantic-ai", "anthropic:claude-sonnet-4-5", 3),
        ("pydantic-ai", "openai-chat:gpt-4o", 2.5),
    ],
)
def test_a_call_costs_what_its_vendor_takes(prices: Prices, provider: str, model: str, dollars: float):
    assert prices.cost(provider, model, Usage(100_000)) == round(dollars * MILLION / 10)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "somebodys-own-model"),
        ("scripted", "gpt-4o"),
        ("my-openai", "gpt-4o"),
        ("litellm", "openai/gpt-4o"),
        ("pydantic-ai", "gpt-4o"),
        ("pydantic-ai", "nobody:gpt-4o"),
        ("openai", ""),
    ],
)
def test_what_is_not_known_has_no_price(prices: Prices, provider: str, model: str):
    assert prices.cost(provider, model, Usage(1000, 1000)) is None


def test_input_output_and_cached_tokens_have_their_own_prices(prices: Prices):
    def cost(**tokens: int) -> int | None:
        return prices.cost("anthropic", "claude-sonnet-4-5", Usage(**tokens))

    assert cost(input_tokens=1000) == 3000
    assert cost(output_tokens=1000) == 15_000
    assert cost(output_tokens=1000, reasoning_tokens=600) == 15_000
    assert cost(input_tokens=1000, cached_input_tokens=1000) == 300
    assert cost(input_tokens=1000, cache_write_tokens=1000) == 3750
    assert cost(input_tokens=1000, cached_input_tokens=500, cache_write_tokens=500) == 150 + 1875


def test_the_price_of_nothing_is_known_to_be_nothing(prices: Prices):
    assert prices.cost("openai", "gpt-4o", Usage()) == 0


def test_counts_that_contradict_each_other_still_have_a_price(prices: Prices):
    assert prices.cost("openai", "gpt-4o", Usage(10, cached_input_tokens=50, cache_write_tokens=50)) is not None


def test_the_network_is_never_asked(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("asked the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)

    assert GenaiPrices().cost("openai", "gpt-4o", Usage(1000)) is not None


def test_prices_that_are_not_installed_are_asked_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "genai_prices", None)

    with pytest.raises(ConfigurationError, match=r'pip install "wakeful\[prices\]"'):
        GenaiPrices()


def test_nothing_is_loaded_before_prices_are_wanted():
    program = "import sys, wakeful.prices.genai\nprint('genai_prices' in sys.modules)"

    finished = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)

    assert finished.stdout.strip() == "False"


def test_without_prices_no_price_is_known():
    assert NO_PRICES.cost("openai", "gpt-4o", Usage(1)) is None
