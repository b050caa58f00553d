"""Wakeful: an agent server. One runtime for LLM agents on a durable log, served to every client the field has.

The names here are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wakeful.contracts.errors import ToolError, ToolQuestion, WakefulError
    from wakeful.contracts.interrupt import Decision
    from wakeful.contracts.managed import ModelPoolSpec, PoolMember
    from wakeful.contracts.message import FilePart
    from wakeful.contracts.spec import AgentSpec, Endpoint, ModelSpec
    from wakeful.contracts.tool import ToolContext
    from wakeful.embed import AgentRuntime, AgentServer, RunResult
    from wakeful.plugins.mcp.spec import McpServerSpec
    from wakeful.sdk.agent import Agent
    from wakeful.sdk.exposure import Exposed, prompt, resource
    from wakeful.sdk.function_agent import AgentFailed, AgentRequest, agent
    from wakeful.sdk.tool import tool
    from wakeful.sdk.yields import Artifact, AskAuthorisation, AskUser, Data, Reasoning, Refused, Status
    from wakeful.server.config import ServerConfig

__all__ = [
    "Agent",
    "AgentFailed",
    "AgentRequest",
    "AgentRuntime",
    "AgentServer",
    "AgentSpec",
    "Artifact",
    "AskAuthorisation",
    "AskUser",
    "Data",
    "Decision",
    "Endpoint",
    "Exposed",
    "FilePart",
    "McpServerSpec",
    "ModelPoolSpec",
    "ModelSpec",
    "PoolMember",
    "Reasoning",
    "Refused",
    "RunResult",
    "ServerConfig",
    "Status",
    "ToolContext",
    "ToolError",
    "ToolQuestion",
    "WakefulError",
    "agent",
    "prompt",
    "resource",
    "tool",
]

_HOMES = {
    "Agent": "wakeful.sdk.agent",
    "AgentFailed": "wakeful.sdk.function_agent",
    "AgentRequest": "wakeful.sdk.function_agent",
    "AgentRuntime": "wakeful.embed",
    "AgentServer": "wakeful.embed",
    "AgentSpec": "wakeful.contracts.spec",
    "Artifact": "wakeful.sdk.yields",
    "AskAuthorisation": "wakeful.sdk.yields",
    "AskUser": "wakeful.sdk.yields",
    "Data": "wakeful.sdk.yields",
    "Decision": "wakeful.contracts.interrupt",
    "Endpoint": "wakeful.contracts.spec",
    "Exposed": "wakeful.sdk.exposure",
    "FilePart": "wakeful.contracts.message",
    "McpServerSpec": "wakeful.plugins.mcp.spec",
    "ModelPoolSpec": "wakeful.contracts.managed",
    "ModelSpec": "wakeful.contracts.spec",
    "PoolMember": "wakeful.contracts.managed",
    "Reasoning": "wakeful.sdk.yields",
    "Refused": "wakeful.sdk.yields",
    "RunResult": "wakeful.embed",
    "ServerConfig": "wakeful.server.config",
    "Status": "wakeful.sdk.yields",
    "ToolContext": "wakeful.contracts.tool",
    "ToolError": "wakeful.contracts.errors",
    "ToolQuestion": "wakeful.contracts.errors",
    "WakefulError": "wakeful.contracts.errors",
    "agent": "wakeful.sdk.function_agent",
    "prompt": "wakeful.sdk.exposure",
    "resource": "wakeful.sdk.exposure",
    "tool": "wakeful.sdk.tool",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'wakeful' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return __all__
