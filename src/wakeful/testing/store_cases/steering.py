"""Store tests: input that reaches the running run of its thread."""

# ruff: noqa: S101  (a suite asserts)

from __future__ import annotations

import pytest

from wakeful.contracts.errors import Conflict, LeaseLost
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.mailbox import EntryEdit
from wakeful.contracts.run import Run
from wakeful.contracts.store import Retirement, Store
from wakeful.testing.store_cases.builders import (
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


class SteeringCases:
    """`absorb`, and what a claim says about steered input."""

    async def test_a_claim_says_whether_input_for_the_running_run_waits(self, store: Store) -> None:
        for thread_id, modes in {"t1": (), "t2": ("queue",), "t3": ("queue", "steer")}.items():
            await store.accept(submission(f"first on {thread_id}", thread_id=thread_id))
            for mode in modes:
                await store.accept(submission(f"{mode} on {thread_id}", thread_id=thread_id, mode=mode))

        claims = await store.claim(worker(), 9)

        assert [(claim.run.thread_id, claim.steered) for claim in claims] == [
            ("t1", False),
            ("t2", False),
            ("t3", True),
        ]

    async def test_a_steered_run_does_not_steer_itself(self, store: Store) -> None:
        await store.accept(submission("r1", mode="steer"))

        (claim,) = await store.claim(worker(), 1)

        assert not claim.steered

    async def test_entries_end_in_the_running_run(self, store: Store) -> None:
        running, lease = await start(store, "r1")
        entry = await store.accept(submission("r2", mode="steer"))
        steered = message("steered", run_id="r1")

        await store.absorb(more(lease, log(2, 3), messages=(steered,), steps=1), [absorbed(entry.run)])

        done = await reread(store, entry.run)
        assert (done.status, done.stop_reason, done.finished_at) == (RunStatus.COMPLETED, "steered", 3_000)
        assert await log_numbers(store, running) == [1, 2, 3]
        assert await log_numbers(store, entry.run) == [1, 2]
        assert await message_ids(store, running) == ["input of r1", "steered"]
        assert (await reread(store, running)).steps == 1
        await store.settle(settlement(lease))
        assert await store.claim(worker(now=900_000), 9) == ()

    async def test_what_is_absorbed_leaves_the_rest_of_the_queue_alone(self, store: Store) -> None:
        _, lease = await start(store, "r1")
        await store.accept(submission("r2"))
        entry = await store.accept(submission("r3", mode="steer"))
        await store.accept(submission("r4"))

        await store.absorb(more(lease, log(2, 2)), [absorbed(entry.run)])

        assert await store.claim(worker(), 9) == ()
        await store.settle(settlement(lease))
        (claim,) = await store.claim(worker(), 9)
        assert claim.run.id == "r2"
        await store.settle(settlement(claim.lease))
        assert [claim.run.id for claim in await store.claim(worker(), 9)] == ["r4"]

    @pytest.mark.parametrize("case", ["edited", "withdrawn", "elsewhere", "itself"])
    async def test_an_entry_that_changed_is_not_absorbed_and_nothing_is_written(self, store: Store, case: str) -> None:
        running, lease = await start(store, "r1")
        sound = await store.accept(submission("r2", mode="steer"))
        thread_id = "t2" if case == "elsewhere" else "t1"
        entry = (await store.accept(submission("r3", mode="steer", thread_id=thread_id))).run
        ending = absorbed(running if case == "itself" else entry)
        if case == "edited":
            await store.edit_entry(EntryEdit(run_key=entry.key, revision=1, messages=(), entries=log(2, 2), at=1))
        if case == "withdrawn":
            await store.retire(retirement(entry))

        with pytest.raises(Conflict):
            await store.absorb(more(lease, log(2, 2), messages=(message("steered"),)), [absorbed(sound.run), ending])

        assert await log_numbers(store, running) == [1]
        assert await message_ids(store, running) == ["input of r1"]
        assert (await reread(store, sound.run)).status is RunStatus.QUEUED

    async def test_a_run_handed_back_is_not_absorbed(self, store: Store) -> None:
        handed_back, old = await start(store, "r1", thread_id="t2")
        await store.requeue(old, available_at=2_000, at=2_000)
        _, lease = await start(store, "r2")

        with pytest.raises(Conflict):
            await store.absorb(more(lease, log(2, 2)), [absorbed(await reread(store, handed_back))])

    async def test_who_lost_the_lease_absorbs_nothing(self, store: Store) -> None:
        running, lease = await start(store, "r1")
        entry = await store.accept(submission("r2", mode="steer"))
        await store.claim(worker(now=lease.until), 1)

        with pytest.raises(LeaseLost):
            await store.absorb(more(lease, log(2, 2)), [absorbed(entry.run)])

        assert await log_numbers(store, running) == [1]
        assert (await reread(store, entry.run)).status is RunStatus.QUEUED


def absorbed(run: Run) -> Retirement:
    """The end of an entry in the running run."""
    return retirement(run, expected=RunStatus.QUEUED, status=RunStatus.COMPLETED, stop_reason="steered")
