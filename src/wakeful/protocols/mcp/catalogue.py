"""Answers what both eras may ask about the server: its tools, resources and prompts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec

from wakeful.contracts.exposure import Exposure
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.protocols.mcp import wire
from wakeful.protocols.mcp.client import TASKS, Client
from wakeful.protocols.mcp.completion import Completion
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
        self._completion = Completion(operations)

    async def answer(self, client: Client, call: wire.Call) -> JsonObject | None:
        """The result, None for a method that is none of these. Raises `Refused`, `BadRequest`."""
        found = await self._answer(client, call)
        if found is None or client.modern:
            return found
        return {name: value for name, value in found.items() if name not in ("ttlMs", "cacheScope")}

    def offer(self, client: Client) -> dict[str, str]:
        """A fingerprint of each list that changes with the process only, by the name in its notification."""
        resources: list[JsonValue] = [*self._operations.exposure.resources]
        lists = {"tools": self._tools.listed(client), "prompts": self._prompts.listed(), "resources": resources}
        return {name: _fingerprint(one) for name, one in lists.items()}

    async def _answer(self, client: Client, call: wire.Call) -> JsonObject | None:
        match call.method:
            case "completion/complete" if self._operations.exposure.completes:
                return await self._completion.complete(call.params)
            case "prompts/get":
                return await self._prompts.get(call.params)
            case "resources/list":
                return {**await self._resources.listed(client.principal, _cursor(call)), **PRIVATE}
            case "resources/read":
                return {**await self._resources.read(client, wire.text_of(call.params, "uri")), **PRIVATE}
            case _:
                return self._listed(client, call)

    def _listed(self, client: Client, call: wire.Call) -> JsonObject | None:
        """The lists that fit one page."""
        lists: dict[str, tuple[str, Callable[[], list[JsonValue]]]] = {
            "tools/list": ("tools", lambda: self._tools.listed(client)),
            "prompts/list": ("prompts", self._prompts.listed),
            "resources/templates/list": ("resourceTemplates", self._resources.templates),
        }
        if call.method not in lists:
            return None
        if _cursor(call) is not None:
            raise wire.Refused(wire.INVALID_PARAMS, f"{call.method} has one page; leave 'cursor' out")
        name, listed = lists[call.method]
        return {name: listed(), **PUBLIC}


def capabilities(exposure: Exposure) -> JsonObject:
    """What the server can do for clients of the new era.

    Tools and prompts change with the process only, whose end ends every stream; who opens one again reads again.
    """
    completes: JsonObject = {"completions": {}} if exposure.completes else {}
    return {
        "tools": {"listChanged": False},
        "prompts": {"listChanged": False},
        "resources": {"subscribe": True, "listChanged": True},
        **completes,
        "extensions": {TASKS: {}},
    }


def legacy_capabilities(exposure: Exposure, version: str, *, outlived: bool) -> JsonObject:
    """What it can do in a session of this version.

    `outlived`: the session goes on in other processes, which may offer other tools and prompts. Log messages are on by
    default.
    """
    said: JsonObject = {"tools": {"listChanged": outlived}, "prompts": {"listChanged": outlived}, "logging": {}}
    if exposure.completes:
        said["completions"] = {}
    if version == wire.LATEST_LEGACY:
        said["tasks"] = {"list": {}, "cancel": {}, "requests": {"tools": {"call": {}}}}
    return {**said, "resources": {"subscribe": True, "listChanged": True}}


def _fingerprint(listed: JsonValue) -> str:
    return hashlib.blake2b(msgspec.json.encode(listed), digest_size=12).hexdigest()


def _cursor(call: wire.Call) -> str | None:
    return wire.text_of(call.params, "cursor") if call.params.get("cursor") is not None else None
