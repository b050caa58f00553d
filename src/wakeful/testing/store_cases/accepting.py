"""Store tests: accepting requests."""

# ruff: noqa: S101  (a suite asserts)

from __future__ import annotations

import asyncio

import msgspec
import pytest

from wakeful.contracts.errors import Backlogged, Conflict
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.run import FrontendTool, RunOptions
from wakeful.contracts.store import Store
from wakeful.testing.store_cases.builders import (
    LEASE,
    SCOPE,
    ask,
    leased,
    log,
    log_numbers,
    message,
    message_ids,
    more,
    reread,
    retirement,
    settlement,
    start,
    submission,
    worker,
)


class AcceptingCases:
    """`accept`, except for its retirements."""

    async def test_a_request_creates_thread_run_and_log(self, store: Store) -> None:
        options = RunOptions(frontend_tools=(FrontendTool("pick", "Pick one", {"type": "object"}),), context="page 7")

        accepted = await store.accept(submission("r1", options=options, parent_run_id="r0", entries=log(1, 3)))

        run = accepted.run
        assert (run.id, run.thread_id, run.scope, run.agent_id) == ("r1", "t1", SCOPE, "assistant")
        assert (run.status, run.attempt, run.started_at, run.finished_at) == (RunStatus.QUEUED, 0, None, None)
        assert (run.created_at, run.updated_at, run.origin, run.parent_run_id) == (1_000, 1_000, "native", "r0")
        assert run.options == options
        assert await log_numbers(store, run) == [1, 2, 3]
        thread = await store.get_thread(SCOPE, "t1")
        assert thread is not None
        assert (thread.created_at, thread.updated_at, thread.latest_agent_id) == (1_000, 1_000, "assistant")
        assert accepted.lease is None
        assert accepted.cancelling is None
        assert not accepted.replayed

    async def test_a_run_that_is_leased_at_once_begins_with_its_start(self, store: Store) -> None:
        accepted = await store.accept(submission("r1", claim=worker(), started=log(2, 3)))

        assert await log_numbers(store, accepted.run) == [1, 2, 3]
        with pytest.raises(Conflict):
            await store.append([more(leased(accepted), log(3, 3))])
        assert not await store.append([more(leased(accepted), log(4, 4))])

    async def test_a_run_that_has_to_wait_begins_without_its_start(self, store: Store) -> None:
        await start(store, "r1")

        accepted = await store.accept(submission("r2", claim=worker(), started=log(2, 3)))

        assert await log_numbers(store, accepted.run) == [1]
        (waiting,) = await store.mailbox(accepted.run.thread_key)
        assert waiting.revision == 1

    @pytest.mark.parametrize("thread_id", ["t1", "t2"])
    async def test_the_run_is_told_as_it_is_stored(self, store: Store, thread_id: str) -> None:
        await start(store, "r1")
        options = RunOptions(context="page 7", state={"items": [1, 2.5, None]})

        accepted = await store.accept(
            submission("r2", thread_id=thread_id, options=options, parent_run_id="r0", claim=worker(now=1_007))
        )

        assert accepted.run == await reread(store, accepted.run)

    async def test_input_joins_the_thread_only_when_its_run_is_claimed(self, store: Store) -> None:
        accepted = await store.accept(submission("r1"))
        before = await message_ids(store, accepted.run)

        await store.claim(worker(), 1)

        assert before == []
        assert await message_ids(store, accepted.run) == ["input of r1"]

    async def test_a_request_can_be_leased_as_it_is_accepted(self, store: Store) -> None:
        accepted = await store.accept(submission("r1", claim=worker(now=1_500)))

        lease = leased(accepted)
        assert (lease.run_key, lease.token, lease.until) == (accepted.run.key, 1, 1_500 + LEASE)
        assert (accepted.run.status, accepted.run.attempt) == (RunStatus.RUNNING, 1)
        assert accepted.run.started_at == 1_500
        assert await message_ids(store, accepted.run) == ["input of r1"]
        assert await store.claim(worker(now=1_500), 9) == ()

    async def test_a_request_on_a_busy_thread_is_not_leased(self, store: Store) -> None:
        await start(store, "running", thread_id="t1")
        await ask(store, "waiting", thread_id="t2")
        await store.accept(submission("queued", thread_id="t3"))

        for thread_id in ("t1", "t2", "t3"):
            accepted = await store.accept(submission(f"next on {thread_id}", thread_id=thread_id, claim=worker()))

            assert accepted.lease is None
            assert accepted.run.status is RunStatus.QUEUED

    async def test_a_message_the_thread_already_has_is_left_out(self, store: Store) -> None:
        first, lease = await start(store, "r1", messages=(message("a"), message("b")))
        await store.settle(settlement(lease))

        await start(store, "r2", messages=(message("a"), message("c"), message("c"), message("b"), message("d")))

        assert await message_ids(store, first) == ["a", "b", "c", "d"]

    async def test_the_same_request_sent_again_is_answered_with_the_first_run(self, store: Store) -> None:
        first = await store.accept(submission("r1"))

        again = await store.accept(submission("r1", at=9_000, claim=worker(now=9_000)))

        assert again.replayed
        assert (again.run, again.dispatch_id, again.lease) == (first.run, first.dispatch_id, None)
        assert await log_numbers(store, first.run) == [1]
        thread = await store.get_thread(SCOPE, "t1")
        assert thread is not None
        assert thread.updated_at == 1_000

    async def test_an_idempotency_key_recognises_a_request_under_new_ids(self, store: Store) -> None:
        first = await store.accept(submission("r1", idempotency_key="k", digest="d"))

        again = await store.accept(submission("r2", thread_id="t2", idempotency_key="k", digest="d"))

        assert again.replayed
        assert again.run == first.run
        assert await store.get_run(SCOPE, "r2") is None
        assert await store.get_thread(SCOPE, "t2") is None

    @pytest.mark.parametrize(
        "changes",
        [
            {"run_id": "r1", "digest": "other"},
            {"run_id": "r1", "thread_id": "t2"},
            {"idempotency_key": "k", "digest": "other"},
            {"run_id": "r0", "idempotency_key": "k", "digest": "digest of r1"},
        ],
        ids=["run id, other digest", "run id, other thread", "key, other digest", "run id and key of different runs"],
    )
    async def test_an_identity_taken_by_another_request_is_a_conflict(
        self, store: Store, changes: dict[str, str]
    ) -> None:
        await store.accept(submission("r0", digest="digest of r1"))
        await store.accept(submission("r1", idempotency_key="k"))
        other = submission("r2", thread_id=changes.get("thread_id", "t1"))

        with pytest.raises(Conflict):
            await store.accept(msgspec.structs.replace(other, **{"digest": "digest of r1", **changes}))

        assert await store.get_run(SCOPE, "r2") is None
        assert await store.get_thread(SCOPE, "t2") is None

    async def test_ids_are_unique_within_a_scope_only(self, store: Store) -> None:
        ours = await store.accept(submission("r1", idempotency_key="k"))

        theirs = await store.accept(submission("r1", scope="other", idempotency_key="k", digest="other"))

        assert theirs.run.key != ours.run.key
        assert theirs.run.thread_key != ours.run.thread_key

    async def test_superseding_asks_the_running_run_to_stop(self, store: Store) -> None:
        running, _ = await start(store, "r1")

        accepted = await store.accept(submission("r2", supersede=True, claim=worker()))

        assert accepted.cancelling == running.key
        assert accepted.lease is None
        (again,) = await store.claim(worker(now=1_000 + LEASE), 9)
        assert (again.run.id, again.cancel) == ("r1", True)

    async def test_superseding_leaves_no_other_run_in_the_way(self, store: Store) -> None:
        await store.accept(submission("queued", thread_id="t1"))
        await ask(store, "waiting", thread_id="t2")
        await start(store, "running", thread_id="t3")
        await store.accept(submission("behind", thread_id="t3"))

        for thread_id in ("t1", "t2", "t3"):
            with pytest.raises(Conflict):
                await store.accept(submission("r2", thread_id=thread_id, supersede=True))

        assert await store.get_run(SCOPE, "r2") is None

    async def test_a_request_without_supersede_leaves_the_running_run_alone(self, store: Store) -> None:
        running, lease = await start(store, "r1")

        accepted = await store.accept(submission("r2"))

        assert accepted.cancelling is None
        await store.settle(settlement(lease))
        assert (await reread(store, running)).status is RunStatus.COMPLETED

    async def test_one_request_sent_many_times_at_once_makes_one_run(self, store: Store) -> None:
        sent = [store.accept(submission("r1", claim=worker())) for _ in range(20)]

        accepted = await asyncio.gather(*sent)

        assert sum(not one.replayed for one in accepted) == 1
        assert sum(one.lease is not None for one in accepted) == 1
        assert len({one.run.key for one in accepted}) == 1

    async def test_of_many_requests_at_once_on_one_thread_one_is_leased(self, store: Store) -> None:
        sent = [store.accept(submission(f"r{number}", claim=worker())) for number in range(20)]

        accepted = await asyncio.gather(*sent)

        assert [leased(one).run_key for one in accepted if one.lease] == [min(one.run.key for one in accepted)]

    async def test_a_full_thread_takes_no_more(self, store: Store) -> None:
        running, _ = await start(store, "r1", max_backlog=2)
        before = (await store.accept(submission("r2", max_backlog=2))).run

        with pytest.raises(Backlogged) as caught:
            await store.accept(submission("r3", max_backlog=2, at=9_000))

        assert caught.value.retry_after == 1
        assert await store.get_run(SCOPE, "r3") is None
        assert [run.id for run, _ in await store.open_runs(running.thread_key)] == ["r1", "r2"]
        thread = await store.get_thread(SCOPE, "t1")
        assert thread is not None
        assert thread.updated_at == before.updated_at

    async def test_a_full_thread_still_knows_what_it_took(self, store: Store) -> None:
        await start(store, "r1")
        await store.accept(submission("r2"))

        again = await store.accept(submission("r2", max_backlog=1))

        assert again.replayed

    async def test_a_request_counts_after_what_it_supersedes_has_ended(self, store: Store) -> None:
        running, _ = await start(store, "r1")
        queued = [(await store.accept(submission(f"r{number}"))).run for number in (2, 3)]
        retire = tuple(retirement(run) for run in queued)

        with pytest.raises(Backlogged):
            await store.accept(submission("r4", supersede=True, retire=retire, max_backlog=1))
        assert not (await store.claim(worker(now=1_000 + LEASE), 1))[0].cancel
        assert [run.id for run, _ in await store.open_runs(running.thread_key)] == ["r1", "r2", "r3"]

        accepted = await store.accept(submission("r4", supersede=True, retire=retire, max_backlog=2))
        assert accepted.cancelling == running.key

    async def test_a_free_thread_always_takes_one(self, store: Store) -> None:
        assert (await store.accept(submission("r1", max_backlog=0))).run.id == "r1"
