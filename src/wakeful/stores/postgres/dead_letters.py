"""Dispatches that were given up."""

from __future__ import annotations

from wakeful.contracts.mailbox import DeadLetter, retry_key
from wakeful.stores.postgres.session import Session
from wakeful.stores.rows import dead_letter_of

LAST_KEY = 2**63 - 1


async def dead_letters(
    session: Session, scope: str, before: int | None, limit: int
) -> tuple[tuple[int, DeadLetter], ...]:
    """Newest first, each with its number for paging."""
    return await _read(session, scope, before=before, limit=limit)


async def dead_letter(session: Session, scope: str, dispatch_id: str) -> DeadLetter | None:
    """The one with this id."""
    found = await _read(session, scope, before=None, limit=1, id=dispatch_id)
    return found[0][1] if found else None


async def _read(
    session: Session, scope: str, *, before: int | None, limit: int, id: str | None = None
) -> tuple[tuple[int, DeadLetter], ...]:
    newest = LAST_KEY if before is None else before
    rows = await session.rows("dead_letters", scope=scope, before=newest, limit=limit, id=id)
    keys = [retry_key(row["dispatch_id"]) for row in rows]
    found = await session.rows("run_ids_by_idempotency_key", scope=scope, idempotency_keys=keys) if keys else []
    retried: dict[str, str] = {row["idempotency_key"]: row["id"] for row in found}
    return tuple(
        (row["dispatch_key"], dead_letter_of(row, retried.get(key))) for row, key in zip(rows, keys, strict=True)
    )
