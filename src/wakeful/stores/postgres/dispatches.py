"""Who carries a run: claim, renew, hand back."""

from __future__ import annotations

from collections.abc import Sequence

from wakeful.contracts.errors import Damaged, LeaseLost
from wakeful.contracts.event import ErrorReport
from wakeful.contracts.lifecycle import DispatchStatus, RunStatus, check_run_move
from wakeful.contracts.query import Orders
from wakeful.contracts.run import Lease
from wakeful.contracts.store import Claim, ClaimRequest
from wakeful.stores.bulk import unfinished_copy
from wakeful.stores.named_sql import Value
from wakeful.stores.postgres.damage import give_up
from wakeful.stores.postgres.messages import add_messages, replace_messages
from wakeful.stores.postgres.session import Row, Session
from wakeful.stores.rows import input_of, json_blob, run_of

# Nobody plans further ahead than this: what is due later was written by a clock that ran ahead.
FAR_MS = 600_000


async def claim(session: Session, request: ClaimRequest, limit: int) -> tuple[Claim, ...]:
    """Lease what is due, oldest first. A run whose rows are damaged is given up, and is in nobody's way."""
    claims: list[Claim] = []
    while len(claims) < limit:
        locked = await session.rows("lock_due_threads", now=request.now, limit=limit - len(claims))
        if not locked:
            break
        # What was due may have been taken before its thread was locked.
        due = await session.rows("due_dispatches", thread_keys=[row["key"] for row in locked], now=request.now)
        taken = [claim for row in due if (claim := await _claim(session, row, request))]
        claims.extend(taken)
        if len(taken) == len(locked):
            break
    return tuple(claims)


async def _claim(session: Session, due: Row, request: ClaimRequest) -> Claim | None:
    try:
        return await _lease(session, due, request)
    except Damaged as error:
        await give_up(session, due, error, request.now)
        return None


async def _lease(session: Session, due: Row, request: ClaimRequest) -> Claim | None:
    """The claim, None when the lease was renewed meanwhile; raises `Damaged`."""
    status = DispatchStatus(due["status"])
    lost = status is DispatchStatus.LEASED
    messages = input_of(due)
    failures = (0 if due["steps"] > due["steps_at_claim"] else due["failures"]) + lost
    leased = await session.changes(
        "lease_dispatch",
        key=due["key"],
        token=due["token"],
        expected=status,
        worker=request.worker,
        process=session.process,
        now=request.now,
        until=request.until,
        failures=failures,
        steps=due["steps"],
    )
    if not leased:
        return None
    await session.must_change(
        "start_run",
        key=due["run_key"],
        expected=RunStatus.RUNNING if lost else RunStatus.QUEUED,
        attempt=due["attempt"] + 1 if lost else max(due["attempt"], 1),
        now=request.now,
    )
    (row,) = await session.rows("claimed_run", key=due["run_key"])
    run = run_of(row)
    if due["attempt"] == 0:
        await replace_messages(session, due["thread_key"], due["replace_from"], due["id"])
    await add_messages(session, due["thread_key"], messages, request.now)
    return Claim(
        run=run,
        lease=Lease(due["run_key"], due["key"], due["token"] + 1, request.until),
        last_seq=row["last_seq"],
        lost=lost,
        cancel=due["cancel_requested_at"] is not None,
        failures=failures,
        steered=row["steered"],
    )


async def renew(session: Session, leases: Sequence[Lease], until: int) -> frozenset[int]:
    """Extend leases; the keys of runs whose lease is lost."""
    if not leases:
        return frozenset()
    rows = await session.rows("renew_leases", **fences(leases), until=until)
    kept = {grant_of(row) for row in rows}
    return frozenset(lease.run_key for lease in leases if grant(lease) not in kept)


async def orders(session: Session, run_keys: Sequence[int]) -> Orders:
    """What these running runs were asked."""
    rows = await session.rows("orders", keys=list(run_keys))
    return Orders(
        frozenset(row["key"] for row in rows if row["stop"]), frozenset(row["key"] for row in rows if row["steer"])
    )


async def requeue(
    session: Session, lease: Lease, available_at: int, at: int, *, error: ErrorReport | None, agent_id: str | None
) -> None:
    """Hand a run back, as a failure if there is an error, to another agent where one is named; raises `LeaseLost`."""
    await session.value("lock_thread_of_run", run_key=lease.run_key)
    report = None if error is None else json_blob(error)
    if not await session.changes("release_dispatch", **fence(lease), available_at=available_at, error=report):
        raise lease_lost()
    check_run_move(RunStatus.RUNNING, RunStatus.QUEUED)
    await session.must_change("queue_run", key=lease.run_key, expected=RunStatus.RUNNING, at=at)
    if agent_id is not None:
        await session.must_change("hand_run_to", key=lease.run_key, agent_id=agent_id)
        await session.must_change("hand_thread_to", run_key=lease.run_key, agent_id=agent_id)
    session.announce(logs=lease.run_key, work=available_at <= at)


async def recover(session: Session, now: int) -> int:
    """Make due what would wait in vain: how many dispatches.

    Leases of other processes are left alone, they may be alive; this process's own are of a life before.
    Raises `ConfigurationError` where a copy into the database has not ended.
    """
    if await session.row("copy_progress"):
        raise unfinished_copy()
    broken = await session.count("break_own_leases", now=now, process=session.process)
    near = broken + await session.count("pull_near", now=now, latest=now + FAR_MS)
    session.announce(work=near > 0)
    return near


def fence(lease: Lease) -> dict[str, Value]:
    """What every write about a leased run is checked against."""
    return {"run_key": lease.run_key, "dispatch_key": lease.dispatch_key, "token": lease.token}


Grant = tuple[int, int, int]
"""What makes a lease itself, whenever it ends: run, dispatch, token."""


def grant(lease: Lease) -> Grant:
    """That of a lease."""
    return lease.run_key, lease.dispatch_key, lease.token


def grant_of(row: Row) -> Grant:
    """That of a row of `renew_leases` or `leases_held`."""
    return row["run_key"], row["dispatch_key"], row["token"]


def fences(leases: Sequence[Lease]) -> dict[str, list[int]]:
    """The same of several leases, by column."""
    return {
        "run_keys": [lease.run_key for lease in leases],
        "dispatch_keys": [lease.dispatch_key for lease in leases],
        "tokens": [lease.token for lease in leases],
    }


def lease_lost() -> LeaseLost:
    """The error of a write whose lease is no longer held."""
    return LeaseLost("another worker owns the run now; stop carrying it")
