"""`subscriptions/listen` (MCP 2026-07-28): tells what happens to tasks, threads and runs.

The lists of tools and prompts never change while a process runs, and what an author registered to be read cannot tell
of itself; so of what a client asks for, tasks, the list of resources, threads and runs are acknowledged.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress

import msgspec

from wakeful.contracts.errors import NotFound, WakefulError
from wakeful.contracts.event import LogEntry, RunFinished, RunStarted, RunWaiting
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.run import Run
from wakeful.protocols.mcp import envelope, wire
from wakeful.protocols.mcp.changes import Changes, Listed, Subject
from wakeful.protocols.mcp.client import Client
from wakeful.protocols.mcp.outbox import Outbox
from wakeful.protocols.mcp.tasks import Tasks
from wakeful.server.operations import Operations

LISTEN = "subscriptions/listen"
SUBSCRIPTION_KEY = "io.modelcontextprotocol/subscriptionId"
LIST_CHANGED = "notifications/resources/list_changed"
UPDATED = "notifications/resources/updated"
MOST = 64
"""Tasks and resources that one stream may tell about."""


class Listening:
    """Opens the streams."""

    def __init__(self, operations: Operations, tasks: Tasks, changes: Changes) -> None:
        self._operations = operations
        self._tasks = tasks
        self._changes = changes

    async def open(self, client: Client, call: wire.Call) -> Subscription:
        """What a client wants to hear of. Raises `Refused`."""
        asked = wire.as_object(call.params.get("notifications"))
        if asked is None:
            raise wire.Refused(wire.INVALID_PARAMS, "expected params.notifications to be an object")
        tasks, uris = _texts(asked, "taskIds"), _texts(asked, "resourceSubscriptions")
        if len(tasks) + len(uris) > MOST:
            raise wire.Refused(wire.INVALID_PARAMS, f"one stream tells about at most {MOST} tasks and resources")
        runs = {one: run for one in tasks if client.knows_tasks and (run := await self._run(client, one))}
        found = {uri: one for uri in uris if (one := await self._changes.find(client.principal, uri)) is not None}
        marked = {uri: (one, await self._changes.mark(one)) for uri, one in found.items()}
        listed = (
            await self._changes.listed(client.principal.scope) if asked.get("resourcesListChanged") is True else None
        )
        subscription = Subscription(self._operations, self._tasks, self._changes, client, call.id)
        subscription.honour(runs, marked, listed)
        return subscription

    async def _run(self, client: Client, id: str) -> Run | None:
        try:
            return await self._operations.run(client.principal, id)
        except NotFound:
            return None


class Subscription:
    """One stream: its `messages`, and `work` that has to go on beside it until the stream is over."""

    def __init__(
        self, operations: Operations, tasks: Tasks, changes: Changes, client: Client, call_id: wire.RequestId
    ) -> None:
        self._operations = operations
        self._tasks = tasks
        self._changes = changes
        self._client = client
        self._call_id = call_id
        self._meta: JsonObject = {SUBSCRIPTION_KEY: call_id}
        self._outbox = Outbox(operations)
        self._runs: Mapping[str, Run] = {}
        self._marked: Mapping[str, tuple[Subject, str]] = {}
        self._listed: Listed | None = None

    def honour(self, runs: Mapping[str, Run], marked: Mapping[str, tuple[Subject, str]], listed: Listed | None) -> None:
        """Tell of these tasks, of what changes at these URIs after the marks, and of the list where it was seen."""
        self._runs, self._marked, self._listed = runs, marked, listed

    async def messages(self) -> AsyncGenerator[bytes]:
        """Goes on until the client, or the process, goes; empty bytes mean silence."""
        honoured: JsonObject = {}
        if self._runs:
            honoured["taskIds"] = list(self._runs)
        if self._marked:
            honoured["resourceSubscriptions"] = list(self._marked)
        if self._listed is not None:
            honoured["resourcesListChanged"] = True
        yield self._note("notifications/subscriptions/acknowledged", {"notifications": honoured})
        async with aclosing(self._outbox.messages()) as messages:
            async for message in messages:
                yield message
        yield wire.result(self._call_id, envelope.completed(self._client, {"_meta": self._meta}))

    async def work(self) -> None:
        """Bring what is to be told, until there can be no more. What is removed tells nothing more."""
        async with asyncio.TaskGroup() as tasks:
            for run in self._runs.values():
                tasks.create_task(self._tell_task(run), name="listening")
            for uri, (subject, mark) in self._marked.items():
                changes = self._changes.of(subject, mark)
                tasks.create_task(self._tell(changes, UPDATED, {"uri": uri}), name="listening")
            if self._listed is not None:
                changes = self._changes.of_list(self._client.principal.scope, self._listed)
                tasks.create_task(self._tell(changes, LIST_CHANGED, {}), name="listening")

    async def _tell(self, changes: AsyncGenerator[None], method: str, params: JsonObject) -> None:
        with suppress(WakefulError):
            async with aclosing(changes):
                async for _ in changes:
                    await self._outbox.put(self._note(method, params))

    async def _tell_task(self, run: Run) -> None:
        """The task as it is now, and after every change."""
        with suppress(WakefulError):
            async with aclosing(self._operations.follow(run, after=0, until_finished=True)) as events:
                async for batch in events:
                    if any(_changes_status(entry) for entry in batch):
                        now = await self._operations.run(self._client.principal, run.id)
                        shown = await self._tasks.detailed(self._client, now)
                        await self._outbox.put(self._note("notifications/tasks", shown))

    def _note(self, method: str, params: JsonObject) -> bytes:
        return wire.notification(method, {**params, "_meta": self._meta})


def _changes_status(entry: LogEntry) -> bool:
    return isinstance(entry.event, RunStarted | RunWaiting | RunFinished)


def _texts(asked: JsonObject, name: str) -> list[str]:
    found: JsonValue = asked.get(name, [])
    try:
        return list(dict.fromkeys(msgspec.convert(found, list[str])))
    except msgspec.ValidationError:
        raise wire.Refused(wire.INVALID_PARAMS, f"expected notifications.{name} to be a list of texts") from None
