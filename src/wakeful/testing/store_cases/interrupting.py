"""Store tests: ending everything a thread does."""

# ruff: noqa: S101  (a suite asserts)

from __future__ import annotations

import pytest

from wakeful.contracts.errors import Conflict, NotFound
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.run import Run
from wakeful.contracts.store import Interruption, Retirement, Store
from wakeful.testing.store_cases.builders import (
    LEASE,
    SCOPE,
    answers,
    ask,
    log_numbers,
    reread,
    retirement,
    settlement,
    start,
    submission,
    worker,
)


class InterruptingCases:
    """`interrupt`, and what `accept` does with `supersede`."""

    async def test_an_interrupt_stops_what_runs_and_ends_what_is_queued(self, store: Store) -> None:
        running, lease = await start(store, "r1")
        queued = (await store.accept(submission("r2"))).run

        done = await store.interrupt(interruption(running, retirement(queued)))

        assert (done.generation, done.cancelling) == (1, running.key)
        assert (await reread(store, queued)).status is RunStatus.CANCELLED
        assert (await reread(store, running)).status is RunStatus.RUNNING
        (again,) = await store.claim(worker(now=lease.until), 9)
        assert (again.run.id, again.cancel) == ("r1", True)

    async def test_an_interrupt_ends_a_waiting_run(self, store: Store) -> None:
        waiting = await ask(store, "r1")

        done = await store.interrupt(interruption(waiting, retirement(waiting, expected=RunStatus.WAITING)))

        assert (done.generation, done.cancelling) == (1, None)
        assert (await reread(store, waiting)).status is RunStatus.CANCELLED

    async def test_an_interrupt_of_an_idle_thread_still_counts(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        await store.settle(settlement(lease))

        done = [await store.interrupt(interruption(run)) for _ in range(2)]

        assert [(one.generation, one.cancelling) for one in done] == [(1, None), (2, None)]
        assert await generation(store) == 2

    @pytest.mark.parametrize("case", ["queued", "waiting", "stale"])
    async def test_an_interrupt_that_overlooked_something_writes_nothing(self, store: Store, case: str) -> None:
        first = await (ask(store, "r1") if case == "waiting" else _started(store, "r1"))
        queued = (await store.accept(submission("r2"))).run
        retire = {
            "queued": (),
            "waiting": (retirement(queued),),
            "stale": (retirement(queued, last_seq=7),),
        }[case]

        with pytest.raises(Conflict):
            await store.interrupt(interruption(first, *retire))

        assert await generation(store) == 0
        assert (await reread(store, queued)).status is RunStatus.QUEUED
        assert await log_numbers(store, queued) == [1]
        claims = await store.claim(worker(now=1_000 + LEASE), 9)
        assert [claim.cancel for claim in claims] == ([] if case == "waiting" else [False])

    async def test_a_run_handed_back_is_asked_to_stop_like_a_running_one(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        await store.requeue(lease, available_at=2_000, at=1_500)

        done = await store.interrupt(interruption(run))

        assert done.cancelling == run.key
        (claim,) = await store.claim(worker(now=2_000), 9)
        assert claim.cancel

    async def test_a_request_may_supersede_a_run_that_was_handed_back(self, store: Store) -> None:
        waiting = await ask(store, "r1")
        await store.decide(answers(waiting))

        accepted = await store.accept(submission("r2", supersede=True, claim=worker(now=4_000)))

        assert (accepted.cancelling, accepted.lease, accepted.running) == (waiting.key, None, None)
        (claim,) = await store.claim(worker(now=4_000), 9)
        assert (claim.run.id, claim.cancel) == ("r1", True)

    async def test_a_thread_that_is_gone_is_not_interrupted(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        await store.settle(settlement(lease))
        await store.delete_thread(run.thread_key, "detach")

        with pytest.raises(NotFound):
            await store.interrupt(interruption(run))

    async def test_superseding_counts_as_an_interrupt_and_queueing_does_not(self, store: Store) -> None:
        await start(store, "r1")
        await store.accept(submission("r2"))
        assert await generation(store) == 0

        queued = await store.get_run(SCOPE, "r2")
        assert queued is not None
        await store.accept(submission("r3", supersede=True, retire=(retirement(queued),)))

        assert await generation(store) == 1

    async def test_a_request_that_waits_behind_a_running_run_is_told_which(self, store: Store) -> None:
        running, lease = await start(store, "r1")

        behind = await store.accept(submission("r2"))
        superseding = await store.accept(
            submission("r3", supersede=True, retire=(retirement(behind.run),), claim=worker())
        )

        assert behind.running == running
        assert superseding.running is not None
        assert superseding.running.id == "r1"
        await store.settle(settlement(lease))
        free = await store.accept(submission("r4"))
        assert free.running is None


def interruption(run: Run, *retire: Retirement) -> Interruption:
    """The end of everything on this run's thread."""
    return Interruption(thread_key=run.thread_key, retire=retire, at=3_000)


async def generation(store: Store) -> int:
    """How often thread t1 was interrupted."""
    thread = await store.get_thread(SCOPE, "t1")
    assert thread is not None
    return thread.generation


async def _started(store: Store, run_id: str) -> Run:
    return (await start(store, run_id))[0]
