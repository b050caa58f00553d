"""Answers to the questions of a waiting run."""

from __future__ import annotations

from wakeful.contracts.errors import Conflict
from wakeful.contracts.lifecycle import DispatchStatus, RunStatus, check_run_move
from wakeful.contracts.run import Run
from wakeful.contracts.store import Answers, Decided
from wakeful.stores.answers import sort_answers
from wakeful.stores.rows import json_blob
from wakeful.stores.sqlite.interrupts import interrupts
from wakeful.stores.sqlite.messages import add_messages
from wakeful.stores.sqlite.runs import bounds, newest_dispatch, run_by_key, write_entries
from wakeful.stores.sqlite.session import Session
from wakeful.stores.sqlite.threads import share


def decide(session: Session, answers: Answers) -> Decided:
    """Record answers with what comes with them; queue the run when no question is left open."""
    run = run_by_key(session, answers.run_key)
    records = {record.interrupt.id: record for record in interrupts(session, run.key)}
    accepted, already = sort_answers(answers.decisions, records)
    repeated = bool(already) and not accepted
    if run.status is not RunStatus.WAITING and not repeated:
        raise Conflict(f"run {run.id} is {run.status}: only a waiting run takes decisions")
    for name, decision in accepted.items():
        session.must_change("decide_interrupt", run_key=run.key, id=name, decision=json_blob(decision), at=answers.at)
    if not repeated:
        _add(session, run, answers)
    ready = run.status is RunStatus.WAITING and all(
        record.decision or name in accepted for name, record in records.items()
    )
    if ready:
        _queue(session, answers)
    elif accepted:
        session.must_change("touch_run", key=run.key, at=answers.at)
    return Decided(
        run=run_by_key(session, run.key),
        accepted=tuple(accepted),
        already=tuple(already),
        ready=ready,
        dispatch_id=newest_dispatch(session, run.key),
    )


def _add(session: Session, run: Run, answers: Answers) -> None:
    """What comes with the answers; raises `Conflict` when the log went on."""
    first_seq, last_seq = bounds(answers.entries)
    if first_seq is not None:
        follows = first_seq > answers.last_seq and session.changes(
            "extend_run", key=run.key, last_seq=answers.last_seq, new_last_seq=last_seq
        )
        if not follows:
            raise Conflict(f"the log of run {run.id} went on after {answers.last_seq}; read it again and retry")
        write_entries(session, run.key, answers.entries)
    add_messages(session, run.thread_key, answers.messages, answers.at)
    share(session, run.thread_key, answers.state)


def _queue(session: Session, answers: Answers) -> None:
    """Queue the run again; it is the thread's oldest unfinished one, so its dispatch is due at once."""
    check_run_move(RunStatus.WAITING, RunStatus.QUEUED)
    session.must_change("queue_run", key=answers.run_key, expected=RunStatus.WAITING, at=answers.at)
    session.value(
        "insert_dispatch",
        run_key=answers.run_key,
        id=answers.dispatch_id,
        status=DispatchStatus.AVAILABLE,
        token=0,
        worker=None,
        due_at=answers.at,
    )
