"""The messages of threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from wakeful.contracts.codec import encode_message
from wakeful.contracts.errors import BadRequest
from wakeful.contracts.message import Message
from wakeful.contracts.query import MessageQuery, MessageRows
from wakeful.stores.named_sql import Value
from wakeful.stores.postgres.session import Session
from wakeful.stores.rows import message_of


class Joining(NamedTuple):
    """Messages that join a thread at a time (ms)."""

    thread_key: int
    messages: Sequence[Message]
    at: int


async def add_messages(session: Session, thread_key: int, messages: Sequence[Message], at: int) -> None:
    """Append to the thread what it does not have yet; sequence numbers are dense from 1."""
    await add_all_messages(session, [Joining(thread_key, messages, at)])


async def add_all_messages(session: Session, joinings: Sequence[Joining]) -> None:
    """Append to several threads, each of which is named once, what they do not have yet."""
    fresh = await _fresh(session, [joining for joining in joinings if joining.messages])
    if not fresh:
        return
    reserved = await session.rows(
        "reserve_messages",
        thread_keys=[joining.thread_key for joining in fresh],
        counts=[len(joining.messages) for joining in fresh],
        externals=[sum(one.visibility == "external" for one in joining.messages) for joining in fresh],
        ats=[joining.at for joining in fresh],
    )
    last = {row["key"]: row["message_seq"] for row in reserved}
    rows = [
        (joining.thread_key, seq, message)
        for joining in fresh
        for seq, message in enumerate(joining.messages, last[joining.thread_key] - len(joining.messages) + 1)
    ]
    await session.count(
        "insert_messages",
        thread_keys=[thread_key for thread_key, _, _ in rows],
        seqs=[seq for _, seq, _ in rows],
        ids=[message.id for _, _, message in rows],
        visibilities=[message.visibility for _, _, message in rows],
        run_ids=[message.run_id for _, _, message in rows],
        bodies=[encode_message(message) for _, _, message in rows],
    )


async def _fresh(session: Session, joinings: Sequence[Joining]) -> list[Joining]:
    """What the threads do not have yet, each message once."""
    if not joinings:
        return []
    wanted = [(joining.thread_key, message.id) for joining in joinings for message in joining.messages]
    found = await session.rows(
        "known_message_ids", thread_keys=[key for key, _ in wanted], ids=[message_id for _, message_id in wanted]
    )
    known = {(row["thread_key"], row["id"]) for row in found}
    fresh: list[Joining] = []
    for thread_key, messages, at in joinings:
        new: dict[str, Message] = {}
        for message in messages:
            if (thread_key, message.id) not in known:
                new.setdefault(message.id, message)
        if new:
            fresh.append(Joining(thread_key, tuple(new.values()), at))
    return fresh


async def message_seq(session: Session, thread_key: int, message_id: str) -> int:
    """The sequence number of a message; raises `BadRequest`."""
    found = await session.value("message_seq", thread_key=thread_key, id=message_id)
    if found is None:
        raise BadRequest(f"the thread has no message {message_id!r}, which was to be replaced; read its messages again")
    return found


async def replace_messages(session: Session, thread_key: int, first: int | None, run_id: str) -> None:
    """Take the messages from `first` on out of the thread, and keep them as replaced by this run; None: nothing."""
    if first is None:
        return
    await session.changes("keep_replaced", thread_key=thread_key, first=first, replaced_by=run_id)
    await session.changes("count_replaced", thread_key=thread_key, first=first)
    await session.changes("drop_replaced", thread_key=thread_key, first=first)


async def known_message_ids(session: Session, thread_key: int, ids: Sequence[str]) -> frozenset[str]:
    """Which of these ids the thread already has."""
    found = await session.rows("known_message_ids", thread_keys=[thread_key] * len(ids), ids=list(ids))
    return frozenset(row["id"] for row in found)


async def history(session: Session, thread_key: int) -> tuple[Message, ...]:
    """All messages, oldest first."""
    return tuple(message_of(row) for row in await session.rows("history", thread_key=thread_key))


async def list_messages(session: Session, query: MessageQuery) -> MessageRows:
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
        found = await session.rows("list_messages", **values, run_id=query.run_id)
    else:
        found = await session.rows("list_replaced_messages", **values, replaced_by=query.replaced_by)
    items = tuple((row["seq"], message_of(row)) for row in found[: query.limit])
    return MessageRows(items, await _count(session, query), len(found) > query.limit)


async def _count(session: Session, query: MessageQuery) -> int:
    if query.replaced_by is not None:
        return await session.value(
            "count_replaced_messages",
            thread_key=query.thread_key,
            replaced_by=query.replaced_by,
            visibility=query.visibility,
        )
    if query.run_id is not None:
        return await session.value(
            "count_messages_of_run", thread_key=query.thread_key, run_id=query.run_id, visibility=query.visibility
        )
    counts = await session.row("count_messages", thread_key=query.thread_key)
    match query.visibility:
        case _ if counts is None:
            return 0
        case "external":
            return counts["external"]
        case "internal":
            return counts["every"] - counts["external"]
        case None:
            return counts["every"]
