"""`subscriptions/listen` (MCP 2026-07-28): tells what happens to tasks, and that transcripts have changed.

The lists of tools and prompts never change while a server runs, and lists of threads are not announced; so of what a
client asks for, tasks and the transcripts of runs are acknowledged. A run that is over tells its end, and nothing more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from urllib.parse import unquote

import msgspec

from wakeful.contracts.errors import NotFound, WakefulError
from wakeful.contracts.event import LogEntry, RunFinished, RunStarted, RunWaiting
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.run import Run
from wakeful.protocols.mcp import envelope, wire
from wakeful.protocols.mcp.client import Client
from wakeful.protocols.mcp.resources import RUNS
from wakeful.protocols.mcp.tasks import Tasks
from wakeful.server.operations import Operations

LISTEN = "subscriptions/listen"
SUBSCRIPTION_KEY = "io.modelcontextprotocol/subscriptionId"
MOST = 64
"""Runs that one stream may tell about."""
WAITING_FRAMES = 64
SILENCE_SECONDS = 2
"""How long nothing is sent at most; also how long it takes to notice that the process goes down."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A run that is listened to: as a task, or by its URI."""

    run: Run
    uri: str | None


class Listening:
    """Opens the streams."""

    def __init__(self, operations: Operations, tasks: Tasks) -> None:
        self._operations = operations
        self._tasks = tasks

    async def open(self, client: Client, call: wire.Call) -> Subscription:
        """What a client wants to hear of. Raises `Refused`."""
        asked = wire.object_of(call.params, "notifications")
        tasks, uris = _texts(asked, "taskIds"), _texts(asked, "resourceSubscriptions")
        if len(tasks) + len(uris) > MOST:
            raise wire.Refused(wire.INVALID_PARAMS, f"one stream tells about at most {MOST} tasks and resources")
        by_task = {one: run for one in tasks if client.knows_tasks and (run := await self._run(client, one))}
        by_uri = {uri: run for uri in uris if (run := await self._run_at(client, uri))}
        honoured: JsonObject = {}
        if by_task:
            honoured["taskIds"] = list(by_task)
        if by_uri:
            honoured["resourceSubscriptions"] = list(by_uri)
        subjects = [Subject(run, None) for run in by_task.values()]
        subjects += [Subject(run, uri) for uri, run in by_uri.items()]
        return Subscription(self._operations, self._tasks, client, call.id, honoured=honoured, subjects=subjects)

    async def _run(self, client: Client, id: str) -> Run | None:
        try:
            return await self._operations.run(client.principal, id)
        except NotFound:
            return None

    async def _run_at(self, client: Client, uri: str) -> Run | None:
        return await self._run(client, unquote(uri.removeprefix(RUNS))) if uri.startswith(RUNS) else None


class Subscription:
    """One stream: its `messages`, and `work` that has to go on beside it until the stream is over."""

    def __init__(
        self,
        operations: Operations,
        tasks: Tasks,
        client: Client,
        call_id: wire.RequestId,
        *,
        honoured: JsonObject,
        subjects: Sequence[Subject],
    ) -> None:
        self._operations = operations
        self._tasks = tasks
        self._client = client
        self._call_id = call_id
        self._honoured = honoured
        self._subjects = subjects
        self._meta: JsonObject = {SUBSCRIPTION_KEY: call_id}
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(WAITING_FRAMES)

    async def messages(self) -> AsyncGenerator[bytes]:
        """Goes on until the client, or the process, goes; empty bytes mean silence."""
        acknowledged: JsonObject = {"notifications": self._honoured, "_meta": self._meta}
        yield wire.notification("notifications/subscriptions/acknowledged", acknowledged)
        while not self._operations.going_down:
            try:
                async with asyncio.timeout(SILENCE_SECONDS):
                    found = await self._waiting.get()
            except TimeoutError:
                found = b""
            yield found
        yield wire.result(self._call_id, envelope.completed(self._client, {"_meta": self._meta}))

    async def work(self) -> None:
        """Bring what is to be told, until every run is over. A run whose log is removed tells nothing more."""
        async with asyncio.TaskGroup() as tasks:
            for subject in self._subjects:
                tasks.create_task(self._tell(subject), name="listening")

    async def _tell(self, subject: Subject) -> None:
        """Put a notification of the run as it is now, and of every change, into the queue."""
        with suppress(WakefulError):
            async with aclosing(self._operations.follow(subject.run, after=0, until_finished=True)) as events:
                async for batch in events:
                    if any(_matters(entry) for entry in batch):
                        run = await self._operations.run(self._client.principal, subject.run.id)
                        await self._waiting.put(await self._told(run, subject.uri))

    async def _told(self, run: Run, uri: str | None) -> bytes:
        if uri is not None:
            return wire.notification("notifications/resources/updated", {"uri": uri, "_meta": self._meta})
        told: JsonObject = {**await self._tasks.detailed(run), "_meta": self._meta}
        return wire.notification("notifications/tasks", told)


def _matters(entry: LogEntry) -> bool:
    return isinstance(entry.event, RunStarted | RunWaiting | RunFinished)


def _texts(asked: JsonObject, name: str) -> list[str]:
    found: JsonValue = asked.get(name, [])
    try:
        return list(dict.fromkeys(msgspec.convert(found, list[str])))
    except msgspec.ValidationError:
        raise wire.Refused(wire.INVALID_PARAMS, f"expected notifications.{name} to be a list of texts") from None
