"""The shared state over several runs: who wrote it last counts, and a crash loses nothing of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from wakeful.contracts.event import RunStarted, RunWaiting, StateChanged, StateReplaced, ToolCallStarted
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.json import JsonObject
from wakeful.contracts.request import RunRequest
from wakeful.contracts.run import RunOptions
from wakeful.contracts.tool import ToolContext
from wakeful.providers.scripted import call
from wakeful.sdk.tool import tool

if TYPE_CHECKING:
    from tests.runtime.conftest import House

    from wakeful.contracts.event import Event
    from wakeful.runtime.receipt import Receipt


@tool(effect="pure")
def add(context: ToolContext, item: str) -> None:
    """Add an item."""
    items = context.state.get("items", [])
    assert isinstance(items, list)
    context.state["items"] = [*items, item]


@tool(approval=True)
def order(context: ToolContext) -> None:
    """Order everything."""
    context.state["ordered"] = context.state["items"]


async def state(house: House, receipt: Receipt) -> JsonObject:
    return await house.runtimes[-1].store.shared_state(receipt.run.thread_key)


def about_state(events: list[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, RunStarted | StateReplaced | StateChanged | RunWaiting)]


async def test_what_a_tool_wrote_is_there_in_the_next_run(house: House):
    house.tool(add)
    await house.open(call("add", {"item": "milk"}), "ok", call("add", {"item": "bread"}, call_id="2"), "ok")
    first = await house.submit()
    await house.events(first)

    second = await house.submit(thread_id=first.run.thread_id)
    events = await house.events(second)

    assert about_state(events) == [
        RunStarted("assistant"),
        StateReplaced({"items": ["milk"]}),
        StateChanged("2", ({"op": "add", "path": "/items/1", "value": "bread"},)),
    ]
    assert await state(house, second) == {"items": ["milk", "bread"]}


async def test_what_the_client_sends_is_the_state_from_the_start_of_its_run(house: House):
    house.tool(add)
    await house.open(call("add", {"item": "milk"}), "ok", call("add", {"item": "bread"}, call_id="2"), "ok")
    first = await house.submit()
    await house.events(first)

    second = await house.submit(thread_id=first.run.thread_id, options=RunOptions(state={"items": ["mine"]}))
    events = await house.events(second)

    assert StateReplaced({"items": ["mine"]}) in events
    assert await state(house, second) == {"items": ["mine", "bread"]}


async def test_a_thread_without_state_says_nothing_about_it(house: House):
    await house.open("ok")
    receipt = await house.submit()

    assert about_state(await house.events(receipt)) == [RunStarted("assistant")]


async def test_after_a_crash_a_run_goes_on_with_what_was_written_not_with_what_it_came_with(house: House):
    stuck = asyncio.Event()

    @tool(effect="pure")
    async def hang(context: ToolContext) -> str:
        if "seen" not in context.state:
            context.state["seen"] = True
            await stuck.wait()
        return "went on"

    house.tool(hang)
    first = await house.open(call("hang", {}, call_id="c"))
    receipt = await house.submit(options=RunOptions(state={"from": "client"}))
    await house.seen(receipt, StateChanged)

    await house.crash(first)
    house.outlive_leases()
    await house.open("ok")
    events = await house.events(receipt)

    assert await state(house, receipt) == {"from": "client", "seen": True}
    assert [type(event) for event in events].count(StateReplaced) == 1
    assert [type(event) for event in events].count(ToolCallStarted) == 2


async def test_a_run_whose_start_is_all_there_is_when_it_crashes_still_begins_with_what_it_came_with(house: House):
    first = await house.open("One", [asyncio.Event()])
    await house.events(await house.submit())  # once it is carried, the worker is there
    writing = house.valve.hold("append")
    receipt = await house.submit(options=RunOptions(state={"from": "client"}))
    await house.seen(receipt, RunStarted("assistant"))

    await house.crash(first)
    writing.set()
    house.outlive_leases()
    await house.open("Done.")
    events = await house.events(receipt)

    assert about_state(events) == [RunStarted("assistant"), StateReplaced({"from": "client"})]
    assert await state(house, receipt) == {"from": "client"}


async def test_a_run_that_goes_on_after_a_question_begins_with_the_state(house: House):
    house.tool(order)
    await house.open(call("order", {}, call_id="c"), "ok")
    receipt = await house.submit(options=RunOptions(state={"items": ["milk"]}))
    await house.events(receipt)

    receipt = await house.control.decide(receipt.run, [Decision("c", approved=True)])
    events = await house.events(receipt)

    assert about_state(events) == [
        RunStarted("assistant", resumed=True),
        StateReplaced({"items": ["milk"]}),
        StateChanged("c", ({"op": "add", "path": "/ordered", "value": ["milk"]},)),
    ]


async def test_an_answer_may_bring_what_the_human_changed_meanwhile(house: House):
    house.tool(order)
    await house.open(call("order", {}, call_id="c"), "ok")
    first = await house.submit(options=RunOptions(state={"items": ["milk"]}))
    await house.events(first)

    request = RunRequest(
        thread_id=first.run.thread_id,
        decisions=(Decision("c", approved=True),),
        options=RunOptions(state={"items": ["bread"]}),
    )
    receipt = await house.mailbox.submit(first.run.scope, request, origin="test", mode="interrupt")
    await house.events(receipt)

    assert await state(house, receipt) == {"items": ["bread"], "ordered": ["bread"]}
