"""Several processes on one database: each store object is one."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import asyncpg
import pytest

from wakeful.contracts.errors import BadRequest, Conflict, LeaseLost
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.query import ThreadChange
from wakeful.stores.postgres.store import PostgresStore
from wakeful.testing.store_cases.builders import (
    LEASE,
    SCOPE,
    answers,
    ask,
    leased,
    log,
    log_numbers,
    message,
    message_ids,
    more,
    question,
    reread,
    retirement,
    settlement,
    start,
    submission,
    thread,
    worker,
)

Sql = Callable[..., Awaitable[list[Any]]]
Holding = Callable[[str], AbstractAsyncContextManager[Any]]
Locked = Callable[[int], Awaitable[None]]
Deadlocks = Callable[[], Awaitable[int]]


async def test_claims_of_several_processes_never_overlap(stores: Sequence[PostgresStore]) -> None:
    for number in range(60):
        await stores[0].accept(submission(f"r{number}", thread_id=f"t{number % 40}"))

    claims = await asyncio.gather(*(store.claim(worker(), 3) for _ in range(8) for store in stores))

    taken = [claim.run for some in claims for claim in some]
    assert len({run.key for run in taken}) == len(taken) == 40
    assert len({run.thread_key for run in taken}) == 40


async def test_the_oldest_is_claimed_first_whoever_claims(stores: Sequence[PostgresStore]) -> None:
    for number in range(12):
        await stores[number % 3].accept(submission(f"r{number}", thread_id=f"t{number}", at=1_000 + number))

    claimed = [(await stores[number % 3].claim(worker(now=2_000), 1))[0].run.id for number in range(12)]

    assert claimed == [f"r{number}" for number in range(12)]


async def test_a_zombie_writes_nothing(stores: Sequence[PostgresStore]) -> None:
    zombie, other, _ = stores
    run, old = await start(zombie, "r1")
    (claim,) = await other.claim(worker("w2", now=old.until), 1)
    before = await reread(other, run)

    assert await zombie.append([more(old, log(2, 3), messages=(message("late"),), state={"late": 1})]) == {run.key}
    assert await zombie.renew([old], 99_000) == {run.key}
    for call in (
        zombie.settle(settlement(old, entries=log(2, 2))),
        zombie.requeue(old, available_at=1, at=1),
        zombie.absorb(more(old, log(2, 2)), ()),
    ):
        with pytest.raises(LeaseLost):
            await call

    assert await reread(other, run) == before
    assert await log_numbers(other, run) == [1]
    assert await message_ids(other, run) == ["input of r1"]
    assert await other.renew([claim.lease], 99_000) == frozenset()


async def test_recovering_leaves_the_leases_of_other_processes_alone(stores: Sequence[PostgresStore]) -> None:
    alive, fresh, _ = stores
    _, lease = await start(alive, "r1")

    assert await fresh.recover(1_100) == 0

    assert await fresh.claim(worker(now=1_100), 9) == ()
    assert await alive.renew([lease], 99_000) == frozenset()


async def test_one_request_sent_to_several_processes_at_once_is_one_run(stores: Sequence[PostgresStore]) -> None:
    for number in range(10):
        request = submission(f"r{number}", thread_id=f"t{number}", claim=worker())
        accepted = await asyncio.gather(*(store.accept(request) for store in stores))

        assert sum(not one.replayed for one in accepted) == 1
        assert sum(one.lease is not None for one in accepted) == 1
        assert len({one.run.key for one in accepted}) == 1


async def test_one_idempotency_key_on_several_threads_at_once_is_one_run(stores: Sequence[PostgresStore]) -> None:
    accepted = await asyncio.gather(
        *(
            store.accept(submission(f"r{number}", thread_id=f"t{number}", idempotency_key="k", digest="d"))
            for number, store in enumerate(stores)
        )
    )

    assert sum(not one.replayed for one in accepted) == 1
    assert len({one.run.key for one in accepted}) == 1


async def test_requests_for_one_thread_wait_behind_each_other(stores: Sequence[PostgresStore]) -> None:
    sent = [stores[number % 3].accept(submission(f"r{number}", claim=worker())) for number in range(30)]

    accepted = await asyncio.gather(*sent)

    assert [leased(one).run_key for one in accepted if one.lease] == [min(one.run.key for one in accepted)]
    entries = await stores[0].mailbox(accepted[0].run.thread_key)
    assert [one.run.key for one in entries] == sorted(one.run.key for one in accepted)[1:]


async def test_a_thread_with_little_room_takes_no_more_from_anybody(stores: Sequence[PostgresStore]) -> None:
    sent = [stores[number % 3].accept(submission(f"r{number}", max_backlog=4)) for number in range(12)]

    answered = await asyncio.gather(*sent, return_exceptions=True)

    assert Counter(type(one).__name__ for one in answered) == {"Accepted": 4, "Backlogged": 8}


async def test_of_the_same_answer_given_everywhere_one_counts(stores: Sequence[PostgresStore]) -> None:
    for number in range(8):
        run = await ask(stores[0], f"r{number}", question("q1"), thread_id=f"t{number}")
        given = answers(run, Decision("q1", approved=True), entries=log(2, 2), last_seq=1)

        decided = await asyncio.gather(*(store.decide(given) for store in stores))

        assert sum(one.accepted == ("q1",) for one in decided) == 1
        assert sum(one.already == ("q1",) for one in decided) == 2
        assert await log_numbers(stores[1], run) == [1, 2]
    assert len(await stores[2].claim(worker(now=9_000), 99)) == 8


async def test_a_log_that_grows_takes_every_stop_and_answer_that_comes_between(stores: Sequence[PostgresStore]) -> None:
    writing, stopping, _ = stores
    runs = [await start(writing, f"r{number}", thread_id=f"t{number}") for number in range(6)]

    async def write() -> None:
        for seq in range(2, 42):
            batch = [more(lease, log(seq, seq), messages=(message(f"m{seq}"),)) for _, lease in runs]
            assert await writing.append(batch) == frozenset()

    async def stop() -> None:
        for at in range(40):
            await asyncio.gather(*(stopping.request_cancel(run.key, 2_000 + at) for run, _ in runs[::-1]))

    async with asyncio.timeout(30):
        await asyncio.gather(write(), stop())

    for run, _ in runs:
        assert await log_numbers(stopping, run) == list(range(1, 42))
        assert len(await message_ids(stopping, run)) == 41


async def test_batches_in_any_order_never_wait_for_each_other_in_a_circle(
    stores: Sequence[PostgresStore], deadlocks: Deadlocks
) -> None:
    runs = [await start(stores[0], f"r{number}", thread_id=f"t{number}") for number in range(12)]
    shuffled = random.Random(1)

    async def write(store: PostgresStore, name: str) -> None:
        for number in range(30):
            said = message(f"{name} {number}")
            batch = [more(lease, (), messages=(said,)) for _, lease in shuffled.sample(runs, 8)]
            assert await store.append(batch) == frozenset()

    async with asyncio.timeout(30):
        await asyncio.gather(*(write(store, f"{name}") for name, store in enumerate((*stores, *stores))))

    assert await deadlocks() == 0


async def test_leases_renewed_while_others_claim_are_kept_or_lost_never_both(stores: Sequence[PostgresStore]) -> None:
    holder, thief, _ = stores
    held = [(await start(holder, f"r{number}", thread_id=f"t{number}"))[1] for number in range(20)]
    now = 1_000 + LEASE

    lost, claims = await asyncio.gather(holder.renew(held, now + LEASE), thief.claim(worker("thief", now=now), 20))

    assert lost == {claim.run.key for claim in claims}


async def test_a_lease_that_is_renewed_at_this_moment_is_not_claimed(
    store: PostgresStore, holding: Holding, locked: Locked
) -> None:
    run, lease = await start(store, "r1")

    async with holding("update dispatches set due_at = 99000") as renewing, asyncio.TaskGroup() as group:
        claiming = group.create_task(store.claim(worker(now=lease.until), 9))
        await locked(1)
        await renewing.execute("commit")

    assert claiming.result() == ()
    assert (await reread(store, run)).attempt == 1
    assert await store.renew([lease], 99_000) == frozenset()


async def test_what_somebody_writes_about_is_passed_by_and_claimed_later(
    store: PostgresStore, holding: Holding
) -> None:
    for number in range(3):
        await store.accept(submission(f"r{number}", thread_id=f"t{number}"))

    async with holding("select 1 from threads where id = 't1' for no key update"):
        at_once = await store.claim(worker(), 9)

    assert [claim.run.id for claim in at_once] == ["r0", "r2"]
    assert [claim.run.id for claim in await store.claim(worker(), 9)] == ["r1"]


async def test_a_superseding_request_sent_twice_at_once_ends_what_waits_once(stores: Sequence[PostgresStore]) -> None:
    for number in range(8):
        waiting = await ask(stores[0], f"old {number}", thread_id=f"t{number}")
        end = retirement(waiting, expected=RunStatus.WAITING)
        request = submission(f"new {number}", thread_id=f"t{number}", supersede=True, retire=(end,), claim=worker())

        accepted = await asyncio.gather(*(store.accept(request) for store in stores))

        assert sum(not one.replayed for one in accepted) == 1
        assert len({one.run.key for one in accepted}) == 1


async def test_two_processes_cannot_make_a_circle_of_threads(stores: Sequence[PostgresStore]) -> None:
    for number in range(5):
        one = await stores[0].create_thread(thread(f"a{number}"))
        two = await stores[0].create_thread(thread(f"b{number}"))

        moved = await asyncio.gather(
            stores[0].update_thread(one.key, ThreadChange(parent_thread_id=two.id), 2),
            stores[1].update_thread(two.key, ThreadChange(parent_thread_id=one.id), 2),
            return_exceptions=True,
        )

        assert sum(isinstance(one, BadRequest) for one in moved) == 1


async def test_a_thread_that_is_removed_takes_a_request_with_it_or_stays(stores: Sequence[PostgresStore]) -> None:
    for number in range(10):
        run, lease = await start(stores[0], f"old {number}")
        await stores[0].settle(settlement(lease))

        removed, accepted = await asyncio.gather(
            stores[0].delete_thread(run.thread_key, "detach"),
            stores[1].accept(submission(f"new {number}", claim=worker())),
            return_exceptions=True,
        )

        assert not isinstance(accepted, BaseException)
        assert removed is None or isinstance(removed, Conflict)
        assert (await stores[2].get_run(SCOPE, f"new {number}")) is not None
        await stores[0].settle(settlement(leased(accepted)))


async def test_the_database_itself_refuses_a_second_active_run(stores: Sequence[PostgresStore], sql: Sql) -> None:
    await start(stores[0], "r1")
    await stores[1].accept(submission("r2"))

    with pytest.raises(asyncpg.UniqueViolationError, match="runs_active"):
        await sql("update runs set status = 'running' where id = 'r2'")
