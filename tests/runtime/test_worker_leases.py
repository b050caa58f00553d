"""Leases that are not renewed in time: a worker that is cut off from its store stops by its own clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

import pytest
from tests.runtime.conftest import Valve

from wakeful.contracts.errors import StoreUnavailable
from wakeful.contracts.event import RunFinished, StepRestarted, StepStarted, TextDelta, ToolCallStarted
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.tool import ToolContext
from wakeful.providers.scripted import Reply, ScriptedProvider, call
from wakeful.runtime.worker import SWEEP_MS
from wakeful.sdk.tool import tool
from wakeful.stores.sqlite.store import SQLiteStore

if TYPE_CHECKING:
    from pathlib import Path

    from tests.runtime.conftest import House

    from wakeful.contracts.event import Event
    from wakeful.runtime.receipt import Receipt
    from wakeful.runtime.runtime import Runtime

LEASE_MS = 30_000
RENEW_MS = 10_000
LAST_MS = 25_000
"""How long a lease is relied upon that is not renewed."""
AWAY = ("renew", "claim", "append", "settle", "requeue", "read_log")


async def idle(runtime: Runtime) -> None:
    """Return when it carries nothing."""
    async with asyncio.timeout(5):
        while runtime.worker.active:  # noqa: ASYNC110  nothing tells when a place is left
            await asyncio.sleep(0)


class Cut:
    """A worker that can be cut off from its store, and a tool that waits until cancelled, and then for `let_go`."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.cancelled = asyncio.Event()
        self.following = asyncio.Event()
        self.let_go = asyncio.Event()
        self.let_go.set()
        self.seen: list[Event] = []
        self.reader: asyncio.Task[None] | None = None

        @tool
        async def wait(context: ToolContext) -> str:
            """Wait."""
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled.set()
                await self.let_go.wait()
                context.progress("one more thing")
            return "never"

        house.tool(wait)

    async def begin(self, *replies: Reply) -> tuple[Runtime, Receipt]:
        """A run that waits in its tool, under a lease granted now, with a reader in the same process."""
        runtime = await self.house.open(call("wait"), *replies)
        receipt = await self.house.submit()
        await self.house.seen(receipt, ToolCallStarted)
        self.reader = asyncio.create_task(self._read(runtime, receipt))
        async with asyncio.timeout(5):
            await self.following.wait()
        await self.house.clock.until_due(self.house.clock.now() + RENEW_MS)
        return runtime, receipt

    async def pass_time(self, milliseconds: int) -> None:
        """Let time pass at once, as for a process that was held up, until the worker has done what it does then."""
        self.house.clock.advance(milliseconds)
        await self.house.clock.until_due(self.house.clock.now() + SWEEP_MS)
        for _ in range(20):
            await self.house.runtimes[0].store.probe()

    async def stopped(self, runtime: Runtime) -> None:
        """Return when the tool was cancelled and nothing is carried any more."""
        async with asyncio.timeout(5):
            await self.cancelled.wait()
        await idle(runtime)

    async def _read(self, runtime: Runtime, receipt: Receipt) -> None:
        with suppress(StoreUnavailable):
            async with aclosing(runtime.feed.follow(receipt.run.key, after=0)) as batches:
                async for batch in batches:
                    self.seen.extend(entry.event for entry in batch)
                    if isinstance(self.seen[-1], ToolCallStarted):
                        self.following.set()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of the house's stores."""
    return tmp_path / "wakeful.db"


@pytest.fixture
async def cut(house: House) -> AsyncIterator[Cut]:
    """Others may reach the store while this process does not."""
    house.valve.remote = True
    cut = Cut(house)
    yield cut
    cut.let_go.set()
    if cut.reader is not None:
        cut.reader.cancel()
        await asyncio.wait([cut.reader])


@pytest.mark.parametrize("fault", ["fails", "hangs"])
async def test_a_run_whose_lease_is_not_renewed_stops_before_others_may_claim_it(cut: Cut, fault: str) -> None:
    runtime, _ = await cut.begin()
    granted = cut.house.clock.now()
    cut.house.valve.refused.update(AWAY)
    if fault == "hangs":
        cut.house.valve.hold("renew")

    await cut.pass_time(LAST_MS - 1)
    early = cut.cancelled.is_set()
    await cut.pass_time(SWEEP_MS)
    await cut.stopped(runtime)

    assert not early
    assert cut.house.clock.now() < granted + LEASE_MS
    assert runtime.running


async def test_who_reads_on_the_side_that_is_cut_off_sees_nothing_more_and_no_end(cut: Cut) -> None:
    runtime, _ = await cut.begin()
    cut.let_go.clear()
    cut.house.valve.refused.update(AWAY)

    await cut.pass_time(LAST_MS)
    assert cut.reader is not None
    async with asyncio.timeout(5):
        await cut.reader  # it asked the store, which is away, while the tool does not stop yet
    carried = runtime.worker.active
    cut.let_go.set()
    await cut.stopped(runtime)

    assert carried == 1
    assert isinstance(cut.seen[-1], ToolCallStarted)


async def test_each_renewal_counts_from_when_it_was_sent(cut: Cut) -> None:
    runtime, _ = await cut.begin()
    answer = cut.house.valve.hold("renew")
    cut.house.clock.advance(RENEW_MS)
    sent = cut.house.clock.now()
    await cut.house.valve.called("renew")
    await cut.pass_time(RENEW_MS)
    cut.house.valve.refused.update(AWAY)
    cut.house.valve.refused.remove("renew")
    answer.set()
    await cut.house.clock.until_due(cut.house.clock.now() + RENEW_MS)
    cut.house.valve.refused.add("renew")

    await cut.pass_time(sent + LAST_MS - 1 - cut.house.clock.now())
    early = cut.cancelled.is_set()
    await cut.pass_time(SWEEP_MS)
    await cut.stopped(runtime)

    assert not early


async def test_a_process_that_was_held_up_for_longer_than_a_lease_stops_before_it_does_anything_else(cut: Cut) -> None:
    runtime, receipt = await cut.begin("I cannot tell.")

    cut.house.clock.advance(LEASE_MS + 1)
    await cut.stopped(runtime)
    events = await cut.house.events(receipt)

    run = await cut.house.run(receipt)
    assert isinstance(events[-1], RunFinished)
    assert (run.status, run.attempt) == (RunStatus.COMPLETED, 2)
    assert (await cut.house.history(receipt))[-1].text == "I cannot tell."


async def test_a_claim_of_which_word_comes_late_is_renewed_before_it_is_carried(cut: Cut) -> None:
    accepting = cut.house.valve.hold("accept")
    await cut.house.open("Hi")
    submitting = asyncio.create_task(cut.house.submit())
    await cut.house.valve.called("accept")

    await cut.pass_time(LAST_MS)
    cut.house.valve.calls.clear()
    renewing = cut.house.valve.hold("renew")
    accepting.set()
    await cut.house.valve.called("renew")
    await cut.pass_time(SWEEP_MS)
    renewing.set()
    await cut.house.events(await submitting)

    assert cut.house.valve.calls.index("renew") < cut.house.valve.calls.index("settle")
    assert (await cut.house.run(await submitting)).attempt == 1


async def test_a_claim_of_which_word_comes_late_is_not_carried_when_it_cannot_be_renewed(cut: Cut) -> None:
    accepting = cut.house.valve.hold("accept")
    cut.house.valve.refused.add("renew")
    runtime = await cut.house.open("Hi", "never asked for")
    submitting = asyncio.create_task(cut.house.submit())
    await cut.house.valve.called("accept")

    await cut.pass_time(LAST_MS)
    accepting.set()
    receipt = await submitting
    cut.house.valve.calls.clear()
    await cut.house.clock.until_due(cut.house.clock.now() + SWEEP_MS)
    await idle(runtime)
    before = (await cut.house.run(receipt)).steps
    cut.house.clock.advance(LEASE_MS)
    await cut.house.events(receipt)

    assert before == 0
    assert (await cut.house.run(receipt)).attempt == 2


async def test_an_answer_that_is_complete_is_still_written_when_the_store_comes_back(cut: Cut) -> None:
    cut.house.valve.refused.add("settle")
    runtime = await cut.house.open("Hi")
    receipt = await cut.house.submit()
    await cut.house.valve.called("settle")
    await cut.house.clock.until_due(cut.house.clock.now() + RENEW_MS)
    cut.house.valve.refused.update(AWAY)

    await cut.pass_time(LAST_MS)
    await cut.pass_time(SWEEP_MS)
    carried = runtime.worker.active
    cut.house.valve.refused.clear()
    cut.house.clock.advance(SWEEP_MS)
    await cut.house.events(receipt)

    run = await cut.house.run(receipt)
    assert carried == 1
    assert (run.status, run.attempt) == (RunStatus.COMPLETED, 1)


async def test_a_renewal_that_hangs_is_given_up_and_sent_again(cut: Cut) -> None:
    await cut.house.open([TextDelta("Hi"), asyncio.Event()], lease_seconds=1)
    await cut.house.seen(await cut.house.submit(), TextDelta("Hi"))
    cut.house.valve.hold("renew")
    await cut.house.clock.until_due(cut.house.clock.now() + 333)

    cut.house.clock.advance(333)
    await cut.house.valve.called("renew")
    async with asyncio.timeout(10):
        await cut.house.clock.until_due(cut.house.clock.now() + 250)
    cut.house.clock.advance(250)

    await cut.house.valve.called("renew", 2)


async def test_a_store_of_this_host_alone_is_waited_for(cut: Cut) -> None:
    cut.house.valve.remote = False
    runtime, receipt = await cut.begin("Done.")
    cut.house.valve.refused.update(AWAY)

    await cut.pass_time(LEASE_MS + SWEEP_MS)
    await cut.pass_time(SWEEP_MS)
    carried = (runtime.worker.active, cut.cancelled.is_set())
    cut.house.valve.refused.clear()
    cut.house.clock.advance(SWEEP_MS)
    await cut.house.control.cancel(await cut.house.run(receipt))
    await cut.house.events(receipt)

    run = await cut.house.run(receipt)
    assert carried == (1, False)
    assert (run.status, run.attempt) == (RunStatus.CANCELLED, 1)


async def test_a_lost_run_that_is_handed_back_untouched_gives_no_number_again_that_was_shown(
    house: House, path: Path
) -> None:
    gate = asyncio.Event()
    first = await house.open([gate, TextDelta("Half"), asyncio.Event()])
    receipt = await house.submit()
    await house.seen(receipt, StepStarted)
    house.valve.refused.add("append")
    gate.set()
    shown = await house.seen(receipt, TextDelta("Half"))
    await house.crash(first)
    house.outlive_leases()

    closing = Valve(SQLiteStore(path, readers=1))
    resolving = closing.hold("history")
    second = house.built(ScriptedProvider([]), closing.store)
    await second.start()
    await closing.called("history")
    second.begin_drain()
    resolving.set()
    await second.drained()
    await house.open("All.")
    entries = await house.entries(receipt, after=0)

    again = [entry.seq for entry in entries if isinstance(entry.event, StepRestarted)]
    assert again[0] > shown
    assert "Half" not in [entry.event.delta for entry in entries if isinstance(entry.event, TextDelta)]
    assert (await house.history(receipt))[-1].text == "All."
