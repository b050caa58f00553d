"""Dispatches that were given up."""

from __future__ import annotations

import sqlite3

from wakeful.contracts.mailbox import DeadLetter, retry_key
from wakeful.stores.rows import dead_letter_of
from wakeful.stores.sqlite.session import Session

LAST_KEY = 2**63 - 1


def dead_letters(session: Session, scope: str, before: int | None, limit: int) -> tuple[tuple[int, DeadLetter], ...]:
    """Newest first, each with its number for paging."""
    return _read(session, scope, before=before, limit=limit)


def dead_letter(session: Session, scope: str, dispatch_id: str) -> DeadLetter | None:
    """The one with this id."""
    found = _read(session, scope, before=None, limit=1, id=dispatch_id)
    return found[0][1] if found else None


def _read(
    session: Session, scope: str, *, before: int | None, limit: int, id: str | None = None
) -> tuple[tuple[int, DeadLetter], ...]:
    newest = LAST_KEY if before is None else before
    rows = session.rows("dead_letters", scope=scope, before=newest, limit=limit, id=id)
    return tuple((row["dispatch_key"], _letter(session, scope, row)) for row in rows)


def _letter(session: Session, scope: str, row: sqlite3.Row) -> DeadLetter:
    key = retry_key(row["dispatch_id"])
    return dead_letter_of(row, session.value("run_id_by_idempotency_key", scope=scope, idempotency_key=key))
