"""Serves agents to the editor that started this process."""

from __future__ import annotations

import logging

from wakeful.bootstrap.editor import serve_editor
from wakeful.cli.commands import carry_nothing
from wakeful.cli.target import load_server
from wakeful.contracts.errors import ConfigurationError
from wakeful.runtime.runtime import Runtime
from wakeful.server.auth import DEFAULT_SCOPE
from wakeful.server.config import ServerConfig


def serve_acp(target: str | None, *, store: str | None, scope: str | None, carry: bool, context_size: int) -> None:
    """Speak ACP over standard input and output; everything else that prints goes to standard error.

    Raises `ConfigurationError` for a target that is none, and where nobody would ever carry the runs.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s  %(name)s  %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # it tells every address, and some hold a secret
    if not carry:
        carry_nothing()

    def load() -> tuple[Runtime, ServerConfig]:
        server = load_server(target, store=store)
        if not carry and not server.runtime.inner.store.shared:
            raise ConfigurationError("with --no-worker another process carries the runs; name its store with --store")
        return server.runtime.inner, server.config

    serve_editor(load, scope=scope or DEFAULT_SCOPE, context_size=context_size)
