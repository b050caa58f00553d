"""A process dies; another one goes on with its runs where they were."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from wakeful.contracts.event import (
    InterruptRaised,
    ModelCallFinished,
    RunFinished,
    RunStarted,
    StepFinished,
    StepRestarted,
    StepStarted,
    TextDelta,
    ToolCallFinished,
    ToolCallStarted,
)
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import ToolResultPart
from wakeful.contracts.tool import ToolContext
from wakeful.engine.gate import OUTCOME_UNKNOWN
from wakeful.providers.scripted import call
from wakeful.sdk.tool import tool

if TYPE_CHECKING:
    from tests.runtime.conftest import House

    from wakeful.runtime.receipt import Receipt


async def transcript(house: House, receipt: Receipt) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in await house.history(receipt)]


async def results(house: House, receipt: Receipt) -> list[tuple[str, object]]:
    parts = [part for message in await house.history(receipt) for part in message.parts]
    return [(part.status, part.output) for part in parts if isinstance(part, ToolResultPart)]


async def test_dropped_in_the_middle_of_a_text_it_is_written_again_once(house: House):
    first = await house.open([TextDelta("Half"), asyncio.Event()])
    receipt = await house.submit()
    seen = await house.seen(receipt, TextDelta("Half"))

    await house.crash(first)
    house.outlive_leases()
    await house.open("Whole answer")
    entries = await house.entries(receipt, after=seen)

    assert await transcript(house, receipt) == [("user", "Hello"), ("assistant", "Whole answer")]
    assert isinstance(entries[0].event, StepRestarted)
    assert entries[0].seq > seen
    assert (await house.run(receipt)).attempt == 2
    numbers = [entry.seq for entry in await house.entries(receipt)]
    assert numbers == sorted(set(numbers))


async def test_dropped_while_a_once_tool_runs_the_tool_is_not_run_again(house: House):
    ran: list[str] = []

    @tool
    async def pay() -> str:
        """Pay."""
        ran.append("pay")
        await asyncio.Event().wait()
        return "paid"

    house.tool(pay)
    first = await house.open(call("pay", call_id="a"))
    receipt = await house.submit()
    await house.seen(receipt, ToolCallStarted)
    await asyncio.sleep(0)

    await house.crash(first)
    house.outlive_leases()
    await house.open("I cannot tell.")
    events = await house.events(receipt)

    assert ran == ["pay"]
    assert await results(house, receipt) == [("failed", OUTCOME_UNKNOWN)]
    assert isinstance(events[-1], RunFinished)
    assert events[-1].outcome == "completed"


async def test_dropped_while_an_idempotent_tool_runs_it_runs_again_with_the_same_key(house: House):
    keys: list[str] = []

    async def send(context: ToolContext) -> str:
        """Send."""
        keys.append(context.idempotency_key)
        if len(keys) == 1:
            await asyncio.Event().wait()
        return "sent"

    house.tool(tool(send, effect="idempotent"))
    first = await house.open(call("send", call_id="a"))
    receipt = await house.submit()
    await house.seen(receipt, ToolCallStarted)
    await asyncio.sleep(0)

    await house.crash(first)
    house.outlive_leases()
    await house.open("Done.")
    await house.events(receipt)

    assert keys == [f"{receipt.run.id}:a"] * 2
    assert await results(house, receipt) == [("succeeded", "sent")]


async def test_dropped_between_two_results_only_the_open_call_is_settled(house: House):
    ran: list[str] = []

    @tool
    async def quick() -> str:
        """Quick."""
        ran.append("quick")
        return "done"

    @tool(effect="pure")
    async def slow() -> str:
        """Slow."""
        ran.append("slow")
        if ran.count("slow") == 1:
            await asyncio.Event().wait()
        return "done too"

    house.tool(quick)
    house.tool(slow)
    first = await house.open([call("quick"), call("slow")])
    receipt = await house.submit()
    await house.seen(receipt, ToolCallFinished)

    await house.crash(first)
    house.outlive_leases()
    await house.open("Both done.")
    await house.events(receipt)

    assert sorted(ran) == ["quick", "slow", "slow"]
    assert await results(house, receipt) == [("succeeded", "done"), ("succeeded", "done too")]


async def test_dropped_between_two_steps_the_run_goes_on_with_the_next(house: House):
    ran: list[str] = []

    @tool
    async def look() -> int:
        """Look."""
        ran.append("look")
        return 7

    house.tool(look)
    first = await house.open(call("look"), asyncio.Event())
    receipt = await house.submit()
    await house.seen(receipt, StepFinished(1))

    await house.crash(first)
    house.outlive_leases()
    await house.open("Seven.")
    events = await house.events(receipt)

    assert ran == ["look"]
    assert (await transcript(house, receipt))[-1] == ("assistant", "Seven.")
    assert [event.step for event in events if isinstance(event, StepFinished)] == [1, 2]
    assert sum(isinstance(event, RunStarted) for event in events) == 1


async def test_dropped_before_the_first_word_the_run_is_answered_once(house: House):
    first = await house.open(asyncio.Event())
    receipt = await house.submit()
    await house.seen(receipt, StepStarted)

    await house.crash(first)
    house.outlive_leases()
    await house.open("Hi")
    events = await house.events(receipt)

    assert await transcript(house, receipt) == [("user", "Hello"), ("assistant", "Hi")]
    assert sum(isinstance(event, ModelCallFinished) for event in events) == 1


async def test_a_run_that_waits_survives_every_crash_and_takes_its_answer_anywhere(house: House):
    ran: list[str] = []

    @tool(approval=True)
    async def delete() -> str:
        """Delete."""
        ran.append("delete")
        return "gone"

    house.tool(delete)
    first = await house.open(call("delete", call_id="a"))
    receipt = await house.submit()
    await house.events(receipt)

    await house.crash(first)
    await house.open("Done.")
    decided = await house.control.decide(await house.run(receipt), [Decision("a", approved=True)])
    events = await house.events(decided)

    assert ran == ["delete"]
    assert decided.effect == "resumed"
    assert events[0] == RunStarted("assistant", resumed=True)
    assert not any(isinstance(event, InterruptRaised) for event in events)
    assert (await transcript(house, receipt))[-1] == ("assistant", "Done.")


@pytest.mark.proves("E13")
@pytest.mark.parametrize("name", ["append", "settle", "history"])
async def test_dropped_because_the_store_failed_it_can_be_claimed_and_others_go_on(house: House, name: str):
    await house.open(*["Hi"] * 3)
    house.valve.raising[name] = KeyError("a defect")
    gate = house.valve.hold(name)
    receipt = await house.submit()
    await house.valve.called(name)
    (carrying,) = [task for task in asyncio.all_tasks() if task.get_name() == f"run {receipt.run.id}"]
    gate.set()
    await asyncio.wait([carrying])
    house.valve.raising.clear()

    dropped = await house.run(receipt)
    other = await house.submit("Hello you")
    await house.events(other)
    house.outlive_leases()
    await house.patient(house.entries(receipt, after=0))

    assert dropped.status is RunStatus.RUNNING
    assert (await house.run(other)).status is RunStatus.COMPLETED
    assert (await house.run(receipt)).status is RunStatus.COMPLETED


@pytest.mark.proves("R21")
async def test_dropped_while_an_approved_call_runs_it_runs_again_only_when_a_human_says_so(house: House):
    ran: list[str] = []

    @tool(approval=True)
    async def delete() -> str:
        """Delete."""
        ran.append("delete")
        if len(ran) == 1:
            await asyncio.Event().wait()
        return "gone"

    house.tool(delete)
    first = await house.open(call("delete", call_id="a"))
    receipt = await house.submit()
    await house.events(receipt)
    decided = await house.control.decide(await house.run(receipt), [Decision("a", approved=True)])
    await house.seen(decided, ToolCallStarted)
    await asyncio.sleep(0)

    await house.crash(first)
    house.outlive_leases()
    await house.open("Gone.")
    kinds = [type(event).__name__ for event in await house.events(receipt, after=0)]
    asked_again = list(ran)
    (first_question, second) = await house.runtimes[-1].store.interrupts(receipt.run.key)
    again = await house.control.decide(await house.run(receipt), [Decision(second.interrupt.id, approved=True)])
    await house.events(again)

    assert asked_again == ["delete"]
    assert (kinds.count("InterruptRaised"), kinds.count("InterruptDecided")) == (2, 1)
    assert first_question.interrupt.message != second.interrupt.message
    assert ran == ["delete", "delete"]
    assert await results(house, receipt) == [("succeeded", "gone")]


@pytest.mark.parametrize("crashes", [2, 3])
async def test_however_often_it_is_dropped_the_numbers_only_grow(house: House, crashes: int):
    runtime = await house.open([TextDelta("0"), asyncio.Event()])
    receipt = await house.submit()
    seen = [await house.seen(receipt, TextDelta("0"))]
    for number in range(1, crashes):
        await house.crash(runtime)
        house.outlive_leases()
        runtime = await house.open([TextDelta(str(number)), asyncio.Event()])
        seen.append(await house.patient(house.seen(receipt, TextDelta(str(number)))))

    await house.crash(runtime)
    house.outlive_leases()
    await house.open("Done")
    entries = await house.patient(house.entries(receipt, after=seen[-1]))

    assert seen == sorted(set(seen))
    assert entries[0].seq > seen[-1]
    assert (await house.run(receipt)).attempt == crashes + 1


async def test_a_stopped_runtime_hands_its_runs_to_another_without_waiting_for_leases(house: House):
    first = await house.open([TextDelta("Half"), asyncio.Event()])
    receipt = await house.submit()
    await house.seen(receipt, TextDelta("Half"))

    await first.stop()
    await house.open("Whole")
    events = await house.events(receipt)

    assert (await transcript(house, receipt))[-1] == ("assistant", "Whole")
    assert (await house.run(receipt)).attempt == 1
    assert [event.reason for event in events if isinstance(event, StepRestarted)] == ["resumed"]


async def test_a_stopping_runtime_lets_running_tools_finish(house: House):
    ran: list[str] = []
    running, release = asyncio.Event(), asyncio.Event()

    @tool
    async def pay() -> str:
        """Pay."""
        ran.append("pay")
        running.set()
        await release.wait()
        return "paid"

    house.tool(pay)
    first = await house.open(call("pay"))
    receipt = await house.submit()
    await running.wait()

    stopping = asyncio.create_task(first.stop())
    await asyncio.sleep(0)
    release.set()
    await stopping
    await house.open("Paid.")
    await house.events(receipt)

    assert ran == ["pay"]
    assert await results(house, receipt) == [("succeeded", "paid")]
    assert (await house.run(receipt)).status is RunStatus.COMPLETED


async def test_a_tool_that_takes_too_long_is_cut_off_by_the_stop_and_not_run_again(house: House):
    ran: list[str] = []
    running = asyncio.Event()

    @tool
    async def pay() -> str:
        """Pay."""
        ran.append("pay")
        running.set()
        await asyncio.Event().wait()
        return "paid"

    house.tool(pay)
    first = await house.open(call("pay"), shutdown_grace_seconds=0)
    receipt = await house.submit()
    await running.wait()

    async with asyncio.timeout(5):
        await first.stop()
    await house.open("I cannot tell.")
    await house.events(receipt)

    assert ran == ["pay"]
    assert await results(house, receipt) == [("failed", OUTCOME_UNKNOWN)]
