"""Sessions are threads: a document beside the thread keeps what the protocol knows of it, for every process."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime

import msgspec

from wakeful.contracts.document import Document
from wakeful.contracts.errors import BadRequest, NotFound
from wakeful.contracts.query import ThreadQuery
from wakeful.contracts.thread import Thread
from wakeful.protocols.acp import requests
from wakeful.server.auth import Principal
from wakeful.server.operations import Operations

KIND = "acp-session"
PAGE = 50
STOP_SECONDS = 5
"""How long a run of a session that is to be removed may take to stop."""
MOST_PAGES = 20
"""How many pages of threads one request looks through; a list that is not at its end then has a cursor."""


class Record(msgspec.Struct, frozen=True):
    """What is kept of a session: where the editor works, and which agent answers."""

    cwd: str
    agent_id: str
    directories: tuple[str, ...] = ()


class Session(msgspec.Struct, frozen=True):
    """A session as stored."""

    thread: Thread
    record: Record

    @property
    def id(self) -> str:
        """The session's id, which is the thread's."""
        return self.thread.id


class Sessions:
    """The sessions of one principal."""

    def __init__(self, operations: Operations, principal: Principal) -> None:
        self._operations = operations
        self._principal = principal

    async def create(self, record: Record) -> Session:
        """A new session on a new thread."""
        thread = await self._operations.create_thread(
            self._principal, title=None, resource_id=None, parent_thread_id=None
        )
        return await self.keep(Session(thread, record))

    async def get(self, session_id: str) -> Session | None:
        """The session of a thread that the protocol has seen before."""
        store = self._operations.store
        thread = await store.get_thread(self._principal.scope, session_id)
        found = await store.get_document(self._principal.scope, KIND, session_id) if thread else None
        return Session(thread, msgspec.convert(found.value, Record)) if thread and found else None

    async def thread(self, session_id: str) -> Thread:
        """The thread of a session, also one that came by another protocol; raises `NotFound`."""
        thread = await self._operations.store.get_thread(self._principal.scope, session_id)
        if thread is None:
            raise NotFound("session", session_id)
        return thread

    async def keep(self, session: Session) -> Session:
        """Write what is known of the session."""
        document = Document(
            scope=self._principal.scope,
            kind=KIND,
            id=session.id,
            value=msgspec.to_builtins(session.record),
            thread_key=session.thread.key,
        )
        await self._operations.store.put_document(document, self._operations.now())
        return session

    async def delete(self, session_id: str) -> None:
        """Remove a session with its thread and all runs; one that does not exist is gone already."""
        thread = await self._operations.store.get_thread(self._principal.scope, session_id)
        if thread is None:
            return
        stopped = await self._operations.control.interrupt(thread)
        if stopped.cancelled is not None:
            await self._operations.control.rested(stopped.cancelled, STOP_SECONDS)
        await self._operations.delete_thread(thread, "cascade")

    async def page(self, asked: requests.ListSessions) -> requests.Sessions:
        """Sessions, latest activity first, of one folder if it is named. Raises `BadRequest` for a wrong cursor."""
        after = None if asked.cursor is None else _read_cursor(asked.cursor)
        found: list[requests.SessionInfo] = []
        for _ in range(MOST_PAGES):
            query = ThreadQuery(scope=self._principal.scope, after=after, limit=PAGE)
            rows = await self._operations.threads(query)
            for thread in rows.items:
                after = (thread.updated_at, thread.id)
                info = await self._info(thread)
                if info is not None and asked.cwd in (None, info.cwd):
                    found.append(info)
            if not rows.has_more:
                return requests.Sessions(found)
            if len(found) >= PAGE:
                break
        return requests.Sessions(found, None if after is None else _cursor(after))

    async def _info(self, thread: Thread) -> requests.SessionInfo | None:
        document = await self._operations.store.get_document(self._principal.scope, KIND, thread.id)
        if document is None:
            return None
        record = msgspec.convert(document.value, Record)
        return requests.SessionInfo(
            thread.id, record.cwd, thread.title, iso(thread.updated_at), list(record.directories) or None
        )


def iso(at: int) -> str:
    """Milliseconds since the epoch as ISO 8601."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _cursor(after: tuple[int, str]) -> str:
    return urlsafe_b64encode(msgspec.json.encode(after)).decode()


def _read_cursor(cursor: str) -> tuple[int, str]:
    try:
        return msgspec.json.decode(urlsafe_b64decode(cursor.encode()), type=tuple[int, str])
    except (binascii.Error, msgspec.DecodeError, ValueError):
        raise BadRequest("the cursor is none of ours: expected the nextCursor of the page before") from None
