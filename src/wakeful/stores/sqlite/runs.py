"""Reads of runs and their logs, and the small writes that end or flag a run nobody carries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wakeful.contracts.errors import Conflict, NotFound
from wakeful.contracts.event import LogEntry
from wakeful.contracts.interrupt import InterruptRecord
from wakeful.contracts.lifecycle import RunStatus, check_run_move
from wakeful.contracts.query import LogPage, RunQuery, RunRows
from wakeful.contracts.run import Run
from wakeful.contracts.store import Retirement
from wakeful.stores.sqlite.messages import add_messages
from wakeful.stores.sqlite.named_sql import Value
from wakeful.stores.sqlite.rows import entry_of, interrupt_of, run_of
from wakeful.stores.sqlite.session import Session


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
    """The oldest unfinished run: by the room's invariant the only one that can be running or waiting."""
    row = session.row("active_run", thread_key=thread_key)
    return None if row is None else run_of(row)


def latest_run(session: Session, thread_key: int) -> Run | None:
    """The thread's newest run."""
    row = session.row("latest_run", thread_key=thread_key)
    return None if row is None else run_of(row)


def open_runs(session: Session, thread_key: int) -> tuple[tuple[Run, int], ...]:
    """All unfinished runs with their last sequence number, oldest first."""
    return tuple((run_of(row), row["last_seq"]) for row in session.rows("unfinished_runs", thread_key=thread_key))


def list_runs(session: Session, query: RunQuery) -> RunRows:
    """One page of runs."""
    after_at, after_key = query.after or (None, None)
    filters: dict[str, Value] = {
        "scope": query.scope,
        "thread_id": query.thread_id,
        "status": query.status,
        "agent_id": query.agent_id,
        "origin": query.origin,
        "parent_run_id": query.parent_run_id,
        "created_from": query.created_from,
        "created_to": query.created_to,
        "updated_from": query.updated_from,
        "updated_to": query.updated_to,
    }
    found = session.rows(
        "list_runs", **filters, after_at=after_at, after_key=after_key, offset=query.offset, limit=query.limit + 1
    )
    items = tuple(run_of(row) for row in found[: query.limit])
    return RunRows(items, session.value("count_runs", **filters), len(found) > query.limit)


def read_log(session: Session, run_key: int, after: int, limit: int) -> LogPage:
    """Entries with `seq > after`, and the run's status in the same snapshot."""
    status = run_by_key(session, run_key).status
    found = session.rows("read_events", run_key=run_key, after=after, limit=limit + 1)
    return LogPage(tuple(entry_of(row) for row in found[:limit]), status, len(found) > limit)


def interrupts(session: Session, run_key: int) -> tuple[InterruptRecord, ...]:
    """All interrupts of a run, in the order they were raised."""
    return tuple(interrupt_of(row) for row in session.rows("interrupts", run_key=run_key))


def write_entries(session: Session, run_key: int, entries: Iterable[LogEntry]) -> None:
    """Append to a run's log; its `last_seq` is the caller's to move."""
    session.many("insert_event", event_rows(run_key, entries))


def event_rows(run_key: int, entries: Iterable[LogEntry]) -> Iterable[tuple[int, int, int, bytes]]:
    """Entries as rows of `insert_event`."""
    return ((run_key, entry.seq, entry.at, entry.body) for entry in entries)


def bounds(entries: Sequence[LogEntry]) -> tuple[int | None, int | None]:
    """The first and the last sequence number, (None, None) of nothing."""
    return (entries[0].seq, entries[-1].seq) if entries else (None, None)


def request_cancel(session: Session, run_key: int, at: int) -> Run:
    """Flag an unfinished run, once."""
    session.changes("request_cancel", key=run_key, at=at)
    return run_by_key(session, run_key)


def retire(session: Session, retirement: Retirement, *, thread_key: int | None = None) -> Run:
    """End a queued or waiting run, of this thread if one is given. Raises `Conflict` when it moved on meanwhile."""
    run = run_by_key(session, retirement.run_key)
    carried = retirement.expected is RunStatus.RUNNING
    if carried or run.status is not retirement.expected or thread_key not in {None, run.thread_key}:
        raise Conflict(f"run {run.id} is {run.status}, expected {retirement.expected} and nobody to carry it")
    check_run_move(run.status, RunStatus.CANCELLED)
    first_seq, last_seq = bounds(retirement.entries)
    moved = (first_seq is None or first_seq > retirement.last_seq) and session.changes(
        "retire_run",
        key=run.key,
        expected=run.status,
        last_seq=retirement.last_seq,
        new_last_seq=last_seq,
        stop_reason=retirement.stop_reason,
        at=retirement.at,
    )
    if not moved:
        raise Conflict(f"the log of run {run.id} went on after {retirement.last_seq}; read it again and retry")
    session.changes("cancel_dispatch", run_key=run.key)
    write_entries(session, run.key, retirement.entries)
    add_messages(session, run.thread_key, retirement.messages, retirement.at)
    session.changes("promote_next", thread_key=run.thread_key)
    return run_by_key(session, run.key)
