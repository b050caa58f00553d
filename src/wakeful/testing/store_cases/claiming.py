"""Store tests: claiming, renewing and handing back."""

# ruff: noqa: S101  (a suite asserts)

from __future__ import annotations

import asyncio

import msgspec
import pytest

from wakeful.contracts.errors import LeaseLost
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.store import Store
from wakeful.testing.store_cases.builders import (
    LEASE,
    leased,
    log,
    message_ids,
    more,
    reread,
    settlement,
    start,
    submission,
    worker,
)


class ClaimingCases:
    """`claim`, `renew`, `requeue`, `request_cancel`."""

    async def test_the_oldest_runs_are_claimed_first(self, store: Store) -> None:
        for number in (1, 2, 3):
            await store.accept(submission(f"r{number}", thread_id=f"t{number}", at=1_000 + number))

        claims = await store.claim(worker(now=2_000), 2)

        assert [claim.run.id for claim in claims] == ["r1", "r2"]
        assert [claim.run.status for claim in claims] == [RunStatus.RUNNING] * 2
        assert [claim.run.started_at for claim in claims] == [2_000] * 2
        assert [claim.lease.until for claim in claims] == [2_000 + LEASE] * 2
        assert [(claim.lost, claim.cancel, claim.last_seq) for claim in claims] == [(False, False, 1)] * 2

    async def test_a_run_is_not_claimed_before_it_is_due(self, store: Store) -> None:
        await store.accept(submission("r1", at=1_000))

        assert await store.claim(worker(now=999), 1) == ()
        assert len(await store.claim(worker(now=1_000), 1)) == 1

    async def test_a_thread_has_one_active_run_and_takes_the_next_in_order(self, store: Store) -> None:
        for number in (1, 2, 3):
            await store.accept(submission(f"r{number}", at=1_000 + number))

        order: list[str] = []
        for _ in range(3):
            (claim,) = await store.claim(worker(now=2_000), 9)
            order.extend(await message_ids(store, claim.run))
            assert await store.claim(worker(now=2_000), 9) == ()
            await store.settle(settlement(claim.lease))

        first, second, third = "input of r1", "input of r2", "input of r3"
        assert order == [first, first, second, first, second, third]

    async def test_a_run_that_waited_behind_another_is_as_old_as_it_was(self, store: Store) -> None:
        _, lease = await start(store, "r1")
        await store.accept(submission("behind", at=1_100))
        await store.accept(submission("younger", thread_id="t2", at=1_200))
        await store.accept(submission("older", thread_id="t3", at=1_050))
        await store.settle(settlement(lease))

        claims = await store.claim(worker(now=2_000), 9)

        assert [claim.run.id for claim in claims] == ["older", "behind", "younger"]

    async def test_a_waiting_run_keeps_the_rest_of_its_thread_queued(self, store: Store) -> None:
        _, lease = await start(store, "r1")
        await store.accept(submission("r2"))
        await store.settle(settlement(lease, RunStatus.WAITING))

        assert await store.claim(worker(now=900_000), 9) == ()

    async def test_workers_never_share_a_run(self, store: Store) -> None:
        for number in range(20):
            await store.accept(submission(f"r{number}", thread_id=f"t{number}"))

        claims = await asyncio.gather(*(store.claim(worker(f"w{number}"), 3) for number in range(10)))

        keys = [claim.run.key for taken in claims for claim in taken]
        assert len(keys) == len(set(keys)) == 20

    async def test_a_run_past_its_lease_is_claimed_again_as_lost(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        await store.append([more(lease, log(2, 7))])

        early = await store.claim(worker("w2", now=lease.until - 1), 1)
        (claim,) = await store.claim(worker("w2", now=lease.until), 1)

        assert early == ()
        assert (claim.run.id, claim.run.attempt, claim.lost, claim.last_seq) == ("r1", 2, True, 7)
        assert claim.run.started_at == run.started_at
        assert claim.lease.token > lease.token
        assert await message_ids(store, run) == ["input of r1"]

    async def test_a_lease_past_its_time_still_counts_until_somebody_claims(self, store: Store) -> None:
        run, lease = await start(store, "r1")

        lost = await store.renew([lease], lease.until + 100_000)

        assert lost == frozenset()
        assert await store.claim(worker(now=lease.until), 1) == ()
        await store.settle(settlement(lease))
        assert (await reread(store, run)).status is RunStatus.COMPLETED

    async def test_nothing_can_be_written_with_a_lost_lease(self, store: Store) -> None:
        run, old = await start(store, "r1")
        (claim,) = await store.claim(worker("w2", now=old.until), 1)
        before = await reread(store, run)

        assert await store.renew([old, claim.lease], 99_000) == {run.key}
        assert await store.append([more(old, log(2, 3), steps=5)]) == {run.key}
        with pytest.raises(LeaseLost):
            await store.settle(settlement(old, entries=log(2, 3)))
        with pytest.raises(LeaseLost):
            await store.requeue(old, available_at=0, at=5_000)

        assert await reread(store, run) == before
        page = await store.read_log(run.key, after=0, limit=9)
        assert [one.seq for one in page.entries] == [1]

    async def test_a_token_of_another_run_opens_nothing(self, store: Store) -> None:
        mine, lease = await start(store, "r1", thread_id="t1")
        other, _ = await start(store, "r2", thread_id="t2")

        forged = msgspec.structs.replace(lease, run_key=other.key)

        assert await store.append([more(forged, log(2, 2))]) == {other.key}
        with pytest.raises(LeaseLost):
            await store.settle(settlement(forged))
        assert (await reread(store, mine)).status is RunStatus.RUNNING
        assert (await reread(store, other)).status is RunStatus.RUNNING

    async def test_a_lease_ends_with_its_dispatch(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        await store.settle(settlement(lease))

        assert await store.renew([lease], 99_000) == {run.key}
        assert await store.append([more(lease, log(2, 2))]) == {run.key}
        with pytest.raises(LeaseLost):
            await store.settle(settlement(lease))

    async def test_a_run_handed_back_is_queued_and_not_lost(self, store: Store) -> None:
        run, lease = await start(store, "r1")

        await store.requeue(lease, available_at=5_000, at=4_000)

        queued = await reread(store, run)
        assert (queued.status, queued.updated_at, queued.attempt) == (RunStatus.QUEUED, 4_000, 1)
        assert await store.claim(worker(now=4_999), 1) == ()
        (claim,) = await store.claim(worker(now=5_000), 1)
        assert (claim.run.attempt, claim.lost) == (1, False)
        assert claim.lease.token > lease.token

    async def test_a_run_may_be_handed_to_another_agent(self, store: Store) -> None:
        run, lease = await start(store, "r1")

        await store.requeue(lease, available_at=5_000, at=4_000, agent_id="expert")

        (claim,) = await store.claim(worker(now=5_000), 1)
        thread = await store.get_thread(run.scope, run.thread_id)
        assert (claim.run.agent_id, claim.lost, claim.failures) == ("expert", False, 0)
        assert thread is not None
        assert thread.latest_agent_id == "expert"

    async def test_the_old_lease_of_a_run_handed_back_is_lost(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        await store.requeue(lease, available_at=5_000, at=4_000)

        assert await store.append([more(lease, log(2, 2))]) == {run.key}

        await store.claim(worker(now=5_000), 1)
        assert await store.append([more(lease, log(2, 2))]) == {run.key}

    async def test_a_run_handed_back_keeps_its_place_on_the_thread(self, store: Store) -> None:
        _, lease = await start(store, "r1")
        await store.accept(submission("r2"))

        await store.requeue(lease, available_at=50_000, at=4_000)

        assert await store.claim(worker(now=49_999), 9) == ()
        assert [claim.run.id for claim in await store.claim(worker(now=50_000), 9)] == ["r1"]

    async def test_a_stop_asked_for_is_told_to_whoever_claims(self, store: Store) -> None:
        accepted = await store.accept(submission("r1"))

        flagged = await store.request_cancel(accepted.run.key, 1_500)
        again = await store.request_cancel(accepted.run.key, 1_900)

        assert flagged.status is RunStatus.QUEUED
        assert again == flagged
        (claim,) = await store.claim(worker(now=2_000), 1)
        assert claim.cancel
        await store.requeue(claim.lease, available_at=2_500, at=2_500)
        (claim,) = await store.claim(worker(now=3_000), 1)
        assert claim.cancel

    async def test_a_stop_ends_the_pause_before_the_next_attempt(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        await store.requeue(lease, available_at=90_000, at=2_000)

        await store.request_cancel(run.key, 3_000)

        (claim,) = await store.claim(worker(now=3_000), 1)
        assert (claim.run.id, claim.cancel) == ("r1", True)

    async def test_a_finished_run_cannot_be_asked_to_stop(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        await store.settle(settlement(lease))
        before = await reread(store, run)

        assert await store.request_cancel(run.key, 9_000) == before

    async def test_a_lease_granted_at_once_can_be_renewed(self, store: Store) -> None:
        accepted = await store.accept(submission("r1", claim=worker()))
        lease = leased(accepted)

        assert await store.renew([lease], 99_000) == frozenset()

        assert await store.claim(worker(now=98_999), 1) == ()
        assert len(await store.claim(worker(now=99_000), 1)) == 1
