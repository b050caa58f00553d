"""What a worker writes about the run it carries: more log, and the end of its dispatch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from wakeful.contracts.errors import Conflict, IllegalMove
from wakeful.contracts.lifecycle import FINISHED, RESTING, RunStatus, check_run_move
from wakeful.contracts.run import Voids
from wakeful.contracts.store import Append, Retirement, Settlement
from wakeful.stores.postgres.dispatches import fence, fences, grant, grant_of, lease_lost
from wakeful.stores.postgres.endings import retire
from wakeful.stores.postgres.interrupts import raise_interrupts
from wakeful.stores.postgres.locks import lock_leased
from wakeful.stores.postgres.messages import Joining, add_all_messages, add_messages
from wakeful.stores.postgres.runs import bounds, write_entries, write_logs
from wakeful.stores.postgres.session import Session
from wakeful.stores.postgres.threads import share, share_all
from wakeful.stores.rows import json_blob


async def append(session: Session, batch: Sequence[Append]) -> frozenset[int]:
    """Write what many runs produced; the keys of runs whose lease is lost."""
    run_keys = list(dict.fromkeys(more.lease.run_key for more in batch))
    locked = await session.rows("lock_threads_of_runs", run_keys=run_keys)
    threads: dict[int, int] = {row["run_key"]: row["thread_key"] for row in locked}
    # Nobody can take a lease away from here on: that needs the lock.
    held = {grant_of(row) for row in await session.rows("leases_held", **fences([more.lease for more in batch]))}
    await _write(session, _merged(more for more in batch if grant(more.lease) in held), threads)
    return frozenset(more.lease.run_key for more in batch if grant(more.lease) not in held)


def _merged(batch: Iterable[Append]) -> list[Append]:
    """What came for one run, as one; raises `Conflict` when its parts are not in order."""
    found: dict[int, Append] = {}
    for more in batch:
        first = found.get(more.lease.run_key)
        found[more.lease.run_key] = more if first is None else _joined(first, more)
    return list(found.values())


def _joined(first: Append, then: Append) -> Append:
    if first.entries and then.entries and then.entries[0].seq <= first.entries[-1].seq:
        raise _out_of_order(then.entries[0].seq)
    return msgspec.structs.replace(
        then,
        entries=first.entries + then.entries,
        messages=first.messages + then.messages,
        voids=then.voids or first.voids,
        state=first.state if then.state is None else then.state,
    )


async def _write(session: Session, appends: Sequence[Append], threads: Mapping[int, int]) -> None:
    """Write what came for runs whose leases are held; `threads` are theirs, which are locked."""
    if not appends:
        return
    await _advance(session, appends)
    await write_logs(session, [(more.lease.run_key, entry) for more in appends for entry in more.entries])
    joining = [Joining(threads[more.lease.run_key], more.messages, _moment(more) or 0) for more in appends]
    await add_all_messages(session, joining)
    states = {threads[more.lease.run_key]: more.state for more in appends if more.state is not None}
    await share_all(session, states)
    for more in appends:
        session.announce(logs=more.lease.run_key)


async def _advance(session: Session, appends: Sequence[Append]) -> None:
    limits = [bounds(more.entries) for more in appends]
    advanced = await session.count(
        "advance_runs",
        run_keys=[more.lease.run_key for more in appends],
        first_seqs=[first for first, _ in limits],
        last_seqs=[last for _, last in limits],
        steps=[more.steps for more in appends],
        usages=[json_blob(more.usage) for more in appends],
        voids=[_voids(more.voids) for more in appends],
        ats=[_moment(more) for more in appends],
    )
    if advanced != len(appends):
        raise _out_of_order(*(first for first, _ in limits if first is not None))


def _moment(more: Append) -> int | None:
    """When it happened: an append carries no time of its own."""
    if more.entries:
        return more.entries[-1].at
    return more.messages[-1].created_at if more.messages else None


async def absorb(session: Session, more: Append, entries: Sequence[Retirement]) -> None:
    """Write what a run produced, and end the entries whose input it took in; raises `LeaseLost`, `Conflict`."""
    thread_key = await lock_leased(session, more.lease)
    if await append(session, (more,)):
        raise lease_lost()
    for entry in entries:
        await retire(session, entry, thread_key=thread_key)


async def settle(session: Session, settlement: Settlement) -> None:
    """End a dispatch and bring its run to rest; raises `LeaseLost`."""
    lease, status = settlement.lease, settlement.status
    if status not in RESTING:
        raise IllegalMove("settled run", RunStatus.RUNNING, status)
    check_run_move(RunStatus.RUNNING, status)
    thread_key = await lock_leased(session, lease)
    await _end_dispatch(session, settlement)
    await _rest_run(session, settlement)
    await write_entries(session, lease.run_key, settlement.entries)
    await add_messages(session, thread_key, settlement.messages, settlement.at)
    await share(session, thread_key, settlement.state)
    await raise_interrupts(session, lease.run_key, settlement.interrupts)
    promoted = status in FINISHED and await session.changes("promote_next", thread_key=thread_key, at=settlement.at)
    session.announce(logs=lease.run_key, work=promoted)


async def _end_dispatch(session: Session, settlement: Settlement) -> None:
    ended = await session.changes(
        "end_dispatch",
        **fence(settlement.lease),
        at=settlement.at,
        failures=settlement.given_up_after or None,
        error=_error(settlement),
    )
    if not ended:
        raise lease_lost()


async def _rest_run(session: Session, settlement: Settlement) -> None:
    first_seq, last_seq = bounds(settlement.entries)
    rested = await session.changes(
        "rest_run",
        key=settlement.lease.run_key,
        status=settlement.status,
        stop_reason=settlement.stop_reason,
        error=_error(settlement),
        first_seq=first_seq,
        last_seq=last_seq,
        steps=settlement.steps,
        usage=json_blob(settlement.usage),
        voids=_voids(settlement.voids),
        at=settlement.at,
        finished_at=settlement.at if settlement.status in FINISHED else None,
    )
    if not rested:
        raise _out_of_order(first_seq)


def _error(settlement: Settlement) -> bytes | None:
    return None if settlement.error is None else json_blob(settlement.error)


def _voids(voids: Voids) -> bytes | None:
    return json_blob(voids) if voids else None


def _out_of_order(*first_seqs: int | None) -> Conflict:
    numbers = " or ".join(str(number) for number in first_seqs)
    return Conflict(f"the log already goes past sequence number {numbers}; it only grows")
