"""`wakeful mcp`: serves agents to the program that started this process."""

from __future__ import annotations

import logging

from wakeful.bootstrap.pipes import speak_mcp
from wakeful.cli.target import load_server
from wakeful.runtime.runtime import Runtime
from wakeful.server.config import ServerConfig


def speak(target: str | None, *, store: str | None) -> None:
    """Speak MCP until the other side is gone; logs go to standard error."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s  %(name)s  %(message)s")

    def load() -> tuple[Runtime, ServerConfig]:
        server = load_server(target, store=store, offer="all")
        return server.runtime.inner, server.config

    speak_mcp(load)
