"""What a session of the old era is told unasked: over its own stream, or between the answers over pipes.

`resources/subscribe` names runs and threads to hear of; the list of resources, and of tools and prompts where the
session outlived the process it began in, are told of always (MCP 2025-11-25, resources, and listening for messages).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress

from wakeful.contracts.errors import WakefulError
from wakeful.protocols.mcp import wire
from wakeful.protocols.mcp.changes import Changes, Listed
from wakeful.protocols.mcp.client import Client
from wakeful.protocols.mcp.listening import LIST_CHANGED, MOST, UPDATED
from wakeful.protocols.mcp.resources import Resources
from wakeful.server.auth import Principal
from wakeful.server.operations import Operations

SUBSCRIBE = "resources/subscribe"
UNSUBSCRIBE = "resources/unsubscribe"
Tell = Callable[[bytes], Awaitable[None]]


class Hearing:
    """Tells one client, as tasks of a group, until it is stopped."""

    def __init__(self, changes: Changes, principal: Principal, tell: Tell, tasks: asyncio.TaskGroup) -> None:
        self._changes = changes
        self._principal = principal
        self._tell = tell
        self._tasks = tasks
        self._lists: asyncio.Task[None] | None = None
        self._heard: dict[str, asyncio.Task[None]] = {}

    def begin(self, seen: Listed) -> None:
        """Tell how the list of resources is another than what was seen; again is harmless."""
        if self._lists is None:
            changes = self._changes.of_list(self._principal.scope, seen)
            self._lists = self._tasks.create_task(self._each(changes, wire.notification(LIST_CHANGED, {})))

    def keep(self, wanted: Mapping[str, str]) -> None:
        """Tell of these URIs from their marks on, and of no others. One that is heard already is heard as it was."""
        for uri in self._heard.keys() - wanted.keys():
            self._heard.pop(uri).cancel()
        for uri, mark in wanted.items():
            if uri not in self._heard:
                self._heard[uri] = self._tasks.create_task(self._hear(uri, mark), name="mcp hearing")

    def stop(self) -> None:
        """Tell no more."""
        self.keep({})
        if self._lists is not None:
            self._lists.cancel()

    async def _hear(self, uri: str, mark: str) -> None:
        with suppress(WakefulError):
            subject = await self._changes.find(self._principal, uri)
            if subject is not None:
                await self._each(self._changes.of(subject, mark), wire.notification(UPDATED, {"uri": uri}))

    async def _each(self, changes: AsyncGenerator[None], message: bytes) -> None:
        with suppress(WakefulError):
            async with aclosing(changes):
                async for _ in changes:
                    await self._tell(message)


class Subscriptions:
    """Reads what a client subscribes to."""

    def __init__(self, operations: Operations, changes: Changes) -> None:
        self._changes = changes
        self._resources = Resources(operations)

    async def subscribed(self, client: Client, call: wire.Call, present: Mapping[str, str]) -> dict[str, str]:
        """The URIs to tell of after a request, with their marks. Raises `Refused`.

        What exists but never changes may be subscribed to; there will be nothing to tell.
        """
        uri = wire.text_of(call.params, "uri")
        if call.method == UNSUBSCRIBE:
            return {known: mark for known, mark in present.items() if known != uri}
        subject = await self._changes.find(client.principal, uri)
        if subject is None and not self._resources.registered(uri):
            raise wire.Refused(wire.RESOURCE_NOT_FOUND, f"resource not found: {uri}", data={"uri": uri})
        if uri not in present and len(present) >= MOST:
            raise wire.Refused(wire.INVALID_PARAMS, f"one session hears of at most {MOST} resources")
        if subject is None:
            return dict(present)
        return {uri: await self._changes.mark(subject), **present}
