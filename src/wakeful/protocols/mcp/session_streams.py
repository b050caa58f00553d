"""The stream of a session over HTTP that belongs to no call (MCP 2025-11-25, listening for messages from the server).

Subscriptions are in the store, so that any process may take them and any may tell; a process that did not take one
itself finds it within five seconds. A session has one stream in a process; of those in several the newest tells, and
the others end.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import replace

from wakeful.contracts.errors import Conflict, StoreUnavailable
from wakeful.protocols.mcp import wire
from wakeful.protocols.mcp.catalogue import Catalogue
from wakeful.protocols.mcp.changes import Changes, Listed
from wakeful.protocols.mcp.hearing import Hearing, Subscriptions
from wakeful.protocols.mcp.outbox import Outbox
from wakeful.protocols.mcp.sessions import Heard, Session, Sessions
from wakeful.server.operations import Operations

SWEEP_SECONDS = 5
ATTEMPTS = 8


class SessionStreams:
    """Takes subscriptions and opens the streams that tell of them."""

    def __init__(self, operations: Operations, sessions: Sessions, catalogue: Catalogue) -> None:
        self._operations = operations
        self._sessions = sessions
        self._catalogue = catalogue
        self._changes = Changes(operations)
        self._subscriptions = Subscriptions(operations, self._changes)
        self._news: dict[str, set[asyncio.Event]] = {}

    async def subscribe(self, session: Session, call: wire.Call) -> None:
        """Take or give back a subscription. Raises `Refused`."""
        for _ in range(ATTEMPTS):
            heard = await self._sessions.hearing(session)
            uris = await self._subscriptions.subscribed(session.client, call, heard.uris)
            if uris == heard.uris or await self._sessions.set_hearing(session, replace(heard, uris=uris)):
                self._tell_news(session)
                return
        raise Conflict("many subscriptions of this session came at once; send it again")

    async def open(self, session: Session) -> SessionStream:
        """A stream of the session. Raises `Refused` while this process has one.

        Official clients open another when the stream of a call ends without its answer; if each ended the one before,
        they would do so for ever.
        """
        if self._news.get(session.id):
            problem = "this session has a stream already; listen to that one"
            raise wire.Refused(wire.INVALID_REQUEST, problem, status=409)
        listed = await self._changes.listed(session.client.principal.scope)
        return SessionStream(self, session, Outbox(self._operations), listed)

    async def tell(self, session: Session, outbox: Outbox, listed: Listed) -> None:
        """Fill a stream until a newer one takes its place or the session ends."""
        news, mine = asyncio.Event(), str(uuid.uuid4())
        heard = await self._take_over(session, mine)
        self._tell_news(session)
        self._news.setdefault(session.id, set()).add(news)
        try:
            async with asyncio.TaskGroup() as tasks:
                hearing = Hearing(self._changes, session.client.principal, outbox.put, tasks)
                hearing.begin(listed)
                await self._tell_offer(session, outbox)
                while heard is not None and heard.stream == mine:
                    hearing.keep(heard.uris)
                    await _or_later(news)
                    heard = await self._look(session, heard)
                hearing.stop()
        finally:
            self._forget(session, news)
        await outbox.close()

    async def _take_over(self, session: Session, mine: str) -> Heard:
        for _ in range(ATTEMPTS):
            heard = await self._sessions.hearing(session)
            if await self._sessions.set_hearing(session, replace(heard, stream=mine)):
                break
        return await self._sessions.hearing(session)

    async def _look(self, session: Session, known: Heard) -> Heard | None:
        """What the session hears now; None when it is over."""
        try:
            if await self._sessions.find(session.client.principal, session.id) is None:
                return None
            return await self._sessions.hearing(session)
        except StoreUnavailable:
            return known

    async def _tell_offer(self, session: Session, outbox: Outbox) -> None:
        """Tell of the lists that are not what they were when the client was told of them last."""
        offer = self._catalogue.offer(session.client)
        for name in offer:
            if session.offer.get(name) != offer[name]:
                await outbox.put(wire.notification(f"notifications/{name}/list_changed", {}))
        if offer != session.offer:
            await self._sessions.set_offer(session, offer)

    def _tell_news(self, session: Session) -> None:
        for news in self._news.get(session.id, ()):
            news.set()

    def _forget(self, session: Session, news: asyncio.Event) -> None:
        left = self._news.get(session.id, set()) - {news}
        if left:
            self._news[session.id] = left
        else:
            self._news.pop(session.id, None)


class SessionStream:
    """One stream: its `messages`, and `work` that has to go on beside it until it is over."""

    def __init__(self, streams: SessionStreams, session: Session, outbox: Outbox, listed: Listed) -> None:
        self._listed = listed
        self._streams = streams
        self._session = session
        self._outbox = outbox

    def messages(self) -> AsyncGenerator[bytes]:
        """What there is to tell, empty bytes for silence."""
        return self._outbox.messages()

    async def work(self) -> None:
        """Bring it."""
        await self._streams.tell(self._session, self._outbox, self._listed)


async def _or_later(news: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(SWEEP_SECONDS):
            await news.wait()
    news.clear()
