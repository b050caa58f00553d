"""The ends of runs nobody carries, and asking a run that somebody carries to end. The thread is locked already."""

from __future__ import annotations

from collections.abc import Sequence

from wakeful.contracts.errors import Conflict, NotFound
from wakeful.contracts.lifecycle import RunStatus, check_run_move
from wakeful.contracts.run import Run
from wakeful.contracts.store import Interrupted, Interruption, Retirement
from wakeful.stores.postgres.messages import add_messages
from wakeful.stores.postgres.runs import bounds, run_by_key, write_entries
from wakeful.stores.postgres.session import Row, Session


async def request_cancel(session: Session, run_key: int, at: int) -> Run:
    """Flag an unfinished run, once; one that waits for its next attempt is due at once, so that it can end."""
    if await _flag(session, run_key, at):
        session.announce(stops=run_key)
    return await run_by_key(session, run_key)


async def _flag(session: Session, run_key: int, at: int) -> bool:
    """Whether anything changed."""
    flagged = await session.changes("request_cancel", key=run_key, at=at)
    hurried = await session.changes("end_pause", run_key=run_key, now=at)
    if flagged or hurried:
        session.announce(logs=run_key, work=hurried)
    return flagged or hurried


async def interrupt(session: Session, interruption: Interruption) -> Interrupted:
    """End everything a thread does; locks it. Raises `Conflict`, `NotFound`."""
    thread_key, at = interruption.thread_key, interruption.at
    generation = await session.value("next_generation", key=thread_key, at=at)
    if generation is None:
        raise NotFound("thread", "removed meanwhile")
    for retirement in interruption.retire:
        await retire(session, retirement, thread_key=thread_key)
    others = await session.rows("in_the_way", thread_key=thread_key)
    return Interrupted(generation=generation, cancelling=await stop_others(session, others, at))


async def stop_others(session: Session, others: Sequence[Row], at: int) -> int | None:
    """Ask the run that was begun to stop, and return its key; anything else unfinished should have been retired.

    One that was handed back counts as well: it has a step to close, which whoever claims it next will do.
    """
    for run in others:
        begun = run["status"] == RunStatus.RUNNING or (run["status"] == RunStatus.QUEUED and run["attempt"] > 0)
        if not begun:
            raise Conflict(f"run {run['id']} is {run['status']} and in the way; read the open runs again and retry")
        if await _flag(session, run["key"], at):
            session.announce_superseded(run["key"])
    return others[0]["key"] if others else None


async def retire(session: Session, retirement: Retirement, *, thread_key: int) -> Run:
    """End a queued or waiting run of this thread. Raises `Conflict` when it moved on meanwhile."""
    run = await run_by_key(session, retirement.run_key)
    carried = retirement.expected is RunStatus.RUNNING
    if carried or run.status is not retirement.expected or run.thread_key != thread_key:
        raise Conflict(f"run {run.id} is {run.status}, expected {retirement.expected} and nobody to carry it")
    check_run_move(run.status, retirement.status)
    first_seq, last_seq = bounds(retirement.entries)
    moved = (first_seq is None or first_seq > retirement.last_seq) and await session.changes(
        "retire_run",
        key=run.key,
        expected=run.status,
        status=retirement.status,
        last_seq=retirement.last_seq,
        new_last_seq=last_seq,
        stop_reason=retirement.stop_reason,
        at=retirement.at,
    )
    if not moved:
        raise Conflict(f"the log of run {run.id} went on after {retirement.last_seq}; read it again and retry")
    await session.changes("cancel_dispatch", run_key=run.key, at=retirement.at)
    if run.status is RunStatus.WAITING:
        await session.changes("forget_deadlines", run_key=run.key)
    await write_entries(session, run.key, retirement.entries)
    await add_messages(session, thread_key, retirement.messages, retirement.at)
    promoted = await session.changes("promote_next", thread_key=thread_key, at=retirement.at)
    session.announce(logs=run.key, work=promoted)
    return await run_by_key(session, run.key)
