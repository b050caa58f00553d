"""What a worker writes about the run it carries: more log, and the end of its dispatch."""

from __future__ import annotations

from collections.abc import Sequence

from wakeful.contracts.errors import Conflict, IllegalMove
from wakeful.contracts.lifecycle import FINISHED, RESTING, RunStatus, check_run_move
from wakeful.contracts.run import Voids
from wakeful.contracts.store import Append, Retirement, Settlement
from wakeful.stores.rows import json_blob
from wakeful.stores.sqlite.dispatches import fence, lease_lost
from wakeful.stores.sqlite.endings import retire
from wakeful.stores.sqlite.interrupts import raise_interrupts
from wakeful.stores.sqlite.messages import add_messages
from wakeful.stores.sqlite.runs import bounds, event_rows, run_by_key, write_entries
from wakeful.stores.sqlite.session import Session
from wakeful.stores.sqlite.threads import share


def append(session: Session, batch: Sequence[Append]) -> frozenset[int]:
    """Write what many runs produced; the keys of runs whose lease is lost."""
    lost: set[int] = set()
    events: list[tuple[int, int, int, bytes]] = []
    for more in batch:
        at = _moment(more)
        thread_key = _advance(session, more, at)
        if thread_key is None:
            lost.add(more.lease.run_key)
            continue
        events.extend(event_rows(more.lease.run_key, more.entries))
        add_messages(session, thread_key, more.messages, at or 0)
        share(session, thread_key, more.state)
    session.many("insert_event", events)
    return frozenset(lost)


def absorb(session: Session, more: Append, entries: Sequence[Retirement]) -> None:
    """Write what a run produced, and end the entries whose input it took in; raises `LeaseLost`, `Conflict`."""
    if append(session, (more,)):
        raise lease_lost()
    thread_key = run_by_key(session, more.lease.run_key).thread_key
    for entry in entries:
        retire(session, entry, thread_key=thread_key)


def _moment(more: Append) -> int | None:
    """When it happened: an append carries no time of its own."""
    if more.entries:
        return more.entries[-1].at
    return more.messages[-1].created_at if more.messages else None


def _advance(session: Session, more: Append, at: int | None) -> int | None:
    """Move the run on if the lease is held; its thread, or None."""
    first_seq, last_seq = bounds(more.entries)
    thread_key = session.value(
        "advance_run",
        **fence(more.lease),
        first_seq=first_seq,
        last_seq=last_seq,
        steps=more.steps,
        usage=json_blob(more.usage),
        voids=_voids(more.voids),
        at=at,
    )
    if thread_key is None and session.row("lease_held", **fence(more.lease)):
        raise _out_of_order(first_seq)
    return thread_key


def settle(session: Session, settlement: Settlement) -> None:
    """End a dispatch and bring its run to rest; raises `LeaseLost`."""
    lease, status = settlement.lease, settlement.status
    if status not in RESTING:
        raise IllegalMove("settled run", RunStatus.RUNNING, status)
    check_run_move(RunStatus.RUNNING, status)
    error = None if settlement.error is None else json_blob(settlement.error)
    failures = settlement.given_up_after or None
    if not session.changes("end_dispatch", **fence(lease), at=settlement.at, failures=failures, error=error):
        raise lease_lost()
    first_seq, last_seq = bounds(settlement.entries)
    thread_key = session.value(
        "rest_run",
        key=lease.run_key,
        status=status,
        stop_reason=settlement.stop_reason,
        error=error,
        first_seq=first_seq,
        last_seq=last_seq,
        steps=settlement.steps,
        usage=json_blob(settlement.usage),
        voids=_voids(settlement.voids),
        at=settlement.at,
        finished_at=settlement.at if status in FINISHED else None,
    )
    if thread_key is None:
        raise _out_of_order(first_seq)
    write_entries(session, lease.run_key, settlement.entries)
    add_messages(session, thread_key, settlement.messages, settlement.at)
    share(session, thread_key, settlement.state)
    raise_interrupts(session, lease.run_key, settlement.interrupts)
    if status in FINISHED:
        session.changes("promote_next", thread_key=thread_key, at=settlement.at)


def _voids(voids: Voids) -> bytes | None:
    return json_blob(voids) if voids else None


def _out_of_order(first_seq: int | None) -> Conflict:
    return Conflict(f"the log already goes past sequence number {first_seq}; it only grows")
