"""Who carries a run: claim, renew, hand back."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from wakeful.contracts.errors import Damaged, LeaseLost
from wakeful.contracts.event import ErrorReport
from wakeful.contracts.lifecycle import DispatchStatus, RunStatus, check_run_move
from wakeful.contracts.query import Orders
from wakeful.contracts.run import Lease
from wakeful.contracts.store import Claim, ClaimRequest
from wakeful.stores.bulk import unfinished_copy
from wakeful.stores.named_sql import Value
from wakeful.stores.rows import input_of, json_blob, run_of
from wakeful.stores.sqlite.damage import give_up
from wakeful.stores.sqlite.lists import json_list
from wakeful.stores.sqlite.messages import add_messages, replace_messages
from wakeful.stores.sqlite.session import Session

# Nobody plans further ahead than this: what is due later was written by a clock that ran ahead.
FAR_MS = 600_000


def claim(session: Session, request: ClaimRequest, limit: int) -> tuple[Claim, ...]:
    """Lease what is due, oldest first. A run whose rows are damaged is given up, and is in nobody's way."""
    claims: list[Claim] = []
    while True:
        due = session.rows("due_dispatches", now=request.now, limit=limit - len(claims))
        found = [_claim(session, row, request) for row in due]
        claims.extend(claim for claim in found if claim)
        if None not in found or len(claims) >= limit:
            return tuple(claims)


def _claim(session: Session, due: sqlite3.Row, request: ClaimRequest) -> Claim | None:
    try:
        return _lease(session, due, request)
    except Damaged as error:
        give_up(session, due, error, request.now)
        return None


def _lease(session: Session, due: sqlite3.Row, request: ClaimRequest) -> Claim:
    status = DispatchStatus(due["status"])
    lost = status is DispatchStatus.LEASED
    messages = input_of(due)
    failures = (0 if due["steps"] > due["steps_at_claim"] else due["failures"]) + lost
    session.must_change(
        "lease_dispatch",
        key=due["key"],
        token=due["token"],
        expected=status,
        worker=request.worker,
        until=request.until,
        failures=failures,
        steps=due["steps"],
    )
    session.must_change(
        "start_run",
        key=due["run_key"],
        expected=RunStatus.RUNNING if lost else RunStatus.QUEUED,
        attempt=due["attempt"] + 1 if lost else max(due["attempt"], 1),
        now=request.now,
    )
    (row,) = session.rows("claimed_run", key=due["run_key"])
    run = run_of(row)
    if due["attempt"] == 0:
        replace_messages(session, due["thread_key"], due["replace_from"], due["id"])
    add_messages(session, due["thread_key"], messages, request.now)
    return Claim(
        run=run,
        lease=Lease(due["run_key"], due["key"], due["token"] + 1, request.until),
        last_seq=row["last_seq"],
        lost=lost,
        cancel=due["cancel_requested_at"] is not None,
        failures=failures,
        steered=bool(row["steered"]),
    )


def renew(session: Session, leases: Sequence[Lease], until: int) -> frozenset[int]:
    """Extend leases; the keys of runs whose lease is lost."""
    return frozenset(
        lease.run_key for lease in leases if not session.changes("renew_lease", **fence(lease), until=until)
    )


def orders(session: Session, run_keys: Sequence[int]) -> Orders:
    """What these running runs were asked."""
    rows = session.rows("orders", keys=json_list(run_keys))
    return Orders(
        frozenset(row["key"] for row in rows if row["stop"]), frozenset(row["key"] for row in rows if row["steer"])
    )


def requeue(
    session: Session, lease: Lease, available_at: int, at: int, *, error: ErrorReport | None, agent_id: str | None
) -> None:
    """Hand a run back, as a failure if there is an error, to another agent where one is named; raises `LeaseLost`."""
    report = None if error is None else json_blob(error)
    if not session.changes("release_dispatch", **fence(lease), available_at=available_at, error=report):
        raise lease_lost()
    check_run_move(RunStatus.RUNNING, RunStatus.QUEUED)
    session.must_change("queue_run", key=lease.run_key, expected=RunStatus.RUNNING, at=at)
    if agent_id is not None:
        session.must_change("hand_run_to", key=lease.run_key, agent_id=agent_id)
        session.must_change("hand_thread_to", run_key=lease.run_key, agent_id=agent_id)


def recover(session: Session, now: int, *, alone: bool) -> int:
    """Make due what would wait in vain: how many dispatches. `alone`: no other process has the database open.

    Raises `ConfigurationError` where a copy into the database has not ended.
    """
    if session.row("copy_progress"):
        raise unfinished_copy()
    broken = session.count("break_leases", now=now) if alone else 0
    return broken + session.count("pull_near", now=now, latest=now + FAR_MS)


def fence(lease: Lease) -> dict[str, Value]:
    """What every write about a leased run is checked against."""
    return {"run_key": lease.run_key, "dispatch_key": lease.dispatch_key, "token": lease.token}


def lease_lost() -> LeaseLost:
    """The error of a write whose lease is no longer held."""
    return LeaseLost("another worker owns the run now; stop carrying it")
