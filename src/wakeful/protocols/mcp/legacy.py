"""The era of 2025-11-25 and before: a session begins with `initialize`; a call's questions are requests of ours."""

from __future__ import annotations

from wakeful.contracts.json import JsonObject
from wakeful.protocols.mcp import envelope, results, wire
from wakeful.protocols.mcp.calls import Calls, Following
from wakeful.protocols.mcp.catalogue import Catalogue, legacy_capabilities
from wakeful.protocols.mcp.client import Client, LogLevel, capabilities_of, level_of
from wakeful.protocols.mcp.legacy_tasks import LegacyTasks, asks_for_task
from wakeful.protocols.mcp.tools import Unusable
from wakeful.server.auth import Principal
from wakeful.server.operations import Operations

INITIALIZE = "initialize"
SET_LEVEL = "logging/setLevel"
INITIALIZED = "notifications/initialized"
CANCELLED = "notifications/cancelled"


class Legacy:
    """Answers requests of a session at once, or names the run whose end answers them."""

    def __init__(self, operations: Operations, calls: Calls, catalogue: Catalogue) -> None:
        self._operations = operations
        self._calls = calls
        self._catalogue = catalogue
        self._tasks = LegacyTasks(operations, calls)

    async def answer(self, client: Client, call: wire.Call) -> JsonObject | Following:
        """The result of a request, or what to follow. Raises `Refused`, and errors of the operations."""
        if call.method == "tools/call":
            return await self._call(client, call)
        if call.method == "ping":
            return {}
        found = await self._catalogue.answer(client, call)
        if found is None:
            found = await self._tasks.answer(client, call)
        if found is None:
            raise wire.Refused(wire.METHOD_NOT_FOUND, f"there is no method {call.method!r}", status=200)
        return found

    async def _call(self, client: Client, call: wire.Call) -> JsonObject | Following:
        is_task = asks_for_task(client, call)
        try:
            following = await self._calls.begin(client, call)
        except Unusable as error:
            if is_task:  # the answer has to be a task, and there is none
                raise
            return results.failed(error.message)
        return self._tasks.created(following) if is_task else following

    def welcome(self, client: Client, *, outlived: bool) -> JsonObject:
        """The result of `initialize`; `outlived` says whether the session may go on in other processes."""
        said = self._operations.exposure.instructions
        return {
            "protocolVersion": client.version,
            "capabilities": legacy_capabilities(self._operations.exposure, client.version, outlived=outlived),
            "serverInfo": envelope.server_info(),
            **({"instructions": said} if said else {}),
        }


def newcomer(principal: Principal, call: wire.Call) -> Client:
    """Who initializes: in the version it asks for, or in the newest of the era. Raises `Refused`."""
    asked = wire.text_of(call.params, "protocolVersion")
    return Client(
        principal=principal,
        version=asked if asked in wire.LEGACY else wire.LATEST_LEGACY,
        capabilities=capabilities_of(wire.object_of(call.params, "capabilities")),
        log_level="info",
    )


def level_asked(call: wire.Call) -> LogLevel:
    """The level of `logging/setLevel`. Raises `Refused`."""
    level = level_of(call.params.get("level"))
    if level is None:
        raise wire.Refused(wire.INVALID_PARAMS, "expected params.level to be a log level, such as info", status=200)
    return level


def cancelled_id(note: wire.Note) -> wire.RequestId | None:
    """The request that a client gave up; None for any other notification."""
    found = note.params.get("requestId") if note.method == CANCELLED else None
    return found if isinstance(found, str | int) and not isinstance(found, bool) else None
