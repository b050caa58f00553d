"""Agents and tools as MCP tools: how they are shown, and what a call of one asks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.message import DataPart, TextPart
from wakeful.contracts.request import InputMessage, RunRequest
from wakeful.contracts.spec import AgentSpec
from wakeful.contracts.tool import ToolSpec
from wakeful.protocols.mcp import wire
from wakeful.protocols.mcp.client import Client
from wakeful.server.operations import Operations

THREAD_KEY = "wakeful/threadId"
"""The `_meta` key by which a call continues the thread of an earlier one, and by which a result names its thread."""
USAGE: JsonObject = {
    "type": "object",
    "properties": {"inputTokens": {"type": "integer"}, "outputTokens": {"type": "integer"}},
}
AGENT_INPUT: JsonObject = {
    "type": "object",
    "properties": {"message": {"type": "string", "description": "What to say to the agent."}},
    "required": ["message"],
}
AGENT_OUTPUT: JsonObject = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "description": "The agent's last message."},
        "threadId": {"type": "string"},
        "runId": {"type": "string"},
        "stopReason": {"type": "string"},
        "usage": USAGE,
    },
    "required": ["text", "threadId", "runId"],
}


class Unusable(wire.Refused):
    """Arguments that do not fit, or a tool that is not there: told to the model as a failed call."""

    def __init__(self, message: str) -> None:
        super().__init__(wire.INVALID_PARAMS, message)


@dataclass(frozen=True, slots=True)
class Asked:
    """A call of an exposed agent, or of a tool, whose `agent` is its caller then."""

    agent: AgentSpec
    message: InputMessage
    is_tool: bool

    def request(self, thread_id: str | None) -> RunRequest:
        """The run it asks for."""
        return RunRequest(thread_id=thread_id, agent_id=self.agent.id, messages=(self.message,))


class Tools:
    """What may be called."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    def listed(self, client: Client) -> list[JsonValue]:
        """All of them, agents first, always in the same order; in the old era with what tasks they may be."""
        found = [*self._agents(), *self._tools()]
        return [{**one, "execution": {"taskSupport": "optional"}} if client.may_ask_for_tasks else one for one in found]

    def parameters(self, name: str) -> JsonObject:
        """The input schema of an exposed tool; empty where there is none of this name."""
        caller = self._operations.exposure.callers.get(name)
        tools = self._operations.agent_tools(caller) if caller else []
        return tools[0].parameters if tools else {}

    def is_tool(self, agent_id: str) -> bool:
        """Whether an agent only makes one call of an exposed tool."""
        return any(caller.id == agent_id for caller in self._operations.exposure.callers.values())

    def asked(self, name: str, arguments: JsonObject) -> Asked:
        """What a call asks for. Raises `Unusable`."""
        exposure = self._operations.exposure
        if name in exposure.agents:
            message = arguments.get("message")
            if not isinstance(message, str) or not message.strip():
                raise Unusable(f"tool {name} expects the argument 'message', a text that is not blank")
            return Asked(self._operations.agent(name), InputMessage("user", (TextPart(message),)), is_tool=False)
        caller = exposure.callers.get(name)
        if caller is None:
            known = ", ".join([*exposure.agents, *exposure.callers]) or "none"
            raise Unusable(f"there is no tool named {name!r}; available: {known}")
        return Asked(caller, InputMessage("user", (DataPart(arguments, name),)), is_tool=True)

    def _agents(self) -> Iterator[JsonObject]:
        for name in self._operations.exposure.agents:
            agent = self._operations.agent(name)
            yield {
                "name": name,
                "description": agent.description or f"The agent {name}.",
                "inputSchema": AGENT_INPUT,
                "outputSchema": AGENT_OUTPUT,
                "annotations": {"openWorldHint": True},
            }

    def _tools(self) -> Iterator[JsonObject]:
        for caller in self._operations.exposure.callers.values():
            for spec in self._operations.agent_tools(caller):
                yield _shown(spec)


def _shown(spec: ToolSpec) -> JsonObject:
    hints: JsonObject = {
        "readOnlyHint": spec.effect == "pure",
        "idempotentHint": spec.effect in ("pure", "idempotent"),
    }
    schema: JsonObject = {"type": "object", **spec.parameters}
    return {"name": spec.name, "description": spec.description, "inputSchema": schema, "annotations": hints}
