"""The journal: what operators did, one document for each thing, numbered without gaps from 1.

An entry that changes the configuration is at once the new version of one record, a publication of all records, and a
line of the audit log, so none of the three can be there without the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from wakeful.contracts.clock import Clock
from wakeful.contracts.document import Document, Documents
from wakeful.contracts.errors import NotFound
from wakeful.contracts.json import JsonObject

SCOPE = ""
"""No client's scope: a token belongs to one with a name."""
KIND = "config.journal"
LAST = 10**12
PAGE = 200

Action = Literal["create", "update", "delete", "restore", "restart"]
Versions = Mapping[str, Mapping[str, int]]
"""By namespace and id: the number of the entry that wrote what counts."""


class Who(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who did something, and from where. `actor` names a token, never shows it."""

    actor: str
    address: str | None = None
    request_id: str | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing an operator did at `at` (ms) to the record `id` of `namespace`.

    `before` is the entry that wrote what counted until then, 0 where code alone did. `value` is what was written:
    `{"spec": {...}}`, `{"patch": {...}}` over what code defines, or None where the record was removed or nothing was
    written. `publication` is the newest entry that changed something, this one included; one that did has `versions`.
    """

    number: int
    at: int
    who: Who
    action: Action
    namespace: str
    id: str
    before: int = 0
    value: JsonObject | None = None
    publication: int = 0
    versions: Versions | None = None


class Journal:
    """Reads and writes the entries."""

    def __init__(self, store: Documents, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def newest(self) -> Entry | None:
        """The last entry; None while nothing was ever done."""
        return next(iter(await self.before(LAST, limit=1)), None)

    async def entry(self, number: int) -> Entry:
        """One entry; raises `NotFound` when there is none, or none any more."""
        found = await self._store.get_document(SCOPE, KIND, _id(number))
        if found is None:
            raise NotFound("journal entry", str(number))
        return _entry(found)

    async def before(self, number: int, *, limit: int) -> Sequence[Entry]:
        """Entries with smaller numbers, the newest first."""
        after = _id(number) if number < LAST else ""
        found = await self._store.list_documents(SCOPE, KIND, prefix="", after=after, limit=limit)
        return [_entry(document) for document in found]

    async def append(self, entry: Entry) -> None:
        """Write the next entry; raises `Conflict` when somebody else wrote one with its number."""
        value: JsonObject = msgspec.to_builtins(entry)
        document = Document(scope=SCOPE, kind=KIND, id=_id(entry.number), value=value)
        await self._store.put_document(document, self._clock.now(), expected=0)

    async def forget(self, number: int) -> None:
        """Remove an entry that nothing refers to any more."""
        await self._store.delete_document(SCOPE, KIND, _id(number))


def _id(number: int) -> str:
    """Counted down, because documents are listed upwards and the newest entries are wanted first."""
    return f"{LAST - number:012d}"


def _entry(document: Document) -> Entry:
    return msgspec.convert(document.value, Entry)
