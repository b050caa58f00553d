"""The case `commits`: a store alone, without a server: requests accepted, logs grown, runs settled."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from bench.lab import has_postgres, postgres
from bench.machine import cpu_seconds
from bench.measured import Measured, Spent
from bench.plan import Plan
from wakeful.bootstrap.plugs import open_store
from wakeful.contracts.run import Lease
from wakeful.contracts.store import Store
from wakeful.stores.sqlite.store import SQLiteStore
from wakeful.testing.store_cases.builders import leased, log, message, more, settlement, submission, worker

RUNS_PER_SECOND = 250
"""How many runs are made for each second that `--seconds` allows; what they take is what is measured."""
BATCH = 32
"""Runs whose logs grow in one transaction, as the server's group commit writes them."""
DELTAS = 8
APPENDS = 5
"""How often each run's log grows, by so many deltas."""

Step = Callable[[int], Awaitable[object]]


class Measuring:
    """What a store and this process take for many of one kind of write."""

    def __init__(self, name: str, database: int | None, writers: int) -> None:
        self._name = name
        self._database = database
        self._writers = writers

    async def many(self, what: str, unit: str, count: int, step: Step, *, each: int = 1) -> Measured:
        """So many steps by several writers at once, each of so many units."""
        taken: list[float] = []
        numbers = iter(range(count))

        async def write() -> None:
            for number in numbers:
                asked = time.perf_counter()
                await step(number)
                taken.append(1000 * (time.perf_counter() - asked))

        began, cpu, database = time.perf_counter(), time.process_time(), self._database_seconds()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._writers):
                tasks.create_task(write())
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        now = self._database_seconds()
        spent = Spent(seconds, cpu, None if now is None or database is None else now - database)
        what = f"{what}, {self._name}"
        return Measured(case="commits", what=what, unit=unit, units=count * each, spent=spent, latency=taken)

    def alone(self) -> Measuring:
        """The same with one writer."""
        return Measuring(self._name, self._database, 1)

    def _database_seconds(self) -> float | None:
        return None if self._database is None else cpu_seconds(self._database)


async def commits(plan: Plan) -> Sequence[Measured]:
    """Every store that can be had here."""
    found: list[Measured] = []
    runs = max(BATCH, round(RUNS_PER_SECOND * plan.seconds))
    async with _sqlite() as stores:
        for name, store in stores:
            found += await _life(store, Measuring(name, None, plan.clients), runs)
    if has_postgres():
        with _postgres() as (store, pid):
            await store.open()
            found += await _life(store, Measuring("PostgreSQL", pid, plan.clients), runs)
            await store.aclose()
    return found


@asynccontextmanager
async def _sqlite() -> AsyncGenerator[Sequence[tuple[str, Store]]]:
    """SQLite in memory, and in a file with either promise about a loss of power."""
    with tempfile.TemporaryDirectory(prefix="wakeful-bench-") as name:
        stores: list[tuple[str, Store]] = [
            ("memory", SQLiteStore(":memory:")),
            ("SQLite normal", SQLiteStore(Path(name) / "normal.db", synchronous="normal")),
            ("SQLite full", SQLiteStore(Path(name) / "full.db", synchronous="full")),
        ]
        for _, store in stores:
            await store.open()
        yield stores
        for _, store in stores:
            await store.aclose()


@contextmanager
def _postgres() -> Generator[tuple[Store, int]]:
    with postgres() as database:
        yield open_store(database.url("postgres")), database.pid


async def _life(store: Store, measuring: Measuring, runs: int) -> Sequence[Measured]:
    """Accept runs, let their logs grow together, settle them."""
    leases: dict[int, Lease] = {}

    async def accept(number: int) -> None:
        asked = submission(f"r{number}", thread_id=f"t{number}", claim=worker())
        leases[number] = leased(await store.accept(asked))

    async def append(number: int) -> None:
        turn, batch = divmod(number, len(batches))
        first = 2 + turn * DELTAS
        await store.append([more(leases[one], log(first, first + DELTAS - 1)) for one in batches[batch]])

    async def settle(number: int) -> None:
        reply = message(f"reply of r{number}", "assistant")
        last = 2 + APPENDS * DELTAS
        await store.settle(settlement(leases[number], entries=log(last, last + 2), messages=(reply,)))

    batches = [range(first, min(first + BATCH, runs)) for first in range(0, runs, BATCH)]
    accepted = await measuring.many("accepts", "run", runs, accept)
    # One at a time, as the server's one task does.
    alone = measuring.alone()
    per_batch = round(runs / len(batches) * DELTAS)
    appended = await alone.many("appends", "event", APPENDS * len(batches), append, each=per_batch)
    return [accepted, appended, await measuring.many("settles", "run", runs, settle)]
