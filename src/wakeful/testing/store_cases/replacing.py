"""Store tests: a run that takes the place of earlier messages."""

# ruff: noqa: S101  (a suite asserts)

from __future__ import annotations

from typing import Any

import pytest

from wakeful.contracts.errors import BadRequest
from wakeful.contracts.query import MessageQuery
from wakeful.contracts.run import Run
from wakeful.contracts.store import Store
from wakeful.testing.store_cases.builders import (
    SCOPE,
    log,
    message,
    message_ids,
    more,
    reread,
    settlement,
    start,
    submission,
    worker,
)


class ReplacingCases:
    """`Submission.replace_from`: the old branch leaves the history and stays readable."""

    async def test_a_run_that_begins_at_once_replaces_what_follows(self, store: Store) -> None:
        first = await turn(store, "r1")

        run, _ = await start(store, "r2", replace_from="answer of r1")

        assert await message_ids(store, run) == ["input of r1", "input of r2"]
        assert await replaced(store, run) == ["answer of r1"]
        assert await replaced(store, first) == []

    async def test_a_queued_run_replaces_when_it_begins(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        await store.accept(submission("r2", replace_from="input of r1"))
        late = message("answer of r1", "assistant", run_id="r1")
        await store.append([more(lease, log(2, 2), messages=(late,))])
        before = await message_ids(store, run)

        await store.settle(settlement(lease))
        (claim,) = await store.claim(worker(now=5_000), 9)

        assert before == ["input of r1", "answer of r1"]
        assert await message_ids(store, run) == ["input of r2"]
        assert await replaced(store, claim.run) == ["input of r1", "answer of r1"]

    async def test_a_message_may_come_again_under_the_id_it_had(self, store: Store) -> None:
        await turn(store, "r1")
        edited = message("input of r1", created_at=9)

        run, _ = await start(store, "r2", messages=(edited,), replace_from="input of r1")

        assert await message_ids(store, run) == ["input of r1"]
        assert await replaced(store, run) == ["input of r1", "answer of r1"]

    async def test_what_is_not_there_cannot_be_replaced(self, store: Store) -> None:
        run = await turn(store, "r1")

        with pytest.raises(BadRequest):
            await store.accept(submission("r2", replace_from="nothing"))

        assert await store.get_run(SCOPE, "r2") is None
        assert await message_ids(store, run) == ["input of r1", "answer of r1"]

    async def test_counts_and_pages_are_those_of_the_present_branch(self, store: Store) -> None:
        run = await turn(store, "r1")
        await start(store, "r2", replace_from="answer of r1")

        page = await store.list_messages(MessageQuery(thread_key=run.thread_key, visibility=None, limit=1))
        old = await store.list_messages(MessageQuery(thread_key=run.thread_key, replaced_by="r2", limit=1))
        thread = await store.get_thread(SCOPE, "t1")

        assert thread is not None
        assert (page.total, page.has_more, thread.message_count) == (2, True, 2)
        assert (old.total, old.has_more) == (1, False)

    async def test_a_branch_can_be_replaced_as_well(self, store: Store) -> None:
        await turn(store, "r1")
        second = await turn(store, "r2", replace_from="answer of r1")

        third, _ = await start(store, "r3", replace_from="input of r2")

        assert await message_ids(store, third) == ["input of r1", "input of r3"]
        assert await replaced(store, second) == ["answer of r1"]
        assert await replaced(store, third) == ["input of r2", "answer of r2"]


async def turn(store: Store, run_id: str, **changes: Any) -> Run:
    """A run that answered."""
    run, lease = await start(store, run_id, **changes)
    answer = message(f"answer of {run_id}", "assistant", run_id=run_id)
    await store.settle(settlement(lease, messages=(answer,)))
    return await reread(store, run)


async def replaced(store: Store, run: Run) -> list[str]:
    """The ids of the messages that a run took the place of."""
    query = MessageQuery(thread_key=run.thread_key, replaced_by=run.id, visibility=None, limit=100)
    return [one.id for _, one in (await store.list_messages(query)).items]
