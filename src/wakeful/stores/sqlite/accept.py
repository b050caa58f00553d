"""Accepting one request: thread, run, dispatch, first events and, when nothing is in the way, the lease."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from wakeful.contracts.errors import Backlogged, Conflict
from wakeful.contracts.lifecycle import DispatchStatus, RunStatus
from wakeful.contracts.run import Lease, Run
from wakeful.contracts.store import Accepted, ClaimRequest, Submission
from wakeful.stores.accepting import accepted_log, accepted_run
from wakeful.stores.named_sql import Value
from wakeful.stores.rows import json_blob
from wakeful.stores.sqlite.endings import retire, stop_others
from wakeful.stores.sqlite.messages import add_messages, begin_messages, message_seq, replace_messages
from wakeful.stores.sqlite.runs import run_by_key, write_entries
from wakeful.stores.sqlite.session import Session


def accept(session: Session, submission: Submission) -> Accepted:
    """Write one request, or recognise it; raises `Conflict`, `Backlogged`."""
    known = session.rows(
        "find_submission",
        scope=submission.scope,
        run_id=submission.run_id,
        idempotency_key=submission.idempotency_key,
    )
    if known:
        return _replay(session, submission, known)
    thread_key, opened = _touch_thread(session, submission)
    for retirement in submission.retire:
        retire(session, retirement, thread_key=thread_key)
    others = session.rows("in_the_way", thread_key=thread_key)
    cancelling = stop_others(session, others, submission.at) if submission.supersede else None
    if others:
        _refuse_backlog(session, submission, thread_key)
    claim = None if others else submission.claim
    run_key, dispatch_key = _write(session, submission, thread_key, claim, due_at=None if others else submission.at)
    if claim and opened:
        begin_messages(session, thread_key, submission.messages)
    elif claim:
        add_messages(session, thread_key, submission.messages, claim.now)
    return Accepted(
        run=accepted_run(submission, claim, key=run_key, thread_key=thread_key),
        dispatch_id=submission.dispatch_id,
        lease=Lease(run_key, dispatch_key, 1, claim.until) if claim else None,
        cancelling=cancelling,
        running=_running(session, others),
        opened=opened,
    )


def _touch_thread(session: Session, submission: Submission) -> tuple[int, bool]:
    """The thread's key, and whether it did not exist."""
    values: dict[str, Value] = {
        "agent_id": submission.agent_id,
        "at": submission.at,
        "generations": 1 if submission.supersede else 0,
    }
    key = session.value("thread_key", scope=submission.scope, id=submission.thread_id)
    if key is not None:
        session.must_change("touch_thread", key=key, **values)
        return key, False
    return session.value("open_thread", scope=submission.scope, id=submission.thread_id, **values), True


def _refuse_backlog(session: Session, submission: Submission, thread_key: int) -> None:
    if session.row("backlog_is_full", thread_key=thread_key, max_backlog=submission.max_backlog):
        raise Backlogged(
            f"thread {submission.thread_id} has {submission.max_backlog} unfinished runs already, which is the most it "
            "may have; wait for one to end or withdraw one",
            retry_after=1,
        )


def _running(session: Session, others: Sequence[sqlite3.Row]) -> Run | None:
    """The thread's running run, which would be the first."""
    running = others and others[0]["status"] == RunStatus.RUNNING
    return run_by_key(session, others[0]["key"]) if running else None


def _replay(session: Session, submission: Submission, known: Sequence[sqlite3.Row]) -> Accepted:
    if len(known) > 1:
        raise Conflict("the run id and the idempotency key belong to two different requests; choose new ones")
    (row,) = known
    same_run = row["id"] == submission.run_id
    if row["digest"] != submission.digest:
        taken = f"run id {submission.run_id}" if same_run else "the idempotency key"
        raise Conflict(f"{taken} was used for another request; choose a new one")
    if same_run and row["thread_id"] != submission.thread_id:
        raise Conflict(f"run id {submission.run_id} belongs to another thread; choose a new one")
    return Accepted(run=run_by_key(session, row["key"]), dispatch_id=row["dispatch_id"], replayed=True)


def _write(
    session: Session, submission: Submission, thread_key: int, claim: ClaimRequest | None, *, due_at: int | None
) -> tuple[int, int]:
    """The run, its log and its dispatch; the keys of run and dispatch."""
    replaced = submission.replace_from
    first = None if replaced is None else message_seq(session, thread_key, replaced)
    log = accepted_log(submission, claim)
    run_key = _write_run(session, submission, thread_key, claim, last_seq=log[-1].seq if log else 0, replace_from=first)
    write_entries(session, run_key, log)
    if claim:
        replace_messages(session, thread_key, first, submission.run_id)
    return run_key, _write_dispatch(session, submission, run_key, claim, due_at=due_at)


def _write_run(
    session: Session,
    submission: Submission,
    thread_key: int,
    claim: ClaimRequest | None,
    *,
    last_seq: int,
    replace_from: int | None,
) -> int:
    return session.value(
        "insert_run",
        thread_key=thread_key,
        scope=submission.scope,
        id=submission.run_id,
        agent_id=submission.agent_id,
        status=RunStatus.RUNNING if claim else RunStatus.QUEUED,
        origin=submission.origin,
        at=submission.at,
        started_at=claim.now if claim else None,
        parent_run_id=submission.parent_run_id,
        attempt=1 if claim else 0,
        options=json_blob(submission.options),
        input=None if claim else json_blob(submission.messages),
        digest=submission.digest,
        idempotency_key=submission.idempotency_key,
        last_seq=last_seq,
        mode=submission.mode,
        replace_from=replace_from,
    )


def _write_dispatch(
    session: Session, submission: Submission, run_key: int, claim: ClaimRequest | None, *, due_at: int | None
) -> int:
    return session.value(
        "insert_dispatch",
        run_key=run_key,
        id=submission.dispatch_id,
        status=DispatchStatus.LEASED if claim else DispatchStatus.AVAILABLE,
        token=1 if claim else 0,
        worker=claim.worker if claim else None,
        due_at=claim.until if claim else due_at,
    )
