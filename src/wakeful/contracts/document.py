"""Small JSON documents that protocols and plugs keep beside the log: sessions, subscriptions, handles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from wakeful.contracts.json import JsonObject


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One document, named by (`scope`, `kind`, `id`).

    `revision` grows by one with every write, from 1. A document with a `thread_key` is removed with that thread. From
    `due_at` (ms) on it may be claimed; None is never.
    """

    scope: str
    kind: str
    id: str
    value: JsonObject
    revision: int = 0
    updated_at: int = 0
    thread_key: int | None = None
    due_at: int | None = None


class Documents(Protocol):
    """The part of the store socket for documents. Times are milliseconds, handed in by the caller."""

    async def get_document(self, scope: str, kind: str, id: str) -> Document | None:
        """The document, None when there is none."""
        ...

    async def list_documents(self, scope: str, kind: str, *, prefix: str, after: str, limit: int) -> Sequence[Document]:
        """Documents whose id begins with `prefix`, in the order of ids (by code point), those after `after`."""
        ...

    async def put_document(self, document: Document, at: int, *, expected: int | None = None) -> Document:
        """Write the whole document, whatever its `revision` says; returns it as stored.

        `expected` is the revision it must have now, 0: it must not exist; None writes in any case. Raises `Conflict`
        when it is another, `NotFound` when the thread is gone.
        """
        ...

    async def delete_document(self, scope: str, kind: str, id: str, *, expected: int | None = None) -> bool:
        """Remove it; False when there is none. Raises `Conflict` when its revision is not the expected one."""
        ...

    async def claim_documents(self, kind: str, *, now: int, until: int, limit: int) -> Sequence[Document]:
        """Documents of all scopes that are due, longest due first; each is due again at `until`, unless it is written.

        No two processes are given the same one before then.
        """
        ...
