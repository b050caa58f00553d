"""Store tests: what a process asks about runs that another one carries."""

# ruff: noqa: S101  (a suite asserts)

from __future__ import annotations

from wakeful.contracts.query import Orders
from wakeful.contracts.store import Store
from wakeful.testing.store_cases.builders import ask, log, more, question, settlement, start, submission, worker

NOTHING = Orders(frozenset(), frozenset())


class WatchingCases:
    """`last_seqs`, `orders`, `LogPage.leased_until`."""

    async def test_last_numbers_are_told_for_the_runs_that_exist(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        other, _ = await start(store, "r2", thread_id="t2")
        await store.append([more(lease, log(2, 7))])

        assert await store.last_seqs([run.key, other.key, 999]) == {run.key: 7, other.key: 1}
        assert await store.last_seqs([]) == {}

    async def test_a_running_run_is_told_that_it_should_stop(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        assert await store.orders([run.key]) == NOTHING

        await store.request_cancel(run.key, 2_000)
        assert await store.orders([run.key, 999]) == Orders(frozenset({run.key}), frozenset())
        await store.settle(settlement(lease))

        assert await store.orders([run.key]) == NOTHING

    async def test_a_running_run_is_told_of_input_for_it(self, store: Store) -> None:
        run, _ = await start(store, "r1")
        other, _ = await start(store, "r2", thread_id="t2")

        await store.accept(submission("r3", mode="queue", thread_id="t2"))
        await store.accept(submission("r4", mode="steer"))

        assert await store.orders([run.key, other.key]) == Orders(frozenset(), frozenset({run.key}))

    async def test_a_log_says_how_long_its_writer_may_be_silent(self, store: Store) -> None:
        queued = await store.accept(submission("r1"))
        page = await store.read_log(queued.run.key, after=0, limit=9)
        assert page.leased_until == 0

        (claim,) = await store.claim(worker(now=2_000), 1)
        page = await store.read_log(queued.run.key, after=0, limit=9)
        assert page.leased_until == claim.lease.until

        await store.renew([claim.lease], 90_000)
        page = await store.read_log(queued.run.key, after=0, limit=9)
        assert page.leased_until == 90_000

    async def test_nobody_carries_a_run_that_waits(self, store: Store) -> None:
        run = await ask(store, "r1", question("q1"))

        page = await store.read_log(run.key, after=0, limit=9)

        assert page.leased_until == 0
