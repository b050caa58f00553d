"""Who carries a run: claim, renew, hand back."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from wakeful.contracts.errors import LeaseLost
from wakeful.contracts.lifecycle import DispatchStatus, RunStatus, check_run_move
from wakeful.contracts.run import Lease
from wakeful.contracts.store import Claim, ClaimRequest
from wakeful.stores.sqlite.messages import add_messages
from wakeful.stores.sqlite.named_sql import Value
from wakeful.stores.sqlite.rows import input_of, run_of
from wakeful.stores.sqlite.session import Session


def claim(session: Session, request: ClaimRequest, limit: int) -> tuple[Claim, ...]:
    """Lease what is due, oldest first."""
    due = session.rows("due_dispatches", now=request.now, limit=limit)
    return tuple(_lease(session, row, request) for row in due)


def _lease(session: Session, due: sqlite3.Row, request: ClaimRequest) -> Claim:
    status = DispatchStatus(due["status"])
    lost = status is DispatchStatus.LEASED
    session.must_change(
        "lease_dispatch",
        key=due["key"],
        token=due["token"],
        expected=status,
        worker=request.worker,
        until=request.until,
    )
    session.must_change(
        "start_run",
        key=due["run_key"],
        expected=RunStatus.RUNNING if lost else RunStatus.QUEUED,
        attempt=due["attempt"] + 1 if lost else max(due["attempt"], 1),
        now=request.now,
    )
    add_messages(session, due["thread_key"], input_of(due["input"]), request.now)
    (run,) = session.rows("run_by_key", key=due["run_key"])
    return Claim(
        run=run_of(run),
        lease=Lease(due["run_key"], due["key"], due["token"] + 1, request.until),
        last_seq=run["last_seq"],
        lost=lost,
        cancel=due["cancel_requested_at"] is not None,
    )


def renew(session: Session, leases: Sequence[Lease], until: int) -> frozenset[int]:
    """Extend leases; the keys of runs whose lease is lost."""
    return frozenset(
        lease.run_key for lease in leases if not session.changes("renew_lease", **fence(lease), until=until)
    )


def requeue(session: Session, lease: Lease, available_at: int, at: int) -> None:
    """Hand a run back; raises `LeaseLost`."""
    if not session.changes("release_dispatch", **fence(lease), available_at=available_at):
        raise lease_lost()
    check_run_move(RunStatus.RUNNING, RunStatus.QUEUED)
    session.must_change("queue_run", key=lease.run_key, expected=RunStatus.RUNNING, at=at)


def fence(lease: Lease) -> dict[str, Value]:
    """What every write about a leased run is checked against."""
    return {"run_key": lease.run_key, "dispatch_key": lease.dispatch_key, "token": lease.token}


def lease_lost() -> LeaseLost:
    """The error of a write whose lease is no longer held."""
    return LeaseLost("another worker owns the run now; stop carrying it")
