"""Accepting one request: thread, run, dispatch, first events and, when nothing is in the way, the lease."""

from __future__ import annotations

from collections.abc import Sequence

from wakeful.contracts.errors import Backlogged, Conflict
from wakeful.contracts.lifecycle import DispatchStatus, RunStatus
from wakeful.contracts.run import Lease, Run
from wakeful.contracts.store import Accepted, ClaimRequest, Submission
from wakeful.stores.accepting import accepted_log, accepted_run
from wakeful.stores.postgres.endings import retire, stop_others
from wakeful.stores.postgres.messages import add_messages, message_seq, replace_messages
from wakeful.stores.postgres.runs import run_by_key, write_entries
from wakeful.stores.postgres.session import Row, Session
from wakeful.stores.rows import json_blob


async def accept(session: Session, submission: Submission) -> Accepted:
    """Write one request, or recognise it; raises `Conflict`, `Backlogged`.

    The same request that another process writes at this moment is met at the unique indexes: then all is done again.
    """
    await session.value("lock_thread_by_id", scope=submission.scope, id=submission.thread_id)
    known = await session.rows(
        "find_submission",
        scope=submission.scope,
        run_id=submission.run_id,
        idempotency_key=submission.idempotency_key,
    )
    if known:
        return await _replay(session, submission, known)
    thread_key, opened = await _touch_thread(session, submission)
    for retirement in submission.retire:
        await retire(session, retirement, thread_key=thread_key)
    others = await session.rows("in_the_way", thread_key=thread_key)
    cancelling = await stop_others(session, others, submission.at) if submission.supersede else None
    if others:
        await _refuse_backlog(session, submission, thread_key)
    lease, run = await _write(session, submission, thread_key, free=not others)
    accepted = Accepted(
        run=run,
        dispatch_id=submission.dispatch_id,
        lease=lease,
        cancelling=cancelling,
        running=await _running(session, others),
        opened=opened,
    )
    _announce(session, submission, accepted)
    return accepted


async def _write(session: Session, submission: Submission, thread_key: int, *, free: bool) -> tuple[Lease | None, Run]:
    """The run with all that belongs to it; its lease, if there is one."""
    claim = submission.claim if free else None
    replaced = submission.replace_from
    first = None if replaced is None else await message_seq(session, thread_key, replaced)
    log = accepted_log(submission, claim)
    run_key = await _write_run(
        session, submission, thread_key, claim, last_seq=log[-1].seq if log else 0, replace_from=first
    )
    run = accepted_run(submission, claim, key=run_key, thread_key=thread_key)
    due_at = submission.at if free else None
    dispatch_key = await _write_dispatch(session, submission, run_key, claim, due_at=due_at)
    await write_entries(session, run_key, log)
    if claim is None:
        return None, run
    await replace_messages(session, thread_key, first, submission.run_id)
    await add_messages(session, thread_key, submission.messages, claim.now)
    return Lease(run_key, dispatch_key, 1, claim.until), run


def _announce(session: Session, submission: Submission, accepted: Accepted) -> None:
    session.announce(work=accepted.lease is None)
    if submission.mode == "steer" and accepted.running is not None:
        session.announce_steering(accepted.running.key)


async def _touch_thread(session: Session, submission: Submission) -> tuple[int, bool]:
    """Lock the thread, also where it did not exist; its key, and whether it did not exist."""
    (row,) = await session.rows(
        "touch_thread",
        scope=submission.scope,
        id=submission.thread_id,
        agent_id=submission.agent_id,
        at=submission.at,
        generations=1 if submission.supersede else 0,
    )
    return row["key"], row["opened"]


async def _refuse_backlog(session: Session, submission: Submission, thread_key: int) -> None:
    if await session.row("backlog_is_full", thread_key=thread_key, max_backlog=submission.max_backlog):
        raise Backlogged(
            f"thread {submission.thread_id} has {submission.max_backlog} unfinished runs already, which is the most it "
            "may have; wait for one to end or withdraw one",
            retry_after=1,
        )


async def _running(session: Session, others: Sequence[Row]) -> Run | None:
    """The thread's running run, which would be the first."""
    running = others and others[0]["status"] == RunStatus.RUNNING
    return await run_by_key(session, others[0]["key"]) if running else None


async def _replay(session: Session, submission: Submission, known: Sequence[Row]) -> Accepted:
    if len(known) > 1:
        raise Conflict("the run id and the idempotency key belong to two different requests; choose new ones")
    (row,) = known
    same_run = row["id"] == submission.run_id
    if row["digest"] != submission.digest:
        taken = f"run id {submission.run_id}" if same_run else "the idempotency key"
        raise Conflict(f"{taken} was used for another request; choose a new one")
    if same_run and row["thread_id"] != submission.thread_id:
        raise Conflict(f"run id {submission.run_id} belongs to another thread; choose a new one")
    return Accepted(run=await run_by_key(session, row["key"]), dispatch_id=row["dispatch_id"], replayed=True)


async def _write_run(
    session: Session,
    submission: Submission,
    thread_key: int,
    claim: ClaimRequest | None,
    *,
    last_seq: int,
    replace_from: int | None,
) -> int:
    return await session.value(
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


async def _write_dispatch(
    session: Session, submission: Submission, run_key: int, claim: ClaimRequest | None, *, due_at: int | None
) -> int:
    return await session.value(
        "insert_dispatch",
        run_key=run_key,
        id=submission.dispatch_id,
        status=DispatchStatus.LEASED if claim else DispatchStatus.AVAILABLE,
        token=1 if claim else 0,
        worker=claim.worker if claim else None,
        process=session.process if claim else None,
        due_at=claim.until if claim else due_at,
    )
