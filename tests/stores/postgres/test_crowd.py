"""Everything at once: clients that ask, stop and interrupt, workers that carry, in three processes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from wakeful.contracts.errors import Backlogged, Conflict
from wakeful.contracts.lifecycle import FINISHED, RunStatus
from wakeful.contracts.query import RunQuery
from wakeful.contracts.run import Lease
from wakeful.contracts.store import Interruption
from wakeful.stores.postgres.store import PostgresStore
from wakeful.testing.store_cases.builders import SCOPE, log, log_numbers, more, settlement, submission, worker

Sql = Callable[..., Awaitable[list[Any]]]
Deadlocks = Callable[[], Awaitable[int]]


async def test_a_crowd_of_everything_ends_with_every_run_finished(
    stores: Sequence[PostgresStore], sql: Sql, deadlocks: Deadlocks
) -> None:
    crowd = Crowd(stores)

    async with asyncio.timeout(50):
        await asyncio.gather(*(crowd.client(number) for number in range(6)), *(crowd.worker(store) for store in stores))

    assert (await sql("select count(*) from runs where finished_at is null"))[0][0] == 0
    found = await stores[0].list_runs(RunQuery(scope=SCOPE, limit=200))
    assert {run.id for run in found.items} == crowd.accepted
    assert all(run.status in FINISHED for run in found.items)
    for run in found.items:
        numbers = await log_numbers(stores[1], run)
        assert len(numbers) == len(set(numbers))
    assert await deadlocks() == 0


class Crowd:
    """Clients that ask, stop and interrupt on four threads, and workers that carry until nothing is left."""

    def __init__(self, stores: Sequence[PostgresStore]) -> None:
        self.stores = stores
        self.accepted: set[str] = set()
        self.clients = 0

    async def client(self, number: int) -> None:
        self.clients += 1
        for turn in range(10):
            store = self.stores[(number + turn) % 3]
            run_id = f"r{number}.{turn}"
            try:
                accepted = await store.accept(submission(run_id, thread_id=f"t{turn % 4}", max_backlog=8))
            except Backlogged:
                continue
            self.accepted.add(run_id)
            await self._disturb(store, turn, accepted.run.key, accepted.run.thread_key)
        self.clients -= 1

    async def _disturb(self, store: PostgresStore, turn: int, run_key: int, thread_key: int) -> None:
        try:
            if turn % 3 == 1:
                await store.request_cancel(run_key, 2_000)
            elif turn % 3 == 2:
                await store.interrupt(Interruption(thread_key=thread_key, retire=(), at=2_000))
        except Conflict:
            pass

    async def worker(self, store: PostgresStore) -> None:
        while True:
            claims = await store.claim(worker(now=3_000), 2)
            for claim in claims:
                await self._carry(store, claim.lease, claim.last_seq)
            if not claims and not self.clients:
                if (await store.count_runs(SCOPE)).queued == 0:
                    return
                await asyncio.sleep(0)

    async def _carry(self, store: PostgresStore, lease: Lease, last: int) -> None:
        assert await store.append([more(lease, log(last + 1, last + 3))]) == frozenset()
        assert await store.renew([lease], 90_000) == frozenset()
        if last == 1:
            await store.requeue(lease, available_at=2_500, at=2_500)
        else:
            await store.settle(settlement(lease, RunStatus.COMPLETED, entries=log(last + 4, last + 4)))
