"""Prompts as their author registered them."""

from __future__ import annotations

from wakeful.contracts.exposure import ExposedPrompt
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.protocols.mcp import wire
from wakeful.server.operations import Operations


class Prompts:
    """Lists and renders."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    def listed(self) -> list[JsonValue]:
        """All of them, always in the same order."""
        return [_shown(found) for found in self._operations.exposure.prompts.values()]

    async def get(self, params: JsonObject) -> JsonObject:
        """The messages of a prompt. Raises `Refused` for an unknown one, `BadRequest` for arguments that do not fit."""
        name, given = wire.text_of(params, "name"), wire.object_of(params, "arguments")
        found = self._operations.exposure.prompts.get(name)
        if found is None:
            raise wire.Refused(wire.INVALID_PARAMS, f"there is no prompt named {name!r}; list them with prompts/list")
        if not all(isinstance(value, str) for value in given.values()):
            raise wire.Refused(wire.INVALID_PARAMS, f"prompt {name}: expected every argument to be a text")
        lines = await found.render(given)
        return {
            "description": found.description,
            "messages": [{"role": line.role, "content": {"type": "text", "text": line.text}} for line in lines],
        }


def _shown(prompt: ExposedPrompt) -> JsonObject:
    arguments: list[JsonValue] = [
        {"name": one.name, "description": one.description, "required": one.required} for one in prompt.arguments
    ]
    return {"name": prompt.name, "description": prompt.description, "arguments": arguments}
