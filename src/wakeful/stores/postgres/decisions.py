"""Answers to the questions of a waiting run."""

from __future__ import annotations

from collections.abc import Sequence

from wakeful.contracts.errors import Conflict, NotFound
from wakeful.contracts.interrupt import Decision, InterruptRecord
from wakeful.contracts.lifecycle import DispatchStatus, RunStatus, check_run_move
from wakeful.contracts.run import Run
from wakeful.contracts.store import Answers, Decided
from wakeful.stores.postgres.interrupts import interrupts
from wakeful.stores.postgres.locks import lock_run
from wakeful.stores.postgres.messages import add_messages
from wakeful.stores.postgres.rows import json_blob
from wakeful.stores.postgres.runs import bounds, newest_dispatch, run_by_key, write_entries
from wakeful.stores.postgres.session import Session
from wakeful.stores.postgres.threads import share


async def decide(session: Session, answers: Answers) -> Decided:
    """Record answers with what comes with them; queue the run when no question is left open."""
    await lock_run(session, answers.run_key)
    run = await run_by_key(session, answers.run_key)
    records = {record.interrupt.id: record for record in await interrupts(session, run.key)}
    accepted, already = _sort(answers.decisions, records)
    repeated = bool(already) and not accepted
    if run.status is not RunStatus.WAITING and not repeated:
        raise Conflict(f"run {run.id} is {run.status}: only a waiting run takes decisions")
    for name, decision in accepted.items():
        body = json_blob(decision)
        await session.must_change("decide_interrupt", run_key=run.key, id=name, decision=body, at=answers.at)
    if not repeated:
        await _add(session, run, answers)
    ready = run.status is RunStatus.WAITING and all(
        record.decision or name in accepted for name, record in records.items()
    )
    if ready:
        await _queue(session, answers)
    elif accepted:
        await session.must_change("touch_run", key=run.key, at=answers.at)
    if accepted or ready:
        session.announce(logs=run.key, work=ready)
    return Decided(
        run=await run_by_key(session, run.key),
        accepted=tuple(accepted),
        already=tuple(already),
        ready=ready,
        dispatch_id=await newest_dispatch(session, run.key),
    )


async def _add(session: Session, run: Run, answers: Answers) -> None:
    """What comes with the answers; raises `Conflict` when the log went on."""
    first_seq, last_seq = bounds(answers.entries)
    if first_seq is not None:
        follows = first_seq > answers.last_seq and await session.changes(
            "extend_run", key=run.key, last_seq=answers.last_seq, new_last_seq=last_seq
        )
        if not follows:
            raise Conflict(f"the log of run {run.id} went on after {answers.last_seq}; read it again and retry")
        await write_entries(session, run.key, answers.entries)
    await add_messages(session, run.thread_key, answers.messages, answers.at)
    await share(session, run.thread_key, answers.state)


async def _queue(session: Session, answers: Answers) -> None:
    """Queue the run again; it is the thread's oldest unfinished one, so its dispatch is due at once."""
    check_run_move(RunStatus.WAITING, RunStatus.QUEUED)
    await session.must_change("queue_run", key=answers.run_key, expected=RunStatus.WAITING, at=answers.at)
    await session.value(
        "insert_dispatch",
        run_key=answers.run_key,
        id=answers.dispatch_id,
        status=DispatchStatus.AVAILABLE,
        token=0,
        worker=None,
        process=None,
        due_at=answers.at,
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
    """Whether two answers mean the same for the run; of an approval only an explicit yes counts, and what it allows."""
    if record.interrupt.kind == "approval":
        approved = first.approved is True
        return approved is (again.approved is True) and (not approved or first.arguments == again.arguments)
    return (first.approved, first.output, first.failed) == (again.approved, again.output, again.failed)
