"""Sessions of the old era over HTTP, in the store: any process may serve them, and their calls, after any restart."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import msgspec

from wakeful.contracts.document import Document
from wakeful.contracts.errors import Conflict
from wakeful.contracts.json import JsonObject
from wakeful.contracts.run import Run
from wakeful.contracts.store import Store
from wakeful.protocols.mcp import wire
from wakeful.protocols.mcp.client import Client, LogLevel, capabilities_of, level_of
from wakeful.server.auth import Principal
from wakeful.server.operations import Operations

SESSION = "mcp-session"
CALL = "mcp-call"
HEARING = "mcp-hearing"
LIFETIME_MS = 24 * 3600 * 1000
"""How long a session lives that is not used."""
RENEWED_MS = 3600 * 1000
"""A session that is used is written again when it was written longer ago than this."""
SWEPT = 8
"""How many forgotten sessions are removed when a new one begins."""
PAGE = 200


@dataclass(frozen=True, slots=True)
class Session:
    """A session and its client."""

    id: str
    client: Client
    offer: Mapping[str, str] = field(default_factory=dict[str, str])
    """Fingerprints of the lists that its client was told of last."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A call of a session: the request as it came, the run behind it, and whether the client gave it up."""

    call: wire.Call
    run_id: str
    cancelled: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """What a session subscribed to, each URI with its mark, and the id of the newest stream that tells it."""

    uris: Mapping[str, str] = field(default_factory=dict[str, str])
    stream: str = ""
    revision: int = 0


class Sessions:
    """A session belongs to a scope: for any other it does not exist. Its calls go with it, and with their threads."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def open(self, client: Client, offer: Mapping[str, str]) -> Session:
        """Begin a session, and remove some that nobody used for a day."""
        now = self._operations.now()
        for forgotten in await self._store.claim_documents(SESSION, now=now, until=now + RENEWED_MS, limit=SWEPT):
            await self._remove(forgotten.scope, forgotten.id)
        session = Session(str(uuid.uuid4()), client, offer)
        await self._write(session, expected=0)
        return session

    async def find(self, principal: Principal, id: str) -> Session | None:
        """The session, None when it ended or never was this principal's."""
        now = self._operations.now()
        found = await self._store.get_document(principal.scope, SESSION, id)
        if found is None or (found.due_at is not None and found.due_at <= now):
            return None
        session = Session(id, _client(principal, found.value), found.value["offer"])
        if found.updated_at + RENEWED_MS <= now:
            await self._write(session, expected=found.revision)
        return session

    async def set_level(self, session: Session, level: LogLevel) -> None:
        """Send log messages of this level and above from now on."""
        await self._write(replace(session, client=replace(session.client, log_level=level)), expected=None)

    async def set_offer(self, session: Session, offer: Mapping[str, str]) -> None:
        """The client knows that the lists are these now."""
        await self._write(replace(session, offer=offer), expected=None)

    async def close(self, session: Session) -> None:
        """End it. Its runs go on."""
        await self._remove(session.client.principal.scope, session.id)

    # -- what it hears

    async def hearing(self, session: Session) -> Heard:
        """What it subscribed to, and which stream tells it."""
        found = await self._store.get_document(session.client.principal.scope, HEARING, session.id)
        return Heard() if found is None else Heard(found.value["uris"], found.value["stream"], found.revision)

    async def set_hearing(self, session: Session, heard: Heard) -> bool:
        """Replace what was read; False when somebody else wrote meanwhile."""
        document = Document(
            scope=session.client.principal.scope,
            kind=HEARING,
            id=session.id,
            value={"uris": dict(heard.uris), "stream": heard.stream},
        )
        try:
            await self._store.put_document(document, self._operations.now(), expected=heard.revision)
        except Conflict:
            return False
        return True

    # -- calls

    async def remember(self, session: Session, call: wire.Call, run: Run) -> None:
        """Keep which run answers a call, so that it can be resumed and cancelled anywhere."""
        value: JsonObject = {"id": call.id, "method": call.method, "params": call.params, "run": run.id}
        await self._store.put_document(
            Document(
                scope=run.scope,
                kind=CALL,
                id=f"{session.id}/{call_key(call.id)}",
                value=value,
                thread_key=run.thread_key,
            ),
            self._operations.now(),
        )

    async def recall(self, session: Session, key: str) -> Remembered | None:
        """The call of this key."""
        scope = session.client.principal.scope
        found = await self._store.get_document(scope, CALL, f"{session.id}/{key}")
        if found is None:
            return None
        value = found.value
        call = wire.Call(value["id"], value["method"], value["params"])
        return Remembered(call, value["run"], bool(value.get("cancelled")))

    async def give_up(self, session: Session, id: wire.RequestId) -> str | None:
        """Mark a call as cancelled by its client; the id of a run to be stopped for it, None when there is none.

        Who only waited for a task's result does not stop the task.
        """
        scope, name = session.client.principal.scope, f"{session.id}/{call_key(id)}"
        found = await self._store.get_document(scope, CALL, name)
        if found is None:
            return None
        changed = msgspec.structs.replace(found, value={**found.value, "cancelled": True})
        await self._store.put_document(changed, self._operations.now())
        return str(found.value["run"]) if found.value["method"] == "tools/call" else None

    async def _write(self, session: Session, *, expected: int | None) -> None:
        now, client = self._operations.now(), session.client
        document = Document(
            scope=client.principal.scope,
            kind=SESSION,
            id=session.id,
            value={
                "version": client.version,
                "capabilities": client.capabilities,
                "level": client.log_level,
                "offer": dict(session.offer),
            },
            due_at=now + LIFETIME_MS,
        )
        try:
            await self._store.put_document(document, now, expected=expected)
        except Conflict:  # somebody else wrote it at the same moment
            return

    async def _remove(self, scope: str, id: str) -> None:
        while calls := await self._store.list_documents(scope, CALL, prefix=f"{id}/", after="", limit=PAGE):
            for call in calls:
                await self._store.delete_document(scope, CALL, call.id)
        await self._store.delete_document(scope, HEARING, id)
        await self._store.delete_document(scope, SESSION, id)

    @property
    def _store(self) -> Store:
        return self._operations.store


def call_key(id: wire.RequestId) -> str:
    """A request's id as part of names and event ids; 1 and "1" differ."""
    digest = hashlib.blake2b(msgspec.json.encode(id), digest_size=12).digest()
    return base64.urlsafe_b64encode(digest).decode()


def _client(principal: Principal, value: JsonObject) -> Client:
    return Client(
        principal=principal,
        version=str(value["version"]),
        capabilities=capabilities_of(value.get("capabilities")),
        log_level=level_of(value.get("level")),
    )
