"""Examines the machine: what is installed, configured and reachable. Never shows a secret."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass

from pydantic_settings import BaseSettings

from wakeful.bootstrap.masking import masked, masked_url
from wakeful.bootstrap.plugs import open_store
from wakeful.bootstrap.settings import at_address, read_runtime_settings, read_settings
from wakeful.cli.target import load_server
from wakeful.contracts.errors import WakefulError
from wakeful.server.config import ServerConfig

EXTRAS = {"models": "aiohttp", "pydantic-ai": "pydantic_ai", "prices": "genai_prices", "nats": "nats", "fast": "uvloop"}
KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    subject: str
    detail: str
    ok: bool = True


def examine(target: str | None, store: str | None) -> list[Finding]:
    """All findings; an extra or key that is absent is told, not a failure."""
    return [
        Finding("python", platform.python_version(), sys.version_info >= (3, 11)),
        *(Finding(f"extra {extra}", _installed(extra, module)) for extra, module in EXTRAS.items()),
        *(Finding(f"key {key}", "set" if os.environ.get(key) else "not set") for key in KEYS),
        *_effective(lambda: at_address(read_settings(), host=None, port=None)),
        *_effective(read_runtime_settings),
        _attempt("target", lambda: _describe(target)),
        *([_attempt("store", lambda: _try_store(store))] if store else []),
    ]


def _effective(read: Callable[[], BaseSettings]) -> list[Finding]:
    """The settings in force, one by one; of tokens only their scopes."""
    try:
        settings = read()
    except WakefulError as error:
        return [Finding("settings", error.message, ok=False)]
    shown = settings.model_dump(exclude={"api_tokens"})
    return [
        *(
            Finding(f"setting WAKEFUL_{name.upper()}", "null" if value is None else masked(str(value)))
            for name, value in shown.items()
        ),
        *([_tokens(settings)] if isinstance(settings, ServerConfig) else []),
    ]


def _tokens(settings: ServerConfig) -> Finding:
    scopes = ", ".join(settings.api_tokens) or "none: everybody may do everything"
    return Finding("scopes in WAKEFUL_API_TOKENS", scopes)


def _installed(extra: str, module: str) -> str:
    return "installed" if importlib.util.find_spec(module) else f'not installed (pip install "wakeful[{extra}]")'


def _describe(target: str | None) -> str:
    server = load_server(target, store=None)
    return f"{target or 'demo'} has agents {', '.join(server.runtime.inner.catalog.agents)}"


def _try_store(url: str) -> str:
    async def attempt() -> None:
        store = open_store(url, migrate=read_runtime_settings().migrate)
        await store.open()
        try:
            await store.probe()
        finally:
            await store.aclose()

    asyncio.run(attempt())
    return f"{masked_url(url)} opens"


def _attempt(subject: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, check())
    except WakefulError as error:
        return Finding(subject, masked(error.message), ok=False)
    except Exception as error:
        # A target may fail to import in any way.
        return Finding(subject, masked(f"{type(error).__name__}: {error}"), ok=False)
