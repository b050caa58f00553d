"""Store tests: what a worker writes about the run it carries."""

# ruff: noqa: S101  (a suite asserts)

from __future__ import annotations

import pytest

from wakeful.contracts.errors import Conflict
from wakeful.contracts.event import ErrorReport
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.store import Store
from wakeful.contracts.usage import Usage
from wakeful.testing.store_cases.builders import (
    SCOPE,
    log,
    log_numbers,
    message,
    message_ids,
    more,
    question,
    reread,
    settlement,
    start,
    submission,
    worker,
)


class CarryingCases:
    """`append` and `settle`."""

    async def test_an_append_moves_log_messages_and_counters(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        usage = Usage(input_tokens=10, output_tokens=3)

        lost = await store.append(
            [more(lease, log(2, 4, at=1_700), messages=(message("reply", "assistant"),), steps=2, usage=usage)]
        )

        assert lost == frozenset()
        assert await log_numbers(store, run) == [1, 2, 3, 4]
        assert await message_ids(store, run) == ["input of r1", "reply"]
        now = await reread(store, run)
        assert (now.steps, now.usage, now.updated_at, now.status) == (2, usage, 1_700, RunStatus.RUNNING)
        thread = await store.get_thread(SCOPE, "t1")
        assert thread is not None
        assert (thread.message_count, thread.updated_at) == (2, 1_700)

    async def test_one_lost_lease_does_not_spoil_the_rest_of_a_batch(self, store: Store) -> None:
        lost_run, old = await start(store, "r1", thread_id="t1")
        await store.claim(worker(now=old.until), 1)
        run, lease = await start(store, "r2", thread_id="t2")

        lost = await store.append([more(old, log(2, 2)), more(lease, log(2, 2))])

        assert lost == {lost_run.key}
        assert await log_numbers(store, lost_run) == [1]
        assert await log_numbers(store, run) == [1, 2]

    async def test_a_run_may_come_twice_in_a_batch(self, store: Store) -> None:
        run, lease = await start(store, "r1")

        await store.append([more(lease, log(2, 3), steps=1), more(lease, log(4, 5), steps=2)])

        assert await log_numbers(store, run) == [1, 2, 3, 4, 5]
        assert (await reread(store, run)).steps == 2

    async def test_an_append_without_entries_still_counts(self, store: Store) -> None:
        run, lease = await start(store, "r1")

        await store.append([more(lease, (), messages=(message("late", created_at=1_800),), steps=3)])

        assert (await reread(store, run)).steps == 3
        assert await message_ids(store, run) == ["input of r1", "late"]

    async def test_a_log_may_skip_numbers(self, store: Store) -> None:
        run, lease = await start(store, "r1")

        await store.append([more(lease, log(1_001, 1_002))])

        assert await log_numbers(store, run) == [1, 1_001, 1_002]

    @pytest.mark.parametrize("first", [1, 4, 5, 11])
    async def test_a_log_never_goes_back(self, store: Store, first: int) -> None:
        run, lease = await start(store, "r1")
        await store.append([more(lease, (*log(2, 3), *log(10, 11)))])

        with pytest.raises(Conflict):
            await store.append([more(lease, log(first, first))])
        with pytest.raises(Conflict):
            await store.settle(settlement(lease, entries=log(first, first)))

        assert await log_numbers(store, run) == [1, 2, 3, 10, 11]
        assert (await reread(store, run)).status is RunStatus.RUNNING

    async def test_a_message_appended_again_after_a_crash_is_kept_once(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        await store.append([more(lease, log(2, 2), messages=(message("reply", "assistant"),))])

        await store.append([more(lease, log(3, 3), messages=(message("reply", "assistant"), message("next")))])

        assert await message_ids(store, run) == ["input of r1", "reply", "next"]

    @pytest.mark.parametrize("status", [RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED])
    async def test_a_run_settles_with_everything_at_once(self, store: Store, status: RunStatus) -> None:
        run, lease = await start(store, "r1")
        error = ErrorReport("model_error", "the model is gone") if status is RunStatus.FAILED else None
        usage = Usage(input_tokens=7, reasoning_tokens=2)

        await store.settle(
            settlement(
                lease,
                status,
                stop_reason="max_steps",
                error=error,
                entries=log(2, 3),
                messages=(message("reply", "assistant"),),
                steps=4,
                usage=usage,
                at=2_500,
            )
        )

        now = await reread(store, run)
        assert (now.status, now.stop_reason, now.error, now.steps) == (status, "max_steps", error, 4)
        assert (now.usage, now.updated_at, now.finished_at) == (usage, 2_500, 2_500)
        assert await log_numbers(store, run) == [1, 2, 3]
        assert await message_ids(store, run) == ["input of r1", "reply"]
        assert await store.claim(worker(now=900_000), 9) == ()

    async def test_a_finished_run_frees_its_thread(self, store: Store) -> None:
        _, lease = await start(store, "r1")
        await store.settle(settlement(lease))

        accepted = await store.accept(submission("r2", claim=worker()))

        assert accepted.lease is not None

    async def test_a_waiting_run_is_at_rest_but_not_finished(self, store: Store) -> None:
        run, lease = await start(store, "r1")

        await store.settle(settlement(lease, RunStatus.WAITING, interrupts=(question("q1"), question("q2"))))

        now = await reread(store, run)
        assert (now.status, now.finished_at, now.stop_reason) == (RunStatus.WAITING, None, None)
        records = await store.interrupts(run.key)
        assert [record.interrupt for record in records] == [question("q1"), question("q2")]
        assert [record.decision for record in records] == [None, None]
        assert await store.claim(worker(now=900_000), 9) == ()

    @pytest.mark.parametrize("status", [RunStatus.QUEUED, RunStatus.RUNNING])
    async def test_a_run_does_not_settle_as_unrested(self, store: Store, status: RunStatus) -> None:
        run, lease = await start(store, "r1")

        with pytest.raises(Conflict):
            await store.settle(settlement(lease, status))

        assert await store.renew([lease], 99_000) == frozenset()
        assert (await reread(store, run)).status is RunStatus.RUNNING

    async def test_what_was_taken_back_is_remembered(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        await store.append([more(lease, log(2, 9), voids=((2, 7),))])
        await store.append([more(lease, log(10, 10))])
        assert (await reread(store, run)).voids == ((2, 7),)

        await store.settle(settlement(lease, entries=log(11, 11), voids=((2, 7), (9, 11))))

        assert (await reread(store, run)).voids == ((2, 7), (9, 11))

    async def test_settling_without_a_word_about_it_keeps_what_was_taken_back(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        await store.append([more(lease, log(2, 9), voids=((2, 7),))])

        await store.settle(settlement(lease))

        assert (await reread(store, run)).voids == ((2, 7),)
