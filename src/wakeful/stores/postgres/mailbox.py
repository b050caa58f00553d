"""What waits on a thread: its queued runs that nobody has carried yet, in the order of their turns."""

from __future__ import annotations

from collections.abc import Sequence

from wakeful.contracts.errors import BadRequest, Conflict
from wakeful.contracts.mailbox import EntryEdit, MailboxEntry, queue_revision
from wakeful.stores.postgres.locks import lock_run
from wakeful.stores.postgres.runs import bounds, run_by_key, write_entries
from wakeful.stores.postgres.session import Session
from wakeful.stores.rows import json_blob, mailbox_entry_of


async def mailbox(session: Session, thread_key: int) -> tuple[MailboxEntry, ...]:
    """The entries of a thread."""
    return tuple(mailbox_entry_of(row) for row in await session.rows("mailbox", thread_key=thread_key))


async def edit_entry(session: Session, edit: EntryEdit) -> MailboxEntry:
    """Give an entry other messages; raises `Conflict`, `NotFound`."""
    await lock_run(session, edit.run_key)
    first_seq, last_seq = bounds(edit.entries)
    changed = (first_seq is None or first_seq > edit.revision) and await session.changes(
        "edit_entry",
        key=edit.run_key,
        revision=edit.revision,
        input=json_blob(edit.messages),
        last_seq=last_seq,
        at=edit.at,
    )
    if not changed:
        run = await run_by_key(session, edit.run_key)
        raise Conflict(f"run {run.id} is {run.status} or was edited after {edit.revision}; read the mailbox again")
    await write_entries(session, edit.run_key, edit.entries)
    session.announce(logs=edit.run_key)
    (row,) = await session.rows("mailbox_entry", key=edit.run_key)
    return mailbox_entry_of(row)


async def reorder(
    session: Session, thread_key: int, run_keys: Sequence[int], revision: str
) -> tuple[MailboxEntry, ...]:
    """Put the entries into this order; raises `Conflict`, `BadRequest`."""
    await session.value("lock_thread", key=thread_key)
    rows = await session.rows("mailbox", thread_key=thread_key)
    entries = [mailbox_entry_of(row) for row in rows]
    if queue_revision(entries) != revision:
        raise Conflict("the mailbox changed meanwhile; read it again and retry")
    if sorted(run_keys) != sorted(row["key"] for row in rows):
        raise BadRequest("the new order must name every entry of the mailbox exactly once")
    if not rows:
        return ()
    await session.count("place_entries", positions=[row["position"] for row in rows], run_keys=list(run_keys))
    former, first = rows[0]["key"], run_keys[0]
    if first != former:
        await session.must_change("take_turn", former=former, run_key=first)
        await session.must_change("lose_turn", run_key=former)
    return await mailbox(session, thread_key)
