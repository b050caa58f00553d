"""Threads: create, read, change, remove."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from wakeful.contracts.errors import BadRequest, Conflict, NotFound
from wakeful.contracts.json import JsonObject
from wakeful.contracts.query import ThreadChange, ThreadQuery, ThreadRows
from wakeful.contracts.store import ChildStrategy
from wakeful.contracts.thread import Thread
from wakeful.stores.named_sql import Value
from wakeful.stores.postgres.session import Session
from wakeful.stores.rows import json_blob, state_of, thread_of


async def create_thread(session: Session, thread: Thread) -> Thread:
    """Store a new thread; counts and the latest agent follow from what happens on it."""
    key = await session.value(
        "insert_thread",
        scope=thread.scope,
        id=thread.id,
        created_at=thread.created_at,
        updated_at=thread.updated_at,
        title=thread.title,
        resource_id=thread.resource_id,
        parent_key=await _parent_key(session, thread.scope, thread.parent_thread_id),
        custom=json_blob(thread.custom),
    )
    if key is None:
        raise Conflict(f"thread {thread.id} exists already; choose another id")
    return await _thread(session, key)


async def get_thread(session: Session, scope: str, thread_id: str) -> Thread | None:
    """The thread with this id."""
    row = await session.row("get_thread", scope=scope, id=thread_id)
    return None if row is None else thread_of(row)


async def list_threads(session: Session, query: ThreadQuery) -> ThreadRows:
    """One page of threads."""
    after_at, after_id = query.after or (None, None)
    filters: dict[str, Value] = {
        "scope": query.scope,
        "resource_id": query.resource_id,
        "parent_thread_id": query.parent_thread_id,
        "root": 1 if query.root else None,
    }
    found = await session.rows(
        "list_threads", **filters, after_at=after_at, after_id=after_id, offset=query.offset, limit=query.limit + 1
    )
    items = tuple(thread_of(row) for row in found[: query.limit])
    return ThreadRows(items, await session.value("count_threads", **filters), len(found) > query.limit)


async def update_thread(session: Session, thread_key: int, change: ThreadChange, at: int) -> Thread:
    """Apply a change; a null in `custom` removes that key."""
    if change.parent_thread_id is not msgspec.UNSET:
        await session.rows("lock_families")
    await session.value("lock_thread", key=thread_key)
    row = await session.row("thread_by_key", key=thread_key)
    if row is None:
        raise _removed()
    old = thread_of(row)
    parent_key = row["parent_key"]
    if change.parent_thread_id is not msgspec.UNSET:
        parent_key = await _parent_key(session, old.scope, change.parent_thread_id)
        await _refuse_cycle(session, thread_key, parent_key)
    await session.must_change(
        "change_thread",
        key=thread_key,
        title=old.title if change.title is msgspec.UNSET else change.title,
        resource_id=old.resource_id if change.resource_id is msgspec.UNSET else change.resource_id,
        parent_key=parent_key,
        custom=json_blob(_merge(old.custom, change.custom)),
        at=at,
    )
    return await _thread(session, thread_key)


async def delete_thread(session: Session, thread_key: int, strategy: ChildStrategy) -> None:
    """Remove a thread; its rows elsewhere follow, children lose their parent."""
    family = [row["key"] for row in await session.rows("lock_family", key=thread_key)]
    if thread_key not in family:
        raise _removed()
    if strategy == "reject" and len(family) > 1:
        raise BadRequest("the thread has child threads; detach or remove them with it, or remove them first")
    doomed = family if strategy == "cascade" else [thread_key]
    running = await session.value("running_within", thread_keys=doomed)
    if running is not None:
        raise Conflict(f"run {running} is running; cancel it or wait for its end, then remove the thread")
    runs = await session.rows("runs_of_threads", thread_keys=doomed)
    run_keys = [row["key"] for row in runs]
    await session.count("delete_events", run_keys=run_keys)
    await session.count("delete_packs", run_keys=run_keys)
    await session.must_change("delete_threads", thread_keys=doomed)
    for run in runs:
        if run["open"]:
            # Who reads its log elsewhere finds that it is gone.
            session.announce(logs=run["key"])


async def shared_state(session: Session, thread_key: int) -> JsonObject:
    """What the thread's agents, tools and client share; empty while nobody wrote anything."""
    found = await session.value("shared_state", thread_key=thread_key)
    return {} if found is None else state_of(found, thread_key)


async def share(session: Session, thread_key: int, state: JsonObject | None) -> None:
    """Write the whole shared state; None leaves it as it is."""
    await share_all(session, {} if state is None else {thread_key: state})


async def share_all(session: Session, states: Mapping[int, JsonObject]) -> None:
    """Write the whole shared states of several threads, by their keys."""
    if states:
        bodies = [json_blob(state) for state in states.values()]
        await session.count("share_states", thread_keys=list(states), states=bodies)


async def _thread(session: Session, key: int) -> Thread:
    (row,) = await session.rows("thread_by_key", key=key)
    return thread_of(row)


async def _parent_key(session: Session, scope: str, parent_id: str | None) -> int | None:
    if parent_id is None:
        return None
    key = await session.value("thread_key", scope=scope, id=parent_id)
    if key is None:
        raise BadRequest(f"parent thread {parent_id} does not exist; create it first")
    return key


async def _refuse_cycle(session: Session, thread_key: int, parent_key: int | None) -> None:
    if parent_key is None:
        return
    ancestors = await session.rows("ancestors", key=parent_key)
    if any(row["key"] == thread_key for row in ancestors):
        raise BadRequest("a thread cannot be its own ancestor; choose another parent")


def _merge(old: JsonObject, change: JsonObject | msgspec.UnsetType) -> JsonObject:
    if change is msgspec.UNSET:
        return old
    return {name: value for name, value in {**old, **change}.items() if value is not None}


def _removed() -> NotFound:
    return NotFound("thread", "removed meanwhile")
