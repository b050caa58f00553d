"""The worker: what it claims, when it stops, and that one bad run is the end of nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import pytest

from wakeful.contracts.event import RunFinished, RunStarted, StepStarted, TextDelta, ToolCallStarted
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import TextPart
from wakeful.contracts.model import ModelChunk, ModelRequest, ReplyFinished
from wakeful.contracts.usage import Usage
from wakeful.providers.scripted import call
from wakeful.runtime.worker import SWEEP_MS
from wakeful.sdk.tool import tool

if TYPE_CHECKING:
    from tests.runtime.conftest import House

LEASE_MS = 30_000
RENEW_MS = 10_000


async def test_an_accepted_run_is_claimed_with_its_acceptance(house: House):
    await house.open("Hi")
    await house.valve.called("claim")
    house.valve.calls.clear()

    receipt = await house.submit()
    await house.events(receipt)

    assert receipt.effect == "started"
    assert "claim" not in house.valve.calls


async def test_a_run_left_by_others_is_found_when_looking_for_work(house: House):
    first = await house.open(asyncio.Event(), worker_capacity=0)
    receipt = await house.submit()
    second = await house.open("Hi")

    await house.events(receipt)

    assert receipt.effect == "queued"
    assert (first.worker.active, second.worker.active) == (0, 0)


async def test_it_looks_for_work_again_after_a_while(house: House):
    await house.open("Hi")
    await house.clock.until_due(house.clock.now() + SWEEP_MS)
    await house.valve.called("claim")
    house.valve.calls.clear()

    house.clock.advance(SWEEP_MS)

    await house.valve.called("claim")


async def test_no_more_runs_are_carried_than_there_is_room_for_and_the_next_begins_at_once(house: House):
    gate = asyncio.Event()
    house.valve.refused.add("claim")
    runtime = await house.open([gate, "1"], "2", worker_capacity=1)
    await house.valve.called("claim")
    house.valve.refused.clear()
    first = await house.submit("1")
    await house.seen(first, StepStarted)
    second = await house.submit("2")

    held = runtime.worker.active
    gate.set()
    await house.events(first)
    await house.events(second)

    assert (first.effect, second.effect, held) == ("started", "queued", 1)


async def test_requests_at_the_same_moment_do_not_take_more_room_than_there_is(house: House):
    gate = asyncio.Event()
    runtime = await house.open(*[[gate, "Hi"]] * 5, worker_capacity=2)
    receipts = await asyncio.gather(*[house.submit(str(number)) for number in range(5)])
    await asyncio.gather(*[house.seen(receipt, StepStarted) for receipt in receipts[:1]])

    held = runtime.worker.active
    gate.set()
    for receipt in receipts:
        await house.events(receipt)

    assert held <= 2


async def test_runs_queued_on_a_thread_follow_one_another_at_once_and_never_overlap(house: House):
    gate = asyncio.Event()
    runtime = await house.open([gate, "1"], "2", "3", "4")
    receipts = [await house.submit(str(number), thread_id="t") for number in range(4)]
    running = runtime.worker.active
    gate.set()

    for receipt in receipts:
        await house.events(receipt)

    assert [receipt.effect for receipt in receipts] == ["started", "queued", "queued", "queued"]
    assert running == 1
    assert [m.text for m in await house.history(receipts[0])] == ["0", "1", "1", "2", "2", "3", "3", "4"]


async def test_leases_are_renewed_while_a_run_is_carried(house: House):
    await house.open(asyncio.Event())
    receipt = await house.submit()
    await house.seen(receipt, StepStarted)
    await house.clock.until_due(house.clock.now() + RENEW_MS)

    for _ in range(LEASE_MS // RENEW_MS + 1):
        house.valve.calls.clear()
        house.clock.advance(RENEW_MS)
        await house.valve.called("renew")
        await house.clock.until_due(house.clock.now() + RENEW_MS)
    await house.open("never claimed")

    assert (await house.run(receipt)).attempt == 1
    assert house.runtimes[1].worker.active == 0


async def test_a_store_that_comes_back_late_takes_no_run_from_who_carries_it(house: House):
    gate = asyncio.Event()
    await house.open([TextDelta("Hi"), gate])
    receipt = await house.submit()
    await house.seen(receipt, TextDelta("Hi"))
    await house.clock.until_due(house.clock.now() + RENEW_MS)
    house.valve.refused.add("renew")
    house.outlive_leases()
    await house.clock.until_due(house.clock.now() + SWEEP_MS)
    house.clock.advance(SWEEP_MS)
    await house.valve.called("renew", 2)

    house.valve.refused.clear()
    house.clock.advance(SWEEP_MS)
    await house.valve.called("renew", 3)
    gate.set()
    await house.events(receipt)

    run = await house.run(receipt)
    assert (run.status, run.attempt) == (RunStatus.COMPLETED, 1)


async def test_a_lost_lease_cancels_the_work_and_leaves_the_run_to_its_new_owner(house: House):
    cancelled = asyncio.Event()

    @tool
    async def wait() -> str:
        """Wait."""
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return "never"

    house.tool(wait)
    first = await house.open(call("wait"))
    receipt = await house.submit()
    await house.seen(receipt, ToolCallStarted)
    await house.clock.until_due(house.clock.now() + RENEW_MS)
    house.valve.refused |= {"renew", "claim"}
    house.outlive_leases()
    second = await house.open("I cannot tell.")
    await house.events(receipt)

    house.valve.refused.clear()
    house.clock.advance(RENEW_MS)
    async with asyncio.timeout(5):
        await cancelled.wait()
        while first.worker.active:
            await second.store.probe()

    run = await house.run(receipt)
    assert (run.status, run.attempt) == (RunStatus.COMPLETED, 2)
    assert (await house.history(receipt))[-1].text == "I cannot tell."


async def test_a_lease_won_again_while_the_first_carry_winds_down_is_carried_after_it(house: House):
    trace: list[str] = []
    running, release, again, go = (asyncio.Event() for _ in range(4))

    class Lingering:
        """A model whose first reply takes its time to stop."""

        name = "scripted"

        async def stream(self, request: ModelRequest) -> AsyncGenerator[list[ModelChunk]]:
            del request
            trace.append("begun")
            if len(trace) > 1:
                again.set()
                await go.wait()
                yield [TextDelta("Seven."), ReplyFinished("stop", Usage())]
                return
            try:
                running.set()
                await asyncio.Event().wait()
            finally:
                await release.wait()
                trace.append("wound down")

        async def aclose(self) -> None:
            """Nothing to release."""

    runtime = await house.open(provider=Lingering())
    receipt = await house.submit()
    await running.wait()
    await house.clock.until_due(house.clock.now() + RENEW_MS)
    house.valve.answering["renew"] = frozenset({receipt.run.key})
    house.outlive_leases()
    await house.valve.called("renew")
    await house.clock.until_due(house.clock.now() + RENEW_MS)
    house.valve.answering.clear()
    async with asyncio.timeout(5):
        while (await house.run(receipt)).attempt < 2:
            await house.clock.until_due(house.clock.now() + SWEEP_MS)
            house.clock.advance(SWEEP_MS)

    for _ in range(20):
        await runtime.store.probe()
    release.set()
    await again.wait()
    carried = runtime.worker.active
    go.set()
    await house.events(receipt)

    assert carried == 1
    assert trace == ["begun", "wound down", "begun"]
    assert (await house.history(receipt))[-1].text == "Seven."
    assert runtime.running


@pytest.mark.parametrize("phase", ["resolve", "settle"])
async def test_a_stop_while_the_run_is_resolved_or_settled_breaks_nothing(house: House, phase: str):
    name = "history" if phase == "resolve" else "settle"
    gate = house.valve.hold(name)
    runtime = await house.open("Hi")
    receipt = await house.submit()
    await house.valve.called(name)

    await house.control.cancel(await house.run(receipt))
    await house.control.cancel(await house.run(receipt))
    gate.set()
    await house.events(receipt)

    run = await house.run(receipt)
    assert run.status is (RunStatus.CANCELLED if phase == "resolve" else RunStatus.COMPLETED)
    assert runtime.running


async def test_a_cancelled_run_keeps_its_partial_text(house: House):
    await house.open([TextDelta("Half"), asyncio.Event()])
    receipt = await house.submit()
    await house.seen(receipt, TextDelta("Half"))

    await house.control.cancel(await house.run(receipt))
    events = await house.events(receipt)

    assert events[-1] == RunFinished("cancelled", "cancelled")
    assert (await house.history(receipt))[-1].parts == (TextPart("Half", interrupted=True),)
    assert (await house.run(receipt)).stop_reason == "cancelled"


async def test_an_agent_that_is_gone_fails_the_run_for_good(house: House):
    first = await house.open(worker_capacity=0)
    receipt = await house.submit()
    await first.stop()
    house.agents = [house.agents[0].model_copy(update={"id": "other"})]

    await house.open("never asked for")
    events = await house.events(receipt)

    run = await house.run(receipt)
    assert isinstance(events[-1], RunFinished)
    assert (run.status, run.attempt) == (RunStatus.FAILED, 1)
    assert run.error is not None
    assert run.error.code == "configuration"
    assert "assistant" in run.error.message


class Broken:
    """A provider that fails in a way no provider should, after some text."""

    name = "scripted"

    def __init__(self, error: BaseException) -> None:
        self._error = error

    async def stream(self, request: ModelRequest) -> AsyncGenerator[list[ModelChunk]]:
        yield [TextDelta("Half")]
        raise self._error

    async def aclose(self) -> None: ...


@pytest.mark.parametrize("error", [OSError("hunter2"), asyncio.CancelledError("hunter2"), KeyError("hunter2")])
async def test_a_defect_fails_its_run_keeps_its_text_and_tells_no_secrets(house: House, error: BaseException):
    runtime = await house.open(provider=Broken(error))
    receipt = await house.submit()

    events = await house.events(receipt)

    run = await house.run(receipt)
    assert run.status is RunStatus.FAILED
    assert run.error is not None
    assert run.error.code == "internal"
    assert "hunter2" not in str(events)
    assert (await house.history(receipt))[-1].text == "Half"
    assert runtime.running


@pytest.mark.parametrize("name", ["history", "append", "settle"])
async def test_a_store_that_is_away_for_a_moment_costs_a_run_nothing_but_time(house: House, name: str):
    await house.open("Hi")
    house.valve.refused.add(name)
    receipt = await house.submit()
    await house.valve.called(name)
    await house.clock.until_due(house.clock.now() + 250)

    house.valve.refused.clear()
    house.clock.advance(250)
    events = await house.events(receipt)

    assert [type(event) for event in events].count(RunStarted) == 1
    assert (await house.run(receipt)).status is RunStatus.COMPLETED
    assert [message.text for message in await house.history(receipt)] == ["Hello", "Hi"]


async def test_a_defect_of_the_store_while_looking_for_work_is_not_the_end(house: House):
    house.valve.raising["claim"] = KeyError("a defect")
    runtime = await house.open("Hi")
    await house.valve.called("claim")

    receipt = await house.submit()
    await house.events(receipt)

    assert runtime.running


async def test_a_run_claimed_while_the_worker_closes_is_handed_back(house: House):
    first = await house.open(asyncio.Event())
    await house.seen(await house.submit(), StepStarted)
    accepting, requeueing = house.valve.hold("accept"), house.valve.hold("requeue")
    submitting = asyncio.create_task(house.submit())
    await house.valve.called("accept", 2)

    stopping = asyncio.create_task(first.stop())
    await house.valve.called("requeue")
    accepting.set()
    receipt = await submitting
    assert receipt.effect == "started"
    requeueing.set()
    await stopping
    await house.open("Hi", "Hi")
    await house.events(receipt)

    run = await house.run(receipt)
    assert (run.status, run.attempt) == (RunStatus.COMPLETED, 1)


async def test_endings_are_counted(house: House):
    runtime = await house.open("Hi", OSError("defect"))
    for _ in range(2):
        await house.events(await house.submit())

    assert runtime.worker.endings == {RunStatus.COMPLETED: 1, RunStatus.FAILED: 1}
