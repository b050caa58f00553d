"""MCP over pipes: one JSON object per line, both eras, the same runs in the same store.

The process is the session of the old era. When the input ends, calls that are under way may still come to their end.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, suppress
from dataclasses import replace

from wakeful.contracts.errors import BadRequest, WakefulError
from wakeful.contracts.json import JsonObject
from wakeful.protocols.mcp import envelope, legacy, wire
from wakeful.protocols.mcp.calls import RESULT, Calls, Following
from wakeful.protocols.mcp.catalogue import Catalogue
from wakeful.protocols.mcp.changes import Changes
from wakeful.protocols.mcp.client import Client
from wakeful.protocols.mcp.hearing import SUBSCRIBE, UNSUBSCRIBE, Hearing, Subscriptions
from wakeful.protocols.mcp.legacy import Legacy
from wakeful.protocols.mcp.listening import LISTEN, Listening
from wakeful.protocols.mcp.modern import Modern
from wakeful.server.auth import Principal
from wakeful.server.operations import Operations
from wakeful.server.pipes import Lines

AT_ONCE = 128
"""Most requests that are worked on; the input is not read any further meanwhile."""
DRAIN_SECONDS = 10
"""How long calls may go on when the input has ended."""

log = logging.getLogger("wakeful.mcp")


class Connection:
    """One client at the other end."""

    def __init__(self, operations: Operations, principal: Principal, lines: Lines) -> None:
        self._principal = principal
        self._lines = lines
        self._calls = Calls(operations)
        catalogue = Catalogue(operations, self._calls.tools)
        self._modern = Modern(operations, self._calls, catalogue)
        self._legacy = Legacy(operations, self._calls, catalogue)
        self._changes = Changes(operations)
        self._subscriptions = Subscriptions(operations, self._changes)
        self._listening = Listening(operations, self._modern.tasks, self._changes)
        self._hearing: Hearing | None = None
        self._subscribed: dict[str, str] = {}
        self._session: Client | None = None
        self._working: dict[wire.RequestId, asyncio.Task[None]] = {}
        self._runs: dict[wire.RequestId, str] = {}
        self._heard: set[wire.RequestId] = set()
        self._given_up: set[wire.RequestId] = set()
        self._room = asyncio.Semaphore(AT_ONCE)

    async def serve(self) -> None:
        """Answer until the input ends."""
        async with asyncio.TaskGroup() as tasks:
            self._hearing = Hearing(self._changes, self._principal, self._send, tasks)
            while (line := await self._line()) is not None:
                if line.strip():
                    await self._take(line, tasks)
            calls = [task for called, task in self._working.items() if called not in self._heard]
            if calls:
                await asyncio.wait(calls, timeout=DRAIN_SECONDS)
            for task in self._working.values():
                task.cancel()
            self._hearing.stop()

    async def _line(self) -> bytes | None:
        while True:
            try:
                return await self._lines.read()
            except BadRequest as error:
                await self._send(wire.failure(None, wire.Refused(wire.INVALID_REQUEST, error.message)))

    async def _take(self, line: bytes, tasks: asyncio.TaskGroup) -> None:
        try:
            message = wire.parse(line)
        except wire.Refused as error:
            await self._send(wire.failure(wire.id_of(line), error))
            return
        match message:
            case wire.Call():
                await self._room.acquire()
                self._begin(message, tasks)
            case wire.Note():
                await self._noted(message)
            case wire.Reply():
                await self._calls.reply(self._principal, message)

    def _begin(self, call: wire.Call, tasks: asyncio.TaskGroup) -> None:
        task = tasks.create_task(self._work(call), name=f"mcp {call.method}")
        self._working[call.id] = task
        if call.method == LISTEN:
            self._heard.add(call.id)

        def done(ended: asyncio.Task[None]) -> None:
            self._room.release()
            if self._working.get(call.id) is ended:
                del self._working[call.id]
                self._runs.pop(call.id, None)
                self._heard.discard(call.id)
                self._given_up.discard(call.id)

        task.add_done_callback(done)

    async def _work(self, call: wire.Call) -> None:
        try:
            await self._answer(call)
        except WakefulError as error:
            await self._send(wire.failure(call.id, error))
        except Exception:
            log.exception("%s failed", call.method)
            defect = wire.Refused(wire.INTERNAL_ERROR, "internal error; the server's log says more")
            await self._send(wire.failure(call.id, defect))

    async def _answer(self, call: wire.Call) -> None:
        """Answer a request. Up to its first await nothing comes between it and the request before."""
        if envelope.speaks_modern(call, None):
            client = envelope.read(self._principal, call)
            if call.method == LISTEN:
                await self._listen(client, call)
                return
            found = await self._modern.answer(client, call)
        else:
            found = await self._in_session(call)
        if isinstance(found, Following):
            await (self._announce(found) if found.announced else self._follow(found))
        else:
            await self._send(wire.result(call.id, found))

    async def _in_session(self, call: wire.Call) -> JsonObject | Following:
        if call.method == legacy.INITIALIZE:
            self._session = legacy.newcomer(self._principal, call)
            return self._legacy.welcome(self._session, outlived=False)
        if self._session is None and call.method != "ping":
            raise wire.Refused(
                wire.INVALID_REQUEST, f"expected initialize before {call.method}, or a request of {wire.MODERN}"
            )
        client = self._session or Client(principal=self._principal, version=wire.LATEST_LEGACY, capabilities={})
        if call.method == legacy.SET_LEVEL:
            self._session = replace(client, log_level=legacy.level_asked(call))
            return {}
        if call.method in (SUBSCRIBE, UNSUBSCRIBE):
            self._subscribed = await self._subscriptions.subscribed(client, call, self._subscribed)
            if self._hearing is not None:
                self._hearing.keep(self._subscribed)
            return {}
        return await self._legacy.answer(client, call)

    async def _follow(self, following: Following) -> None:
        """Send what a call brings; one that its client gave up has no response."""
        called = following.call.id
        await self._begun(following)
        async with aclosing(self._calls.follow(following)) as messages:
            async for said in messages:
                if said is not None and not (said.response and called in self._given_up):
                    await self._send(said.message)

    async def _announce(self, following: Following) -> None:
        await self._begun(following)
        found = await self._modern.announced(following)
        if following.call.id not in self._given_up:
            await self._send(wire.result(following.call.id, found))

    async def _begun(self, following: Following) -> None:
        """From here on the call can be stopped; it may have been given up before. A task is not stopped this way."""
        if following.call.method == RESULT:
            return
        self._runs[following.call.id] = following.run.id
        if following.call.id in self._given_up:
            await self._calls.cancel(self._principal, following.run.id)

    async def _listen(self, client: Client, call: wire.Call) -> None:
        found = await self._listening.open(client, call)
        async with asyncio.TaskGroup() as tasks, aclosing(found.messages()) as messages:
            working = tasks.create_task(found.work())
            async for message in messages:
                if message:
                    await self._send(message)
            working.cancel()

    async def _noted(self, note: wire.Note) -> None:
        if note.method == legacy.INITIALIZED and self._session is not None and self._hearing is not None:
            self._hearing.begin(await self._changes.listed(self._principal.scope))
        called = legacy.cancelled_id(note)
        if called is None or called not in self._working:
            return
        self._given_up.add(called)
        if called in self._runs:
            await self._calls.cancel(self._principal, self._runs[called])
        elif called in self._heard:
            self._working[called].cancel()

    async def _send(self, message: bytes) -> None:
        """A client that is gone reads no more; that its input has ended says so, too."""
        with suppress(OSError):
            await self._lines.write(message)
