"""Answers to the questions of a waiting run."""

from __future__ import annotations

from wakeful.contracts.errors import Conflict
from wakeful.contracts.lifecycle import DispatchStatus, RunStatus, check_run_move
from wakeful.contracts.run import Run
from wakeful.contracts.store import Answers, Decided
from wakeful.stores.answers import sort_answers
from wakeful.stores.postgres.interrupts import interrupts
from wakeful.stores.postgres.locks import lock_run
from wakeful.stores.postgres.messages import add_messages
from wakeful.stores.postgres.runs import bounds, newest_dispatch, run_by_key, write_entries
from wakeful.stores.postgres.session import Session
from wakeful.stores.postgres.threads import share
from wakeful.stores.rows import json_blob


async def decide(session: Session, answers: Answers) -> Decided:
    """Record answers with what comes with them; queue the run when no question is left open."""
    await lock_run(session, answers.run_key)
    run = await run_by_key(session, answers.run_key)
    records = {record.interrupt.id: record for record in await interrupts(session, run.key)}
    accepted, already = sort_answers(answers.decisions, records)
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
