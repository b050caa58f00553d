"""Input that reaches a run while it goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from wakeful.contracts.event import MessageCommitted, RunFinished, StepStarted, ToolCallStarted
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.model import ModelRequest
from wakeful.providers.scripted import Reply, call
from wakeful.sdk.tool import tool

if TYPE_CHECKING:
    from tests.runtime.conftest import House

    from wakeful.runtime.receipt import Receipt


class Work:
    """A tool that waits until it may go on."""

    def __init__(self, house: House) -> None:
        self.running = asyncio.Event()
        self.gate = asyncio.Event()

        @tool(effect="idempotent")
        async def work() -> str:
            """Work."""
            self.running.set()
            await self.gate.wait()
            return "worked"

        house.tool(work)


def last_user_text(request: ModelRequest) -> Reply:
    return "Heard: " + [message.text for message in request.messages if message.role == "user"][-1]


async def texts(house: House, receipt: Receipt) -> list[str]:
    return [message.text for message in await house.history(receipt) if message.text]


@pytest.mark.proves("R12")
async def test_steered_input_is_read_at_the_next_step_of_the_running_run(house: House):
    work = Work(house)
    await house.open(call("work"), last_user_text)
    running = await house.submit("Go", thread_id="t")
    await work.running.wait()

    steered = await house.submit("Faster!", thread_id="t", mode="steer")
    work.gate.set()
    events = await house.events(running)

    assert (steered.effect, steered.run.id) == ("steered", running.run.id)
    assert await texts(house, running) == ["Go", "Faster!", "Heard: Faster!"]
    assert sum(isinstance(event, MessageCommitted) and event.role == "user" for event in events) == 1
    mine = [message.run_id for message in await house.history(running)]
    assert set(mine) == {running.run.id}


async def test_the_entry_of_steered_input_ends_as_completed_and_is_not_run_again(house: House):
    work = Work(house)
    runtime = await house.open(call("work"), last_user_text)
    running = await house.submit("Go", thread_id="t")
    await work.running.wait()
    await house.submit("Faster!", thread_id="t", run_id="entry", mode="steer")
    entry = await runtime.store.get_run("s", "entry")
    assert entry is not None

    work.gate.set()
    await house.events(running)
    after = await runtime.store.get_run("s", "entry")
    log = await runtime.store.read_log(entry.key, after=0, limit=10)

    assert after is not None
    assert (after.status, after.stop_reason) == (RunStatus.COMPLETED, "steered")
    assert log.entries[-1].event == RunFinished("completed", "steered")
    assert await runtime.store.active_run(running.run.thread_key) is None


async def test_two_steered_inputs_are_read_in_order(house: House):
    work = Work(house)
    await house.open(call("work"), last_user_text)
    running = await house.submit("Go", thread_id="t")
    await work.running.wait()

    await house.submit("One", thread_id="t", mode="steer")
    await house.submit("Two", thread_id="t", mode="steer")
    work.gate.set()
    await house.events(running)

    assert await texts(house, running) == ["Go", "One", "Two", "Heard: Two"]


async def test_queued_input_stays_where_it_is_when_other_input_is_steered(house: House):
    work = Work(house)
    await house.open(call("work"), last_user_text, "Next")
    running = await house.submit("Go", thread_id="t")
    await work.running.wait()

    queued = await house.submit("Later", thread_id="t")
    await house.submit("Now", thread_id="t", mode="steer")
    work.gate.set()
    await house.events(queued)

    assert await texts(house, running) == ["Go", "Now", "Heard: Now", "Later", "Next"]


async def test_steered_input_that_comes_too_late_runs_after_the_run(house: House):
    gate = asyncio.Event()
    await house.open([gate, "Done"], last_user_text)
    running = await house.submit("Go", thread_id="t")
    await house.seen(running, StepStarted)

    late = await house.submit("Late", thread_id="t", run_id="entry", mode="steer")
    gate.set()
    runtime = house.runtimes[0]
    entry = await runtime.store.get_run("s", "entry")
    assert entry is not None
    await runtime.feed.until_rest(entry.key)

    assert late.effect == "steered"
    assert await texts(house, running) == ["Go", "Done", "Late", "Heard: Late"]
    assert await runtime.store.active_run(entry.thread_key) is None


async def test_steering_an_idle_thread_starts_a_run(house: House):
    await house.open(last_user_text)

    receipt = await house.submit("Hello", thread_id="t", mode="steer")
    await house.events(receipt)

    assert receipt.effect == "started"
    assert await texts(house, receipt) == ["Hello", "Heard: Hello"]


async def test_steered_input_survives_a_crash_and_is_read_once(house: House):
    work = Work(house)
    first = await house.open(call("work"))
    running = await house.submit("Go", thread_id="t")
    await work.running.wait()
    await house.submit("Faster!", thread_id="t", mode="steer")

    await house.crash(first)
    house.outlive_leases()
    work.gate.set()
    await house.open(last_user_text)
    await house.events(running)

    assert await texts(house, running) == ["Go", "Faster!", "Heard: Faster!"]


async def test_input_that_changed_while_it_was_taken_is_looked_at_again(house: House):
    work = Work(house)
    runtime = await house.open(call("work"), call("work"), last_user_text)
    running = await house.submit("Go", thread_id="t")
    await work.running.wait()
    await house.submit("Faster!", thread_id="t", run_id="entry", mode="steer")
    gate = house.valve.hold("absorb")

    work.gate.set()
    await house.valve.called("absorb")
    thread = await runtime.store.get_thread("s", "t")
    assert thread is not None
    (entry,) = await runtime.entries.list(thread)
    await runtime.entries.withdraw(thread, "entry", entry.revision)
    gate.set()
    await house.events(running)

    assert await texts(house, running) == ["Go", "Heard: Go"]


async def test_a_store_that_is_away_delays_steered_input_to_a_later_step(house: House):
    work = Work(house)
    await house.open(call("work"), call("work"), last_user_text)
    running = await house.submit("Go", thread_id="t")
    await house.seen(running, ToolCallStarted)
    await work.running.wait()
    await house.submit("Faster!", thread_id="t", mode="steer")
    house.valve.refused.add("absorb")

    work.gate.set()
    await house.valve.called("absorb")
    house.valve.refused.clear()
    await house.events(running)

    assert await texts(house, running) == ["Go", "Faster!", "Heard: Faster!"]


async def test_a_run_stopped_while_it_takes_input_over_has_it_and_ends(house: House):
    work = Work(house)
    await house.open(call("work"))
    running = await house.submit("Go", thread_id="t")
    await work.running.wait()
    await house.submit("Faster!", thread_id="t", mode="steer")
    gate = house.valve.hold("absorb")
    work.gate.set()
    await house.valve.called("absorb")

    await house.control.cancel(await house.run(running))
    gate.set()
    events = await house.events(running)

    assert events[-1] == RunFinished("cancelled", "cancelled", (await house.run(running)).usage)
    assert await texts(house, running) == ["Go", "Faster!"]
