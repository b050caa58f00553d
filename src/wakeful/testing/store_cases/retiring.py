"""Store tests: ending runs nobody carries."""

# ruff: noqa: S101  (a suite asserts)

from __future__ import annotations

import pytest

from wakeful.contracts.errors import Conflict
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.store import Store
from wakeful.testing.store_cases.builders import (
    SCOPE,
    answers,
    ask,
    log,
    log_numbers,
    message,
    message_ids,
    question,
    reread,
    retirement,
    settlement,
    start,
    submission,
    worker,
)


class RetiringCases:
    """`retire`, and the retirements of `accept`."""

    async def test_a_queued_run_is_retired_with_its_last_words(self, store: Store) -> None:
        accepted = await store.accept(submission("r1"))

        run = await store.retire(retirement(accepted.run, entries=log(2, 3), messages=(message("note"),)))

        assert (run.status, run.stop_reason, run.finished_at) == (RunStatus.CANCELLED, "superseded", 3_000)
        assert await log_numbers(store, run) == [1, 2, 3]
        assert await message_ids(store, run) == ["note"]
        assert await store.claim(worker(now=900_000), 9) == ()

    async def test_a_waiting_run_is_retired_and_takes_no_more_answers(self, store: Store) -> None:
        run = await ask(store, "r1", question("q1"))

        retired = await store.retire(retirement(run, expected=RunStatus.WAITING))

        assert retired.status is RunStatus.CANCELLED
        with pytest.raises(Conflict):
            await store.decide(answers(run, Decision("q1", approved=True), at=4_000))

    async def test_retiring_frees_the_thread(self, store: Store) -> None:
        run = await ask(store, "r1")
        await store.accept(submission("r2", at=1_500))

        await store.retire(retirement(run, expected=RunStatus.WAITING))

        assert [claim.run.id for claim in await store.claim(worker(now=3_000), 9)] == ["r2"]

    async def test_retiring_a_run_further_back_leaves_the_first_in_place(self, store: Store) -> None:
        await start(store, "r1")
        second = await store.accept(submission("r2"))
        await store.accept(submission("r3"))

        await store.retire(retirement(second.run))

        assert await store.claim(worker(now=3_000), 9) == ()

    async def test_retiring_a_run_further_back_does_not_hurry_the_first(self, store: Store) -> None:
        _, lease = await start(store, "r1")
        second = await store.accept(submission("r2"))
        await store.requeue(lease, available_at=50_000, at=2_000)

        await store.retire(retirement(second.run))

        assert await store.claim(worker(now=49_999), 9) == ()

    async def test_a_run_that_moved_on_is_not_retired(self, store: Store) -> None:
        accepted = await store.accept(submission("r1"))
        await store.claim(worker(), 1)

        with pytest.raises(Conflict):
            await store.retire(retirement(accepted.run))

        assert (await reread(store, accepted.run)).status is RunStatus.RUNNING

    async def test_a_run_whose_log_went_on_is_not_retired(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        await store.settle(settlement(lease, RunStatus.WAITING, entries=log(5, 5)))

        with pytest.raises(Conflict):
            await store.retire(retirement(run, expected=RunStatus.WAITING, last_seq=1, entries=log(6, 6)))
        with pytest.raises(Conflict):
            await store.retire(retirement(run, expected=RunStatus.WAITING, last_seq=5, entries=log(3, 3)))

        assert await log_numbers(store, run) == [1, 5]

    async def test_a_running_run_is_never_retired(self, store: Store) -> None:
        run, lease = await start(store, "r1")

        with pytest.raises(Conflict):
            await store.retire(retirement(run))

        assert await store.renew([lease], 99_000) == frozenset()

    async def test_a_request_retires_what_it_supersedes_and_is_leased(self, store: Store) -> None:
        waiting = await ask(store, "r1", question("q1"))
        queued = await store.accept(submission("r2"))
        retire = (
            retirement(waiting, expected=RunStatus.WAITING, messages=(message("result", "tool"),)),
            retirement(queued.run),
        )

        accepted = await store.accept(submission("r3", supersede=True, retire=retire, claim=worker()))

        assert accepted.lease is not None
        assert accepted.cancelling is None
        assert (await reread(store, waiting)).status is RunStatus.CANCELLED
        assert (await reread(store, queued.run)).status is RunStatus.CANCELLED
        assert await message_ids(store, waiting) == ["input of r1", "result", "input of r3"]

    async def test_a_request_with_a_stale_retirement_writes_nothing(self, store: Store) -> None:
        waiting = await ask(store, "r1", question("q1"))
        queued = await store.accept(submission("r2"))
        retire = (retirement(waiting, expected=RunStatus.WAITING), retirement(queued.run, last_seq=7))

        with pytest.raises(Conflict):
            await store.accept(submission("r3", supersede=True, retire=retire))

        assert (await reread(store, waiting)).status is RunStatus.WAITING
        assert await log_numbers(store, waiting) == [1]
        assert await store.get_run(SCOPE, "r3") is None

    async def test_a_request_retires_only_on_its_own_thread(self, store: Store) -> None:
        elsewhere = await store.accept(submission("r1", thread_id="t1"))

        with pytest.raises(Conflict):
            await store.accept(submission("r2", thread_id="t2", retire=(retirement(elsewhere.run),)))

        assert await store.get_thread(SCOPE, "t2") is None
        assert (await reread(store, elsewhere.run)).status is RunStatus.QUEUED
