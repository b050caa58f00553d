"""The messages of a thread."""

from __future__ import annotations

from collections.abc import Sequence

from wakeful.contracts.codec import encode_message
from wakeful.contracts.errors import BadRequest
from wakeful.contracts.message import Message
from wakeful.contracts.query import MessageQuery, MessageRows
from wakeful.stores.named_sql import Value
from wakeful.stores.rows import message_of
from wakeful.stores.sqlite.lists import json_list
from wakeful.stores.sqlite.session import Session


def add_messages(session: Session, thread_key: int, messages: Sequence[Message], at: int) -> None:
    """Append to the thread what it does not have yet; sequence numbers are dense from 1."""
    if messages:
        known = known_message_ids(session, thread_key, [message.id for message in messages])
        _append(session, thread_key, [message for message in messages if message.id not in known], at)


def begin_messages(session: Session, thread_key: int, messages: Sequence[Message]) -> None:
    """Give a thread that was made in this transaction its first messages."""
    _append(session, thread_key, messages, None)


def _append(session: Session, thread_key: int, messages: Sequence[Message], at: int | None) -> None:
    """Append what the thread does not have; of equal ids the first counts."""
    fresh: dict[str, Message] = {}
    for message in messages:
        fresh.setdefault(message.id, message)
    if not fresh:
        return
    external = sum([message.visibility == "external" for message in fresh.values()])
    last = session.value("reserve_messages", thread_key=thread_key, count=len(fresh), external=external, at=at)
    session.many(
        "insert_message",
        (
            (thread_key, seq, message.id, message.visibility, message.run_id, encode_message(message))
            for seq, message in enumerate(fresh.values(), last - len(fresh) + 1)
        ),
    )


def message_seq(session: Session, thread_key: int, message_id: str) -> int:
    """The sequence number of a message; raises `BadRequest`."""
    found = session.value("message_seq", thread_key=thread_key, id=message_id)
    if found is None:
        raise BadRequest(f"the thread has no message {message_id!r}, which was to be replaced; read its messages again")
    return found


def replace_messages(session: Session, thread_key: int, first: int | None, run_id: str) -> None:
    """Take the messages from `first` on out of the thread, and keep them as replaced by this run; None: nothing."""
    if first is None:
        return
    session.changes("keep_replaced", thread_key=thread_key, first=first, replaced_by=run_id)
    session.changes("count_replaced", thread_key=thread_key, first=first)
    session.changes("drop_replaced", thread_key=thread_key, first=first)


def known_message_ids(session: Session, thread_key: int, ids: Sequence[str]) -> frozenset[str]:
    """Which of these ids the thread already has."""
    found = session.rows("known_message_ids", thread_key=thread_key, ids=json_list(ids))
    return frozenset(row[0] for row in found)


def history(session: Session, thread_key: int) -> tuple[Message, ...]:
    """All messages, oldest first."""
    return tuple(message_of(row) for row in session.rows("history", thread_key=thread_key))


def list_messages(session: Session, query: MessageQuery) -> MessageRows:
    """One page of messages."""
    values: dict[str, Value] = {
        "thread_key": query.thread_key,
        "visibility": query.visibility,
        "after": query.after,
        "before": query.before,
        "descending": 1 if query.order == "desc" else None,
        "limit": query.limit + 1,
    }
    if query.replaced_by is None:
        found = session.rows("list_messages", **values, run_id=query.run_id)
    else:
        found = session.rows("list_replaced_messages", **values, replaced_by=query.replaced_by)
    items = tuple((row["seq"], message_of(row)) for row in found[: query.limit])
    return MessageRows(items, _count(session, query), len(found) > query.limit)


def _count(session: Session, query: MessageQuery) -> int:
    if query.replaced_by is not None:
        return session.value(
            "count_replaced_messages",
            thread_key=query.thread_key,
            replaced_by=query.replaced_by,
            visibility=query.visibility,
        )
    if query.run_id is not None:
        return session.value(
            "count_messages_of_run", thread_key=query.thread_key, run_id=query.run_id, visibility=query.visibility
        )
    counts = session.row("count_messages", thread_key=query.thread_key)
    match query.visibility:
        case _ if counts is None:
            return 0
        case "external":
            return counts["external"]
        case "internal":
            return counts["every"] - counts["external"]
        case None:
            return counts["every"]
