"""Reads of runs, and how a log is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wakeful.contracts.errors import NotFound
from wakeful.contracts.event import LogEntry
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.query import RunCounts, RunOrder, RunQuery, RunRows
from wakeful.contracts.run import Run
from wakeful.stores.postgres.session import Argument, Session
from wakeful.stores.rows import run_of

ORDERS: dict[RunOrder, tuple[str, str]] = {
    "created": ("list_runs", "count_runs"),
    "updated": ("list_changed_runs", "count_changed_runs"),
}
"""The queries for a page, and for how many there are."""


async def run_by_key(session: Session, run_key: int) -> Run:
    """The run; raises `NotFound` when its thread was removed."""
    row = await session.row("run_by_key", key=run_key)
    if row is None:
        raise NotFound("run", "removed with its thread")
    return run_of(row)


async def get_run(session: Session, scope: str, run_id: str) -> Run | None:
    """The run with this id."""
    row = await session.row("get_run", scope=scope, id=run_id)
    return None if row is None else run_of(row)


async def active_run(session: Session, thread_key: int) -> Run | None:
    """The run whose turn it is: by the room's invariant the only one that can be running or waiting."""
    row = await session.row("active_run", thread_key=thread_key)
    return None if row is None else run_of(row)


async def latest_run(session: Session, thread_key: int) -> Run | None:
    """The thread's newest run."""
    row = await session.row("latest_run", thread_key=thread_key)
    return None if row is None else run_of(row)


async def open_runs(session: Session, thread_key: int) -> tuple[tuple[Run, int], ...]:
    """All unfinished runs with their last sequence number, in the order of their turns."""
    rows = await session.rows("unfinished_runs", thread_key=thread_key)
    return tuple((run_of(row), row["last_seq"]) for row in rows)


async def list_runs(session: Session, query: RunQuery) -> RunRows:
    """One page of runs."""
    listed, counted = ORDERS[query.order]
    after_at, after_key = query.after or (None, None)
    wanted = query.statuses if query.status is None else (query.status,)
    filters: dict[str, Argument] = {
        "scope": query.scope,
        "thread_id": query.thread_id,
        "statuses": list(wanted) or None,
        "agent_id": query.agent_id,
        "origin": query.origin,
        "parent_run_id": query.parent_run_id,
        "created_from": query.created_from,
        "created_to": query.created_to,
        "updated_from": query.updated_from,
        "updated_to": query.updated_to,
    }
    found = await session.rows(
        listed, **filters, after_at=after_at, after_key=after_key, offset=query.offset, limit=query.limit + 1
    )
    items = tuple(run_of(row) for row in found[: query.limit])
    return RunRows(items, await session.value(counted, **filters), len(found) > query.limit)


async def count_unfinished(session: Session, scope: str) -> RunCounts:
    """How many unfinished runs a scope has."""
    rows = await session.rows("count_unfinished", scope=scope)
    found: dict[str, int] = {row["status"]: row["count"] for row in rows}
    return RunCounts(
        queued=found.get(RunStatus.QUEUED, 0),
        running=found.get(RunStatus.RUNNING, 0),
        waiting=found.get(RunStatus.WAITING, 0),
    )


async def write_entries(session: Session, run_key: int, entries: Iterable[LogEntry]) -> None:
    """Append to a run's log; its `last_seq` is the caller's to move."""
    await write_logs(session, [(run_key, entry) for entry in entries])


async def write_logs(session: Session, logs: Sequence[tuple[int, LogEntry]]) -> None:
    """Append to the logs of many runs, each entry with the key of its run."""
    if logs:
        await session.count(
            "insert_events",
            run_keys=[run_key for run_key, _ in logs],
            seqs=[entry.seq for _, entry in logs],
            ats=[entry.at for _, entry in logs],
            bodies=[entry.body for _, entry in logs],
        )


async def newest_dispatch(session: Session, run_key: int) -> str:
    """The id of a run's newest dispatch; raises `NotFound`."""
    found = await session.value("newest_dispatch", run_key=run_key)
    if found is None:
        raise NotFound("run", "removed with its thread")
    return found


def bounds(entries: Sequence[LogEntry]) -> tuple[int | None, int | None]:
    """The first and the last sequence number, (None, None) of nothing."""
    return (entries[0].seq, entries[-1].seq) if entries else (None, None)
