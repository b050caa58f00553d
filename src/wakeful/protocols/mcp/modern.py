"""The era of 2026-07-28: every request says who asks; a call's questions are a result, its answers the call again."""

from __future__ import annotations

from wakeful.contracts.json import JsonObject
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.run import Run
from wakeful.protocols.mcp import envelope, results, wire
from wakeful.protocols.mcp.calls import Calls, Following
from wakeful.protocols.mcp.catalogue import PUBLIC, Catalogue, capabilities
from wakeful.protocols.mcp.client import Client
from wakeful.protocols.mcp.tasks import Tasks
from wakeful.protocols.mcp.tools import Unusable
from wakeful.server.operations import Operations


class Modern:
    """Answers requests at once, or names the run whose end answers them."""

    def __init__(self, operations: Operations, calls: Calls, catalogue: Catalogue) -> None:
        self._operations = operations
        self._calls = calls
        self._catalogue = catalogue
        self.tasks = Tasks(operations, calls)

    async def answer(self, client: Client, call: wire.Call) -> JsonObject | Following:
        """The complete result of a request, or what to follow. Raises `Refused`, and errors of the operations."""
        found = await self._answer(client, call)
        return found if isinstance(found, Following) else envelope.completed(client, found)

    async def _answer(self, client: Client, call: wire.Call) -> JsonObject | Following:
        if call.method == "tools/call":
            return await self._call(client, call)
        if call.method == "server/discover":
            return self._discovered()
        found = await self._catalogue.answer(client, call)
        if found is None:
            found = await self.tasks.answer(client, call)
        if found is None:
            raise wire.Refused(wire.METHOD_NOT_FOUND, f"there is no method {call.method!r}", status=404)
        return found

    async def _call(self, client: Client, call: wire.Call) -> JsonObject | Following:
        try:
            following = await self._calls.begin(client, call)
        except Unusable as error:
            return results.failed(error.message)
        if following.run.status is RunStatus.WAITING and not following.announced:
            return await self._calls.outcome(call, client, following.run)
        return following

    async def announced(self, following: Following) -> JsonObject:
        """The complete result of a call of a client that knows tasks: what the run wrote, or the run as a task."""
        client = following.client
        found = await self.tasks.of_call(following)
        if found is None:
            found = await self._calls.outcome(following.call, client, await self._now(following))
        return envelope.completed(client, found)

    async def _now(self, following: Following) -> Run:
        return await self._operations.run(following.client.principal, following.run.id)

    def _discovered(self) -> JsonObject:
        said = self._operations.exposure.instructions
        return {
            "supportedVersions": [wire.MODERN],
            "capabilities": capabilities(self._operations.exposure),
            **({"instructions": said} if said else {}),
            **PUBLIC,
        }
