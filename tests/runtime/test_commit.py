"""Group commit: what waits is written together, and nobody keeps the store to himself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from wakeful.contracts.codec import entry
from wakeful.contracts.event import TextDelta
from wakeful.contracts.run import Lease
from wakeful.contracts.store import Append
from wakeful.runtime.commit import MOST_EVENTS, GroupCommit
from wakeful.testing.clock import FakeClock


class Counting:
    """A store that only counts: how many events came in each transaction."""

    def __init__(self) -> None:
        self.transactions: list[int] = []

    async def append(self, appends: Sequence[Append]) -> frozenset[int]:
        self.transactions.append(sum(len(append.entries) for append in appends))
        return frozenset()


class Talker:
    """A run with so many events to write."""

    def __init__(self, key: int, events: int) -> None:
        self.durable = asyncio.Event()
        self._append: Append | None = Append(
            lease=Lease(key, key, 1, 0),
            entries=tuple(entry(i + 1, 0, TextDelta("x")) for i in range(events)),
            messages=(),
            steps=0,
            usage=None,  # type: ignore[arg-type]  # nobody reads it
        )

    def take(self) -> Append | None:
        taken, self._append = self._append, None
        return taken

    def committed(self) -> None:
        self.durable.set()

    def untake(self) -> None: ...

    def lost(self) -> None: ...


async def written(*talkers: Talker) -> list[int]:
    """The transactions it takes to write them all."""
    store: Any = Counting()
    group = GroupCommit(store, FakeClock())
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(group.run())
        for talker in talkers:
            group.mark(talker, urgent=True)
        async with asyncio.timeout(10):
            for talker in talkers:
                await talker.durable.wait()
        running.cancel()
    return store.transactions


async def test_what_waits_is_written_in_one_transaction() -> None:
    assert await written(*(Talker(key, 10) for key in range(50))) == [500]


async def test_a_flood_is_written_in_several_transactions_and_nothing_is_left() -> None:
    floods = await written(*(Talker(key, 1000) for key in range(10)))

    assert sum(floods) == 10_000
    assert all(events < MOST_EVENTS + 1000 for events in floods)
    assert len(floods) == 2


async def test_one_run_with_very_much_is_written_whole_and_others_come_next() -> None:
    assert await written(Talker(1, MOST_EVENTS * 2), Talker(2, 1)) == [MOST_EVENTS * 2, 1]
