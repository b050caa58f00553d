"""Documents: read, written under a revision, claimed when they are due."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from wakeful.contracts.document import Document
from wakeful.stores.filing import beyond, claimed, orphaned, other_revision, value_blob
from wakeful.stores.named_sql import Value
from wakeful.stores.rows import document_of
from wakeful.stores.sqlite.lists import json_list
from wakeful.stores.sqlite.portable import SQLiteMoving
from wakeful.stores.sqlite.session import Session


class SQLiteDocuments(SQLiteMoving):
    """Keeps the promises of `contracts.document.Documents`. One that cannot be read raises `Damaged`, alone."""

    async def get_document(self, scope: str, kind: str, id: str) -> Document | None:
        """The document, None when there is none."""
        return await self._reads.run(lambda session: _get(session, scope, kind, id))

    async def list_documents(self, scope: str, kind: str, *, prefix: str, after: str, limit: int) -> Sequence[Document]:
        """Documents whose id begins with `prefix`, by id, those after `after`."""
        return await self._reads.run(
            lambda session: _page(session, scope, kind, prefix=prefix, after=after, limit=limit)
        )

    async def put_document(self, document: Document, at: int, *, expected: int | None = None) -> Document:
        """Write the whole document. Raises `Conflict`, `NotFound`, and `BadRequest` for a value above 256 KiB."""
        return await self._writes.run(lambda session: _put(session, document, at, expected))

    async def delete_document(self, scope: str, kind: str, id: str, *, expected: int | None = None) -> bool:
        """Remove it; False when there is none. Raises `Conflict`."""
        return await self._writes.run(lambda session: _delete(session, scope, kind, id, expected))

    async def claim_documents(self, kind: str, *, now: int, until: int, limit: int) -> Sequence[Document]:
        """Documents of all scopes that are due. A claim raises the revision; damaged ones are left out."""
        return await self._writes.run(lambda session: _claim(session, kind, now, until, limit))


def _get(session: Session, scope: str, kind: str, id: str) -> Document | None:
    row = session.row("get_document", scope=scope, kind=kind, id=id)
    return None if row is None else document_of(row)


def _page(session: Session, scope: str, kind: str, *, prefix: str, after: str, limit: int) -> tuple[Document, ...]:
    rows = session.rows(
        "list_documents",
        scope=scope,
        kind=kind,
        prefix=prefix,
        after=after if after >= prefix and after else None,
        next_prefix=beyond(prefix),
        limit=limit,
    )
    return tuple(document_of(row) for row in rows)


def _put(session: Session, document: Document, at: int, expected: int | None) -> Document:
    if document.thread_key is not None and session.row("has_thread", key=document.thread_key) is None:
        raise orphaned()
    values: dict[str, Value] = {
        "scope": document.scope,
        "kind": document.kind,
        "id": document.id,
        "value": value_blob(document),
        "at": at,
        "thread_key": document.thread_key,
        "due_at": document.due_at,
        "expected": expected,
    }
    revision = session.value("change_document", **values) if expected else session.value("put_document", **values)
    if revision is None:
        raise other_revision(document.kind, document.id, expected)
    return msgspec.structs.replace(document, revision=revision, updated_at=at)


def _delete(session: Session, scope: str, kind: str, id: str, expected: int | None) -> bool:
    if session.changes("delete_document", scope=scope, kind=kind, id=id, expected=expected):
        return True
    if session.row("has_document", scope=scope, kind=kind, id=id) is not None:
        raise other_revision(kind, id, expected)
    return False


def _claim(session: Session, kind: str, now: int, until: int, limit: int) -> tuple[Document, ...]:
    rows = session.rows("due_documents", kind=kind, now=now, limit=limit)
    session.count("postpone_documents", keys=json_list([row["key"] for row in rows]), until=until)
    return claimed(rows, until)
