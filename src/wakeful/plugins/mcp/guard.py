"""Decides which messages of a server reach the session: answers always, what it says unasked only within bounds."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

from wakeful.contracts.clock import Clock
from wakeful.contracts.json import JsonObject, JsonValue

if TYPE_CHECKING:
    from mcp.shared.message import SessionMessage

HEARD = frozenset({
    "notifications/cancelled",
    "notifications/progress",
    "notifications/subscriptions/acknowledged",
    "notifications/tools/list_changed",
})  # fmt: skip
"""The notifications that mean something here; others are not looked at."""
PURSE = 5_000
PURSE_PER_SECOND = 500
GARBAGE = 20
"""So many messages that are none, and the server is taken for something else."""
log = logging.getLogger("wakeful.mcp")


class Flooded(Exception):
    """The server says more unasked than any client can want to hear; the message says how much."""


class Guard:
    """Counts what a server says without being asked against a purse that fills with time.

    One connection's; raises `Flooded` when the purse is empty.
    """

    def __init__(self, clock: Clock, server: str) -> None:
        self._server = server
        self._clock = clock
        self._left = float(PURSE)
        self._at = clock.now()
        self._garbage = 0

    def admits(self, item: SessionMessage | Exception) -> bool:
        """Whether the session is to see a message. An exception is one that could not be read."""
        if isinstance(item, Exception):
            self._garbage += 1
            if self._garbage >= GARBAGE:
                raise Flooded(f"it sent {GARBAGE} messages that are not JSON-RPC")
            return False
        method = getattr(item.message, "method", None)
        if method is None:
            self._clean(getattr(item.message, "result", None))
            return True
        self._pay()
        return method in HEARD or not method.startswith("notifications/")

    def _clean(self, result: JsonValue) -> None:
        """Take out of a list what is unreadable: the session would refuse all of it because of one tool."""
        fields = cast("JsonObject", result) if isinstance(result, dict) else {}
        if isinstance(fields.get("tools"), list):
            tools: list[JsonValue] = fields["tools"]
            sound = [tool for tool in tools if _readable(tool)]
            if len(sound) < len(tools):
                log.warning(
                    "MCP server %s: left out %d tools that cannot be read", self._server, len(tools) - len(sound)
                )
            fields["tools"] = [_without_bad_promise(cast("JsonObject", tool)) for tool in sound]

    def _pay(self) -> None:
        now = self._clock.now()
        self._left = min(PURSE, self._left + (now - self._at) * PURSE_PER_SECOND / 1000)
        self._at = now
        self._left -= 1
        if self._left < 0:
            raise Flooded(f"it sent more than {PURSE} messages nobody asked for, and goes on")


def _readable(tool: JsonValue) -> bool:
    from mcp.types import Tool
    from pydantic import ValidationError

    try:
        schema: JsonObject = Tool.model_validate(tool, by_name=False).input_schema
    except ValidationError:
        return False
    return schema.get("type") == "object"


def _without_bad_promise(tool: JsonObject) -> JsonObject:
    """The tool without an `outputSchema` that one of the revisions does not allow: it then promises nothing."""
    found: JsonValue = tool.get("outputSchema")
    schema = cast("JsonObject", found) if isinstance(found, dict) else {}
    properties, required = schema.get("properties", {}), schema.get("required", [])
    sound = (
        schema.get("type") == "object"
        and isinstance(schema.get("$schema", ""), str)
        and isinstance(properties, dict)
        and all(isinstance(one, dict | bool) for one in cast("JsonObject", properties).values())
        and isinstance(required, list)
        and all(isinstance(name, str) for name in cast("list[JsonValue]", required))
    )
    return tool if sound else {name: value for name, value in tool.items() if name != "outputSchema"}
