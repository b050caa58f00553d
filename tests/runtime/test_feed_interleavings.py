"""Whatever happens in whatever order, every reader sees the log: no gap, no repeat, nothing out of order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wakeful.contracts.event import DELTAS, LogEntry, RunFinished, StepFinished, StepRestarted, TextDelta
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.store import Append, Claim
from wakeful.engine.assignment import Ending
from wakeful.stores.sqlite.store import SQLiteStore

if TYPE_CHECKING:
    from tests.runtime.conftest import Desk

READERS = 3
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("deltas"), st.sampled_from([1, 2, 700])),
        st.tuples(st.sampled_from(["fact", "take", "store", "tell", "refuse", "crash"]), st.just(0)),
        st.tuples(st.sampled_from(["read", "leave", "join"]), st.integers(0, READERS - 1)),
    ),
    max_size=40,
)


class Play:
    """One run, its writer, and readers that come and go."""

    def __init__(self, desk: Desk, claim: Claim) -> None:
        self._desk = desk
        self._claim = claim
        self._writer = desk.writer(claim)
        self._taken: Append | None = None
        self._stored = False
        self._facts = 0
        self.readers = [desk.reader(claim, permits=0, batch=50) for _ in range(READERS)]
        self.seen: list[list[LogEntry]] = [[] for _ in range(READERS)]

    async def act(self, name: str, number: int) -> None:
        await getattr(self, f"_{name}")(number)

    async def finish(self) -> Sequence[LogEntry]:
        """Settle, let everybody read to the end, and give the log."""
        await self._tell(0)
        self._writer.write(RunFinished("completed", "answered"))
        await self._writer.end(Ending(status=RunStatus.COMPLETED, stop_reason="answered"))
        for reader in range(READERS):
            await self._join(reader)
            self.readers[reader].permit(1_000)
        for number, reader in enumerate(self.readers):
            await reader.ended()
            self.seen[number].extend(reader.entries)
        return await self._desk.log(self._claim)

    async def _deltas(self, count: int) -> None:
        self._writer.write(*[TextDelta("x")] * count)

    async def _fact(self, _: int) -> None:
        self._facts += 1
        self._writer.write(StepFinished(self._facts))

    async def _take(self, _: int) -> None:
        if self._taken is None:
            self._taken, self._stored = self._writer.recorder.take(), False

    async def _store(self, _: int) -> None:
        if self._taken is not None and not self._stored:
            await self._desk.store.append([self._taken])
            self._stored = True

    async def _tell(self, _: int) -> None:
        await self._store(0)
        if self._taken is not None:
            self._taken = None
            self._writer.recorder.committed()

    async def _refuse(self, _: int) -> None:
        if self._taken is not None and not self._stored:
            self._taken = None
            self._writer.recorder.untake()

    async def _crash(self, _: int) -> None:
        self._writer.recorder.lost()
        self._taken = None
        self._claim = await self._desk.claim_lost()
        self._writer = self._desk.writer(self._claim)
        self._writer.write(StepRestarted(1, "m", "resumed"))

    async def _read(self, reader: int) -> None:
        self.readers[reader].permit()
        for _ in range(3):
            await self._desk.store.probe()

    async def _leave(self, reader: int) -> None:
        await self.readers[reader].leave()
        self.seen[reader].extend(self.readers[reader].entries)
        self.readers[reader].entries.clear()

    async def _join(self, reader: int) -> None:
        if self.readers[reader].task.done():
            last = self.seen[reader][-1].seq if self.seen[reader] else 1
            self.readers[reader] = self._desk.reader(self._claim, permits=0, batch=50, after=last)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=ACTIONS)
async def test_every_reader_sees_the_log_and_nothing_but_what_was_void(make_desk: Any, actions: list[tuple[str, int]]):
    store = SQLiteStore(":memory:")
    await store.open()
    desk: Desk = make_desk(store)
    play = Play(desk, await desk.claim())
    for name, number in actions:
        await play.act(name, number)

    async with asyncio.timeout(20):
        log = (await play.finish())[1:]
    await store.aclose()

    durable = {entry.seq: entry for entry in log}
    for seen in play.seen:
        numbers = [entry.seq for entry in seen]
        assert numbers == sorted(set(numbers))
        assert [entry for entry in seen if entry.seq in durable] == list(log)
        void = [entry for entry in seen if entry.seq not in durable]
        assert all(type(entry.event) in DELTAS for entry in void)
        assert all(isinstance(next_fact(log, entry.seq), StepRestarted) for entry in void)


def next_fact(log: Sequence[LogEntry], seq: int) -> object:
    return next(entry.event for entry in log if entry.seq > seq)


@pytest.fixture
def make_desk(desk: Desk) -> Any:
    """Makes desks: Hypothesis runs many examples within one test."""
    return type(desk)
