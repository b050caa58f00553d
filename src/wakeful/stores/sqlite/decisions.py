"""Answers to the questions of a waiting run."""

from __future__ import annotations

from collections.abc import Sequence

from wakeful.contracts.errors import Conflict, NotFound
from wakeful.contracts.interrupt import Decision, InterruptRecord
from wakeful.contracts.lifecycle import DispatchStatus, RunStatus, check_run_move
from wakeful.contracts.store import Decided
from wakeful.stores.sqlite.rows import json_blob
from wakeful.stores.sqlite.runs import interrupts, run_by_key
from wakeful.stores.sqlite.session import Session


def decide(session: Session, run_key: int, decisions: Sequence[Decision], at: int) -> Decided:
    """Record answers; queue the run when no question is left open."""
    run = run_by_key(session, run_key)
    records = {record.interrupt.id: record for record in interrupts(session, run_key)}
    accepted, already = _sort(decisions, records)
    if run.status is not RunStatus.WAITING and (accepted or not already):
        raise Conflict(f"run {run.id} is {run.status}: only a waiting run takes decisions")
    for interrupt_id, decision in accepted.items():
        session.must_change("decide_interrupt", run_key=run_key, id=interrupt_id, decision=json_blob(decision), at=at)
    ready = run.status is RunStatus.WAITING and all(
        record.decision or name in accepted for name, record in records.items()
    )
    dispatch_key = _queue(session, run_key, at) if ready else None
    if accepted and not ready:
        session.must_change("touch_run", key=run_key, at=at)
    return Decided(
        run=run_by_key(session, run_key),
        accepted=tuple(accepted),
        already=tuple(already),
        ready=ready,
        dispatch_key=dispatch_key,
    )


def _queue(session: Session, run_key: int, at: int) -> int:
    """Queue the run again; it is the thread's oldest unfinished one, so its dispatch is due at once."""
    check_run_move(RunStatus.WAITING, RunStatus.QUEUED)
    session.must_change("queue_run", key=run_key, expected=RunStatus.WAITING, at=at)
    return session.value(
        "insert_dispatch", run_key=run_key, status=DispatchStatus.AVAILABLE, token=0, worker=None, due_at=at
    )


def _sort(
    decisions: Sequence[Decision], records: dict[str, InterruptRecord]
) -> tuple[dict[str, Decision], dict[str, None]]:
    """New answers by interrupt id, and the ids already answered the same way; in the order given."""
    accepted: dict[str, Decision] = {}
    already: dict[str, None] = {}
    for decision in decisions:
        record = _find(decision.target, records)
        first = record.decision or accepted.get(record.interrupt.id)
        if first is None:
            accepted[record.interrupt.id] = decision
        elif not _same(record, first, decision):
            raise Conflict(f"interrupt {record.interrupt.id} was already decided differently; the first answer stands")
        elif record.decision:
            already[record.interrupt.id] = None
    return accepted, already


def _find(target: str, records: dict[str, InterruptRecord]) -> InterruptRecord:
    """By interrupt id, else by call id: the open one, else the latest (a call may be asked about twice)."""
    if target in records:
        return records[target]
    asked = [record for record in records.values() if record.interrupt.call_id == target]
    if not asked:
        raise NotFound("interrupt", target)
    return next((record for record in asked if record.decision is None), asked[-1])


def _same(record: InterruptRecord, first: Decision, again: Decision) -> bool:
    """Whether two answers mean the same for the run; of an approval only an explicit yes counts."""
    if record.interrupt.kind == "approval":
        return (first.approved is True) is (again.approved is True)
    return (first.approved, first.output, first.failed) == (again.approved, again.output, again.failed)
