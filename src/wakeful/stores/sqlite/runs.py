"""Reads of runs, and how a log is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wakeful.contracts.errors import NotFound
from wakeful.contracts.event import LogEntry
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.query import RunCounts, RunOrder, RunQuery, RunRows
from wakeful.contracts.run import Run
from wakeful.stores.named_sql import Value
from wakeful.stores.rows import run_of
from wakeful.stores.sqlite.lists import json_list
from wakeful.stores.sqlite.session import Session

ORDERS: dict[RunOrder, tuple[str, str]] = {
    "created": ("list_runs", "count_runs"),
    "updated": ("list_changed_runs", "count_changed_runs"),
}
"""The queries for a page, and for how many there are."""


def run_by_key(session: Session, run_key: int) -> Run:
    """The run; raises `NotFound` when its thread was removed."""
    row = session.row("run_by_key", key=run_key)
    if row is None:
        raise NotFound("run", "removed with its thread")
    return run_of(row)


def get_run(session: Session, scope: str, run_id: str) -> Run | None:
    """The run with this id."""
    row = session.row("get_run", scope=scope, id=run_id)
    return None if row is None else run_of(row)


def active_run(session: Session, thread_key: int) -> Run | None:
    """The run whose turn it is: by the room's invariant the only one that can be running or waiting."""
    row = session.row("active_run", thread_key=thread_key)
    return None if row is None else run_of(row)


def latest_run(session: Session, thread_key: int) -> Run | None:
    """The thread's newest run."""
    row = session.row("latest_run", thread_key=thread_key)
    return None if row is None else run_of(row)


def open_runs(session: Session, thread_key: int) -> tuple[tuple[Run, int], ...]:
    """All unfinished runs with their last sequence number, in the order of their turns."""
    return tuple((run_of(row), row["last_seq"]) for row in session.rows("unfinished_runs", thread_key=thread_key))


def list_runs(session: Session, query: RunQuery) -> RunRows:
    """One page of runs."""
    listed, counted = ORDERS[query.order]
    after_at, after_key = query.after or (None, None)
    wanted = query.statuses if query.status is None else (query.status,)
    filters: dict[str, Value] = {
        "scope": query.scope,
        "thread_id": query.thread_id,
        "statuses": json_list(wanted) if wanted else None,
        "agent_id": query.agent_id,
        "origin": query.origin,
        "parent_run_id": query.parent_run_id,
        "created_from": query.created_from,
        "created_to": query.created_to,
        "updated_from": query.updated_from,
        "updated_to": query.updated_to,
    }
    found = session.rows(
        listed, **filters, after_at=after_at, after_key=after_key, offset=query.offset, limit=query.limit + 1
    )
    items = tuple(run_of(row) for row in found[: query.limit])
    return RunRows(items, session.value(counted, **filters), len(found) > query.limit)


def count_unfinished(session: Session, scope: str) -> RunCounts:
    """How many unfinished runs a scope has."""
    found: dict[str, int] = {row["status"]: row["count"] for row in session.rows("count_unfinished", scope=scope)}
    return RunCounts(
        queued=found.get(RunStatus.QUEUED, 0),
        running=found.get(RunStatus.RUNNING, 0),
        waiting=found.get(RunStatus.WAITING, 0),
    )


def write_entries(session: Session, run_key: int, entries: Iterable[LogEntry]) -> None:
    """Append to a run's log; its `last_seq` is the caller's to move."""
    session.many("insert_event", event_rows(run_key, entries))


def event_rows(run_key: int, entries: Iterable[LogEntry]) -> Iterable[tuple[int, int, int, bytes]]:
    """Entries as rows of `insert_event`."""
    return ((run_key, entry.seq, entry.at, entry.body) for entry in entries)


def newest_dispatch(session: Session, run_key: int) -> str:
    """The id of a run's newest dispatch; raises `NotFound`."""
    found = session.value("newest_dispatch", run_key=run_key)
    if found is None:
        raise NotFound("run", "removed with its thread")
    return found


def bounds(entries: Sequence[LogEntry]) -> tuple[int | None, int | None]:
    """The first and the last sequence number, (None, None) of nothing."""
    return (entries[0].seq, entries[-1].seq) if entries else (None, None)
