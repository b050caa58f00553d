"""What processes tell each other, and that a listener outlives its connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from wakeful.contracts.event import ErrorReport
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.mailbox import EntryEdit
from wakeful.contracts.run import Run
from wakeful.contracts.signal import Signal
from wakeful.contracts.store import Interruption
from wakeful.stores.postgres.announcements import heard, payloads
from wakeful.stores.postgres.store import PostgresStore
from wakeful.testing.store_cases.builders import (
    answers,
    ask,
    log,
    message,
    more,
    question,
    retirement,
    settlement,
    start,
    submission,
    worker,
)

Open = Callable[..., Awaitable[PostgresStore]]
Sql = Callable[..., Awaitable[list[Any]]]
MISSED = Signal(missed=True)


class Ear:
    """What a store heard, in order."""

    def __init__(self) -> None:
        self._signals: asyncio.Queue[Signal] = asyncio.Queue()
        self.hear = self._signals.put_nowait

    async def next(self) -> Signal:
        async with asyncio.timeout(10):
            return await self._signals.get()

    @property
    def silent(self) -> bool:
        return self._signals.empty()


@asynccontextmanager
async def listening(store: PostgresStore) -> AsyncIterator[Ear]:
    ear = Ear()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(store.listen(ear.hear))
        assert await ear.next() == MISSED
        yield ear
        task.cancel()


@pytest.fixture
async def ear(open_store: Open) -> AsyncIterator[Ear]:
    """Another process listens."""
    async with listening(await open_store(pool_size=1)) as ear:
        yield ear


async def test_a_queued_request_is_work_and_a_leased_one_is_nobodys_business(store: PostgresStore, ear: Ear) -> None:
    await start(store, "leased", thread_id="t1")
    await store.accept(submission("queued", thread_id="t2"))

    assert await ear.next() == Signal(work=True)
    assert ear.silent


async def test_a_superseding_request_stops_what_runs(store: PostgresStore, ear: Ear) -> None:
    running, _ = await start(store, "r1")

    await store.accept(submission("r2", supersede=True))

    assert await ear.next() == Signal(work=True, logs=(running.key,), superseded=(running.key,))


async def test_input_that_steers_is_told_to_who_carries_the_run(store: PostgresStore, ear: Ear) -> None:
    running, _ = await start(store, "r1")

    await store.accept(submission("r2", mode="steer"))

    assert await ear.next() == Signal(work=True, steers=(running.key,))


async def test_a_batch_of_logs_is_one_signal_and_lost_leases_are_left_out(store: PostgresStore, ear: Ear) -> None:
    runs = [await start(store, f"r{number}", thread_id=f"t{number}") for number in range(3)]
    stale = msgspec.structs.replace(runs[1][1], token=7)

    await store.append([more(runs[0][1], log(2, 9)), more(stale, log(2, 9)), more(runs[2][1], log(2, 2))])

    assert await ear.next() == Signal(logs=(runs[0][0].key, runs[2][0].key))
    assert ear.silent


async def test_what_a_run_takes_in_goes_on_in_both_logs(store: PostgresStore, ear: Ear) -> None:
    run, lease = await start(store, "r1")
    entry = (await store.accept(submission("r2"))).run
    await ear.next()

    ended = retirement(entry, status=RunStatus.COMPLETED, stop_reason="steered")
    await store.absorb(more(lease, log(2, 2)), [ended])

    assert await ear.next() == Signal(logs=(run.key, entry.key))


async def test_an_end_makes_work_where_the_next_run_becomes_due(store: PostgresStore, ear: Ear) -> None:
    alone, lease = await start(store, "r1", thread_id="t1")
    await store.settle(settlement(lease))
    assert await ear.next() == Signal(logs=(alone.key,))

    first, lease = await start(store, "r2", thread_id="t2")
    await store.accept(submission("r3", thread_id="t2"))
    await ear.next()
    await store.settle(settlement(lease))
    assert await ear.next() == Signal(work=True, logs=(first.key,))


@pytest.mark.parametrize(("available_at", "work"), [(2_000, True), (2_001, False)])
async def test_a_run_handed_back_is_work_when_it_is_due_at_once(
    store: PostgresStore, ear: Ear, available_at: int, work: bool
) -> None:
    run, lease = await start(store, "r1")

    await store.requeue(lease, available_at=available_at, at=2_000, error=ErrorReport("model_error", "gone"))

    assert await ear.next() == Signal(work=work, logs=(run.key,))


async def test_an_answer_is_work_when_it_is_the_last(store: PostgresStore, ear: Ear) -> None:
    run = await ask(store, "r1", question("q1"), question("q2"))
    assert await ear.next() == Signal(logs=(run.key,))

    await store.decide(answers(run, Decision("q1", approved=True)))
    await store.decide(answers(run, Decision("q1", approved=True)))
    await store.decide(answers(run, Decision("q2", approved=True)))

    assert await ear.next() == Signal(logs=(run.key,))
    assert await ear.next() == Signal(work=True, logs=(run.key,))
    assert ear.silent


async def test_a_retirement_is_work_when_the_next_run_becomes_due(store: PostgresStore, ear: Ear) -> None:
    run = await ask(store, "r1", question("q1"))
    await store.accept(submission("r2"))
    await ear.next(), await ear.next()

    await store.retire(retirement(run, expected=RunStatus.WAITING))

    assert await ear.next() == Signal(work=True, logs=(run.key,))


async def test_an_interrupt_stops_what_runs_and_ends_what_waits(store: PostgresStore, ear: Ear) -> None:
    running, _ = await start(store, "r1")
    queued = (await store.accept(submission("r2"))).run
    await ear.next()

    await store.interrupt(Interruption(thread_key=running.thread_key, retire=(retirement(queued),), at=2_000))

    assert await ear.next() == Signal(logs=(queued.key, running.key), superseded=(running.key,))


async def test_a_stop_is_told_once_and_is_work_when_it_ends_a_pause(store: PostgresStore, ear: Ear) -> None:
    running, _ = await start(store, "r1", thread_id="t1")
    paused, lease = await start(store, "r2", thread_id="t2")
    await store.requeue(lease, available_at=90_000, at=2_000)
    await ear.next()

    for run in (running, running, paused):
        await store.request_cancel(run.key, 3_000)

    assert await ear.next() == Signal(logs=(running.key,), stops=(running.key,))
    assert await ear.next() == Signal(work=True, logs=(paused.key,), stops=(paused.key,))
    assert ear.silent


async def test_an_edit_goes_on_in_the_log(store: PostgresStore, ear: Ear) -> None:
    run = (await store.accept(submission("r1"))).run
    await ear.next()

    await store.edit_entry(
        EntryEdit(run_key=run.key, revision=1, messages=(message("new"),), entries=log(2, 2), at=2_000)
    )

    assert await ear.next() == Signal(logs=(run.key,))


async def test_a_removed_thread_is_told_to_readers_of_its_open_runs(store: PostgresStore, ear: Ear) -> None:
    done, lease = await start(store, "r1")
    await store.settle(settlement(lease))
    waiting = await ask(store, "r2", question("q1"))
    queued = (await store.accept(submission("r3"))).run
    for run in (done, waiting):
        assert await ear.next() == Signal(logs=(run.key,))
    await ear.next()

    await store.delete_thread(done.thread_key, "reject")

    assert await ear.next() == Signal(logs=(waiting.key, queued.key))


async def test_what_was_undone_is_not_told(store: PostgresStore, ear: Ear) -> None:
    run, lease = await start(store, "r1")
    queued = (await store.accept(submission("r2"))).run
    await ear.next()

    with pytest.raises(Exception, match="went on after"):
        await store.absorb(more(lease, log(2, 2)), [retirement(queued, last_seq=7)])
    await store.append([more(lease, log(2, 2))])

    assert await ear.next() == Signal(logs=(run.key,))
    assert ear.silent


async def test_a_process_does_not_hear_itself(store: PostgresStore, open_store: Open) -> None:
    other = await open_store(pool_size=1)
    async with listening(store) as mine, listening(other) as theirs:
        await store.accept(submission("mine", thread_id="t1"))
        await theirs.next()
        await other.accept(submission("theirs", thread_id="t2"))

        assert await mine.next() == Signal(work=True)
        assert mine.silent


async def test_a_lost_connection_is_made_again_and_says_that_something_was_missed(
    store: PostgresStore, ear: Ear, sql: Sql
) -> None:
    ended = await sql("select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen%'")

    assert len(ended) == 1
    assert await ear.next() == MISSED
    await store.accept(submission("r1"))
    assert await ear.next() == Signal(work=True)


async def test_a_listener_waits_for_a_server_that_restarts(server: Any, store: PostgresStore, ear: Ear) -> None:
    await asyncio.to_thread(server.control, "restart", "-m", "fast")

    assert await ear.next() == MISSED
    await store.accept(submission("r1"))
    assert await ear.next() == Signal(work=True)


async def test_what_another_version_says_is_taken_for_anything(ear: Ear, sql: Sql) -> None:
    await sql("""select pg_notify('wakeful', '{"of": "tomorrow"}')""")

    assert await ear.next() == MISSED


@pytest.mark.parametrize("count", [0, 1, 299, 300, 301, 5_000])
def test_payloads_stay_short_and_name_every_run_once(count: int) -> None:
    largest = 2**63 - 1
    keys = tuple(range(largest - count, largest))
    said = payloads("0123456789abcdef", [Signal(logs=keys), Signal(work=True, stops=keys[:7]), Signal(logs=keys)])

    assert all(len(payload.encode()) < 7_000 for payload in said)
    signals = [signal for payload in said if (signal := heard(payload, by="other"))]
    assert [key for signal in signals for key in signal.logs] == list(keys)
    assert [key for signal in signals for key in signal.stops] == list(keys[:7])
    assert sum(signal.work for signal in signals) == 1
    assert all(heard(payload, by="0123456789abcdef") is None for payload in said)


async def test_a_batch_of_very_many_runs_is_told_in_several_payloads(store: PostgresStore, ear: Ear) -> None:
    runs: list[Run] = []
    batch = []
    for number in range(320):
        run, lease = await start(store, f"r{number}", thread_id=f"t{number}")
        runs.append(run)
        batch.append(more(lease, log(2, 2)))

    await store.append(batch)

    first, second = await ear.next(), await ear.next()
    assert [*first.logs, *second.logs] == [run.key for run in runs]
    assert await store.claim(worker(), 1) == ()
