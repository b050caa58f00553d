"""Store tests: attempts that come to nothing, dead letters, and the first moments after a crash."""

# ruff: noqa: S101  (a suite asserts)

from __future__ import annotations

import pytest

from wakeful.contracts.errors import LeaseLost
from wakeful.contracts.event import ErrorReport
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.mailbox import retry_key
from wakeful.contracts.run import Lease
from wakeful.contracts.store import Claim, Store
from wakeful.testing.store_cases.builders import (
    LEASE,
    SCOPE,
    answers,
    ask,
    log,
    more,
    question,
    reread,
    settlement,
    start,
    submission,
    worker,
)

BROKEN = ErrorReport("model_error", "the model is gone")
FAR = 100_000_000


class FailingCases:
    """`failures` of a claim, `dead_letters`, `recover`."""

    async def test_losses_in_a_row_are_counted(self, store: Store) -> None:
        _, lease = await start(store, "r1")

        counted: list[int] = []
        for _ in range(3):
            claim = await claimed(store, lease.until)
            counted.append(claim.failures)
            lease = claim.lease

        assert counted == [1, 2, 3]

    async def test_a_step_between_two_losses_starts_the_count_anew(self, store: Store) -> None:
        _, lease = await start(store, "r1")
        lease = (await claimed(store, lease.until)).lease
        second = await claimed(store, lease.until)
        await store.append([more(second.lease, log(2, 2), steps=1)])

        third = await claimed(store, second.lease.until)
        fourth = await claimed(store, third.lease.until)

        assert [second.failures, third.failures, fourth.failures] == [2, 1, 2]

    async def test_handing_back_with_an_error_is_a_failure_and_without_is_none(self, store: Store) -> None:
        _, lease = await start(store, "r1")

        counted: list[int] = []
        for error in (BROKEN, None, BROKEN):
            await store.requeue(lease, available_at=2_000, at=2_000, error=error)
            claim = await claimed(store, 2_000)
            counted.append(claim.failures)
            lease = claim.lease

        assert counted == [1, 1, 2]

    async def test_a_failure_after_a_step_is_the_first(self, store: Store) -> None:
        _, lease = await start(store, "r1")
        await store.requeue(lease, available_at=2_000, at=2_000, error=BROKEN)
        claim = await claimed(store, 2_000)
        await store.append([more(claim.lease, log(2, 2), steps=1)])

        await store.requeue(claim.lease, available_at=3_000, at=3_000, error=BROKEN)

        assert (await claimed(store, 3_000)).failures == 1

    async def test_a_step_makes_earlier_failures_forgotten(self, store: Store) -> None:
        _, lease = await start(store, "r1")
        await store.requeue(lease, available_at=2_000, at=2_000, error=BROKEN)
        claim = await claimed(store, 2_000)
        await store.append([more(claim.lease, log(2, 2), steps=1)])

        await store.requeue(claim.lease, available_at=3_000, at=3_000)

        assert (await claimed(store, 3_000)).failures == 0

    async def test_an_answer_starts_the_count_anew(self, store: Store) -> None:
        _, lease = await start(store, "r1")
        claim = await claimed(store, lease.until)
        await store.settle(settlement(claim.lease, RunStatus.WAITING, interrupts=(question("q1"),)))

        await store.decide(answers(claim.run, Decision("q1", approved=True), at=99_000))

        assert [claim.failures, (await claimed(store, 99_000)).failures] == [1, 0]

    async def test_who_lost_the_lease_cannot_report_a_failure(self, store: Store) -> None:
        _, lease = await start(store, "r1")
        claim = await claimed(store, lease.until)

        with pytest.raises(LeaseLost):
            await store.requeue(lease, available_at=2_000, at=2_000, error=BROKEN)

        assert (await claimed(store, claim.lease.until)).failures == 2

    async def test_a_run_that_was_given_up_is_a_dead_letter(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        await store.requeue(lease, available_at=2_000, at=2_000, error=BROKEN)

        await give_up(store, (await claimed(store, 2_000)).lease, at=3_000)

        ((_, letter),) = await store.dead_letters(SCOPE, before=None, limit=9)
        assert (letter.dispatch_id, letter.failures, letter.error, letter.at) == ("dispatch of r1", 2, BROKEN, 3_000)
        assert letter.run == await reread(store, run)
        assert letter.run.status is RunStatus.FAILED
        assert letter.retried_run_id is None
        assert await store.dead_letter(SCOPE, "dispatch of r1") == letter
        assert await store.claim(worker(now=FAR), 9) == ()

    async def test_a_run_that_failed_for_good_at_once_is_no_dead_letter(self, store: Store) -> None:
        _, lease = await start(store, "r1")

        await store.settle(settlement(lease, RunStatus.FAILED, error=BROKEN))

        assert await store.dead_letters(SCOPE, before=None, limit=9) == ()
        assert await store.dead_letter(SCOPE, "dispatch of r1") is None

    async def test_a_run_that_was_given_up_frees_its_thread(self, store: Store) -> None:
        _, lease = await start(store, "r1")
        await store.accept(submission("r2"))

        await give_up(store, lease)

        assert (await claimed(store, 5_000)).run.id == "r2"

    async def test_a_dead_letter_names_the_run_that_tried_again(self, store: Store) -> None:
        _, lease = await start(store, "r1")
        await give_up(store, lease)

        await store.accept(submission("r2", idempotency_key=retry_key("dispatch of r1")))
        await store.accept(submission("r3", scope="other", thread_id="t9", idempotency_key=retry_key("dispatch of r1")))

        letter = await store.dead_letter(SCOPE, "dispatch of r1")
        assert letter is not None
        assert letter.retried_run_id == "r2"

    async def test_dead_letters_are_paged_newest_first_within_a_scope(self, store: Store) -> None:
        for number in range(5):
            _, lease = await start(store, f"r{number}", thread_id=f"t{number}")
            await give_up(store, lease)
        _, lease = await start(store, "r9", scope="other")
        await give_up(store, lease)

        first = await store.dead_letters(SCOPE, before=None, limit=3)
        rest = await store.dead_letters(SCOPE, before=first[-1][0], limit=3)

        assert [letter.run.id for _, letter in first] == ["r4", "r3", "r2"]
        assert [letter.run.id for _, letter in rest] == ["r1", "r0"]
        assert await store.dead_letter("other", "dispatch of r1") is None

    async def test_after_a_crash_of_all_every_lease_is_due_at_once(self, store: Store) -> None:
        await start(store, "r1", thread_id="t1")
        await start(store, "r2", thread_id="t2")
        await store.accept(submission("r3", thread_id="t3"))

        made_due = await store.recover(1_100)

        assert made_due == 2
        claims = await store.claim(worker(now=1_100), 9)
        assert sorted((claim.run.id, claim.lost, claim.failures) for claim in claims) == [
            ("r1", True, 1),
            ("r2", True, 1),
            ("r3", False, 0),
        ]

    async def test_what_a_clock_put_into_the_far_future_is_due_now(self, store: Store) -> None:
        await store.accept(submission("r1", at=FAR))
        _, lease = await start(store, "r2", thread_id="t2")
        await store.requeue(lease, available_at=FAR, at=2_000)
        _, lease = await start(store, "r3", thread_id="t3")
        await store.requeue(lease, available_at=1_100 + 600_000, at=2_000)

        made_due = await store.recover(1_100)

        assert made_due == 2
        assert sorted(claim.run.id for claim in await store.claim(worker(now=1_100), 9)) == ["r1", "r2"]

    async def test_a_queue_that_a_fast_clock_filled_goes_on_when_its_turn_comes(self, store: Store) -> None:
        _, lease = await start(store, "r1")
        await store.accept(submission("r2", at=FAR))

        await store.settle(settlement(lease, at=2_000))

        assert (await claimed(store, 2_000)).run.id == "r2"

    async def test_recovering_leaves_what_rests_alone(self, store: Store) -> None:
        waiting = await ask(store, "r1", question("q1"))
        await store.accept(submission("r2"))

        assert await store.recover(1_100) == 0

        assert await store.claim(worker(now=FAR), 9) == ()
        assert (await reread(store, waiting)).status is RunStatus.WAITING

    async def test_a_process_that_recovers_twice_breaks_its_own_leases_harmlessly(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        await store.recover(1_100)
        (claim,) = await store.claim(worker(now=1_100), 1)

        assert await store.append([more(lease, log(2, 2))]) == {run.key}
        assert await store.renew([claim.lease], 1_100 + LEASE) == frozenset()


async def claimed(store: Store, now: int) -> Claim:
    """The one run that is ready."""
    (claim,) = await store.claim(worker(now=now), 9)
    return claim


async def give_up(store: Store, lease: Lease, *, at: int = 2_000) -> None:
    """The run failed as often as it may, which is twice."""
    await store.settle(settlement(lease, RunStatus.FAILED, stop_reason="error", error=BROKEN, given_up_after=2, at=at))
