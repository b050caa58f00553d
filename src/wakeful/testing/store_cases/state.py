"""Store tests: the shared state of a thread."""

# ruff: noqa: S101  (a suite asserts)

from __future__ import annotations

import pytest

from wakeful.contracts.errors import Conflict, LeaseLost
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.json import JsonObject
from wakeful.contracts.run import Lease
from wakeful.contracts.store import Store
from wakeful.testing.store_cases.builders import answers, ask, log, more, question, settlement, start

STATE: JsonObject = {"list": ["milk", None], "deep": {"a": {"b": []}}, "n": 0, "": "empty name"}


class StateCases:
    """`shared_state`, and who writes it."""

    async def test_a_thread_without_shared_state_has_an_empty_one(self, store: Store) -> None:
        run, _ = await start(store, "r1")

        assert await store.shared_state(run.thread_key) == {}

    async def test_shared_state_comes_with_the_log_that_changed_it(self, store: Store) -> None:
        run, lease = await start(store, "r1")

        await store.append([more(lease, log(2, 2), state=STATE)])
        await store.append([more(lease, log(3, 3))])
        assert await store.shared_state(run.thread_key) == STATE
        await store.settle(settlement(lease, state={"last": True}))

        assert await store.shared_state(run.thread_key) == {"last": True}

    async def test_an_emptied_shared_state_is_written(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        await store.append([more(lease, log(2, 2), state=STATE)])

        await store.append([more(lease, log(3, 3), state={})])

        assert await store.shared_state(run.thread_key) == {}

    async def test_who_lost_the_lease_writes_no_shared_state(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        stale = Lease(lease.run_key, lease.dispatch_key, lease.token + 1, lease.until)

        assert await store.append([more(stale, log(2, 2), state=STATE)]) == {run.key}
        with pytest.raises(LeaseLost):
            await store.settle(settlement(stale, state=STATE))

        assert await store.shared_state(run.thread_key) == {}

    async def test_each_thread_has_its_own_shared_state(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        other, _ = await start(store, "r2", thread_id="t2")

        await store.append([more(lease, log(2, 2), state=STATE)])

        assert await store.shared_state(other.thread_key) == {}
        assert await store.shared_state(run.thread_key) == STATE

    async def test_an_answer_may_bring_another_shared_state(self, store: Store) -> None:
        run = await ask(store, "r1", question("q1"))

        await store.decide(answers(run, Decision("q1", approved=True), state=STATE))

        assert await store.shared_state(run.thread_key) == STATE

    async def test_a_repeated_or_refused_answer_leaves_the_shared_state(self, store: Store) -> None:
        run = await ask(store, "r1", question("q1"))
        await store.decide(answers(run, Decision("q1", approved=True), state=STATE))

        await store.decide(answers(run, Decision("q1", approved=True), state={"again": 1}))
        with pytest.raises(Conflict):
            await store.decide(answers(run, Decision("q1", approved=False), state={"other": 1}))

        assert await store.shared_state(run.thread_key) == STATE

    async def test_shared_state_goes_with_its_thread(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        await store.settle(settlement(lease, state=STATE))

        await store.delete_thread(run.thread_key, "detach")
        again, _ = await start(store, "r2")

        assert await store.shared_state(run.thread_key) == {}
        assert await store.shared_state(again.thread_key) == {}
