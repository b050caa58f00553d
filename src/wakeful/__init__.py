"""Wakeful: an agent server. One runtime for LLM agents on a durable log, served to every client the field has.

The names here are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wakeful.contracts.errors import ToolError, WakefulError
    from wakeful.contracts.interrupt import Decision
    from wakeful.contracts.spec import AgentSpec, ModelSpec
    from wakeful.contracts.tool import ToolContext
    from wakeful.embed import AgentRuntime, AgentServer, RunResult
    from wakeful.sdk.agent import Agent
    from wakeful.sdk.tool import tool
    from wakeful.server.config import ServerConfig

__all__ = [
    "Agent",
    "AgentRuntime",
    "AgentServer",
    "AgentSpec",
    "Decision",
    "ModelSpec",
    "RunResult",
    "ServerConfig",
    "ToolContext",
    "ToolError",
    "WakefulError",
    "tool",
]

_HOMES = {
    "Agent": "wakeful.sdk.agent",
    "AgentRuntime": "wakeful.embed",
    "AgentServer": "wakeful.embed",
    "AgentSpec": "wakeful.contracts.spec",
    "Decision": "wakeful.contracts.interrupt",
    "ModelSpec": "wakeful.contracts.spec",
    "RunResult": "wakeful.embed",
    "ServerConfig": "wakeful.server.config",
    "ToolContext": "wakeful.contracts.tool",
    "ToolError": "wakeful.contracts.errors",
    "WakefulError": "wakeful.contracts.errors",
    "tool": "wakeful.sdk.tool",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'wakeful' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return __all__
