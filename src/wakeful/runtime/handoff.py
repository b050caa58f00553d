"""Hand-off: a tool by which an agent gives the conversation to another, who goes on with the same run."""

from __future__ import annotations

from wakeful.contracts.errors import ToolInputInvalid
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.spec import AgentSpec
from wakeful.contracts.tool import ToolContext, ToolSpec

PREFIX = "transfer_to_"


class Handoff:
    """Says who goes on. That it is done is seen in the closed step (`engine/loop`), so a crash changes nothing."""

    def __init__(self, agent: AgentSpec) -> None:
        self._agent = agent
        about = f": {agent.description}" if agent.description else "."
        self.spec = ToolSpec(
            name=f"{PREFIX}{agent.id}",
            description=f"Hand the conversation over to the agent {agent.id}{about}",
            parameters={"type": "object", "properties": {}, "additionalProperties": False},
            effect="pure",
        )

    def check(self, arguments: JsonObject) -> JsonObject:
        """There are none; raises `ToolInputInvalid` for others."""
        if arguments:
            raise ToolInputInvalid(f"expected no arguments, found {', '.join(arguments)}")
        return arguments

    async def call(self, arguments: JsonObject, context: ToolContext) -> JsonValue:
        """What the agents read of it."""
        return f"The conversation is with {self._agent.id} now."
