"""Answers what both eras may ask about the server: its tools, resources and prompts."""

from __future__ import annotations

from collections.abc import Callable

from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.protocols.mcp import resources, wire
from wakeful.protocols.mcp.client import Client
from wakeful.protocols.mcp.prompts import Prompts
from wakeful.protocols.mcp.resources import Resources
from wakeful.protocols.mcp.tools import Tools
from wakeful.server.operations import Operations

PUBLIC: JsonObject = {"ttlMs": 60_000, "cacheScope": "public"}
PRIVATE: JsonObject = {"ttlMs": 0, "cacheScope": "private"}


class Catalogue:
    """The same answers for everybody, but for the resources, which belong to a scope."""

    def __init__(self, operations: Operations, tools: Tools) -> None:
        self._operations = operations
        self._tools = tools
        self._resources = Resources(operations)
        self._prompts = Prompts(operations)

    async def answer(self, client: Client, call: wire.Call) -> JsonObject | None:
        """The result, None for a method that is none of these. Raises `Refused`, `BadRequest`."""
        found = await self._answer(client, call)
        if found is None or client.modern:
            return found
        return {name: value for name, value in found.items() if name not in ("ttlMs", "cacheScope")}

    async def _answer(self, client: Client, call: wire.Call) -> JsonObject | None:
        match call.method:
            case "prompts/get":
                return await self._prompts.get(call.params)
            case "resources/list":
                return {**await self._resources.listed(client.principal, _cursor(call)), **PRIVATE}
            case "resources/read":
                return {**await self._resources.read(client, wire.text_of(call.params, "uri")), **PRIVATE}
            case _:
                return self._listed(call)

    def _listed(self, call: wire.Call) -> JsonObject | None:
        """The lists that fit one page."""
        lists: dict[str, tuple[str, Callable[[], list[JsonValue]]]] = {
            "tools/list": ("tools", self._tools.listed),
            "prompts/list": ("prompts", self._prompts.listed),
            "resources/templates/list": ("resourceTemplates", lambda: resources.TEMPLATES),
        }
        if call.method not in lists:
            return None
        if _cursor(call) is not None:
            raise wire.Refused(wire.INVALID_PARAMS, f"{call.method} has one page; leave 'cursor' out")
        name, listed = lists[call.method]
        return {name: listed(), **PUBLIC}


def capabilities(*, modern: bool) -> JsonObject:
    """What the server can do. The new era declares extensions, the old one the log messages that are on by default."""
    said: JsonObject = {"tools": {"listChanged": False}, "prompts": {"listChanged": False}, "resources": {}}
    if modern:
        return {**said, "resources": {"subscribe": True}, "extensions": {"io.modelcontextprotocol/tasks": {}}}
    return {**said, "logging": {}}


def _cursor(call: wire.Call) -> str | None:
    return wire.text_of(call.params, "cursor") if call.params.get("cursor") is not None else None
