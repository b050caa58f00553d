"""One agent hands work to another: a run of its own, waited for through crashes, stopped with its parent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from wakeful.contracts.event import (
    InterruptRaised,
    RunStarted,
    RunWaiting,
    SubagentFinished,
    SubagentStarted,
    TextDelta,
    ToolCallFinished,
    ToolProgressed,
)
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.lifecycle import FINISHED, RunStatus
from wakeful.contracts.message import ToolResultPart
from wakeful.contracts.query import RunQuery
from wakeful.contracts.spec import AgentSpec
from wakeful.providers.scripted import Reply, ScriptedProvider, call
from wakeful.sdk.tool import as_tool, tool

if TYPE_CHECKING:
    from tests.runtime.conftest import House

    from wakeful.contracts.run import Run
    from wakeful.runtime.receipt import Receipt
    from wakeful.runtime.runtime import Runtime

ASK = call("researcher", {"message": "Find it"}, call_id="c")


async def opened(house: House, boss: list[Reply], researcher: list[Reply], **options: object) -> Runtime:
    """A runtime in which `assistant` may hand work to `researcher`, who has the other model."""
    house.agents = [
        AgentSpec(id="assistant", model="scripted:boss", delegates=("researcher",)),
        AgentSpec(id="researcher", model="other:any", description="Finds things.", tools=("publish",)),
    ]
    if not house.tools:
        house.tools = [as_tool(publish)]
    return await house.open(*boss, more={"other": ScriptedProvider(researcher)}, **options)


@tool(approval=True)
def publish() -> str:
    """Publish it."""
    return "published"


async def child_of(house: House, receipt: Receipt) -> Run:
    rows = await house.runtimes[-1].store.list_runs(RunQuery(scope=receipt.run.scope, parent_run_id=receipt.run.id))
    (child,) = rows.items
    return child


async def finished(house: House, run: Run) -> Run:
    async with asyncio.timeout(5):
        while run.status not in FINISHED:
            await house.runtimes[-1].feed.until_rest(run.key)
            found = await house.runtimes[-1].store.get_run(run.scope, run.id)
            assert found is not None
            run = found
    return run


async def result(house: House, receipt: Receipt) -> tuple[str, object]:
    parts = [part for message in await house.history(receipt) for part in message.parts]
    (found,) = [part for part in parts if isinstance(part, ToolResultPart)]
    return found.status, found.output


async def test_the_other_agents_answer_is_the_result_of_the_call(house: House):
    runtime = await opened(house, [ASK, "He says 42"], ["It is 42"])
    receipt = await house.submit()

    events = await house.events(receipt)

    child = await child_of(house, receipt)
    assert await result(house, receipt) == ("succeeded", "It is 42")
    assert SubagentStarted("c", "researcher", child.id, child.thread_id) in events
    assert SubagentFinished("c", child.id, "completed") in events
    thread = await runtime.store.get_thread(child.scope, child.thread_id)
    assert thread is not None
    assert (thread.parent_thread_id, child.status) == (receipt.run.thread_id, RunStatus.COMPLETED)


async def test_a_failure_of_the_other_agent_fails_the_call_only(house: House):
    await opened(house, [ASK, "Sorry"], [], max_attempts=1)
    receipt = await house.submit()

    events = await house.events(receipt)

    status, output = await result(house, receipt)
    assert status == "failed"
    assert str(output).startswith("The agent researcher did not answer.")
    assert [event.outcome for event in events if isinstance(event, SubagentFinished)] == ["failed"]
    assert (await house.run(receipt)).status is RunStatus.COMPLETED


async def test_stopping_a_run_stops_the_run_it_handed_work_to(house: House):
    await opened(house, [ASK], [[TextDelta("Looking"), asyncio.Event()]])
    receipt = await house.submit()
    await house.seen(receipt, SubagentStarted)

    await house.control.cancel(receipt.run)

    assert (await finished(house, await child_of(house, receipt))).status is RunStatus.CANCELLED
    assert (await finished(house, await house.run(receipt))).status is RunStatus.CANCELLED


async def test_a_superseded_run_takes_the_run_it_waits_for_along(house: House):
    await opened(house, [ASK, "New answer"], [[TextDelta("Looking"), asyncio.Event()]])
    receipt = await house.submit()
    await house.seen(receipt, SubagentStarted)
    child = await child_of(house, receipt)

    await house.submit("Something else", mode="interrupt", thread_id=receipt.run.thread_id)

    assert (await finished(house, child)).status is RunStatus.CANCELLED


async def test_after_a_crash_the_same_run_is_waited_for(house: House):
    first = await opened(house, [ASK], [[TextDelta("Looking"), asyncio.Event()]])
    receipt = await house.submit()
    await house.seen(receipt, SubagentStarted)
    before = await child_of(house, receipt)

    await house.crash(first)
    house.outlive_leases()
    await opened(house, ["Thanks"], ["Found"])
    await house.events(receipt)

    assert (await child_of(house, receipt)).id == before.id
    assert await result(house, receipt) == ("succeeded", "Found")


async def test_a_question_of_the_other_agent_is_answered_on_its_own_run(house: House):
    await opened(house, [ASK, "Done"], [call("publish", call_id="p"), "Out now"])
    receipt = await house.submit()
    await house.seen(receipt, ToolProgressed)
    child = await child_of(house, receipt)
    await house.runtimes[-1].feed.until_rest(child.key)

    await house.control.decide(child, [Decision("p", approved=True)])
    events = await house.events(receipt)

    assert await result(house, receipt) == ("succeeded", "Out now")
    assert not [event for event in events if isinstance(event, RunWaiting | InterruptRaised)]


async def test_one_place_is_enough_for_a_run_and_the_run_it_waits_for(house: House):
    await opened(house, [ASK, "Done"], ["Found"], worker_capacity=1)
    receipt = await house.submit()

    events = await house.events(receipt)

    assert [event.output for event in events if isinstance(event, ToolCallFinished)] == ["Found"]


async def test_agents_do_not_hand_work_on_for_ever(house: House):
    house.agents = [
        AgentSpec(id="assistant", model="scripted:any", delegates=("other",)),
        AgentSpec(id="other", model="scripted:any", delegates=("assistant",)),
    ]
    hop = [call(name, {"message": "You do it"}, call_id=str(i)) for i, name in enumerate(["other", "assistant"] * 3)]
    runtime = await house.open(*hop, *["Given up"] * 6)
    receipt = await house.submit()

    await house.events(receipt)

    rows = await runtime.store.list_runs(RunQuery(scope=receipt.run.scope, limit=100))
    assert len(rows.items) == 6
    deepest = max(rows.items, key=lambda run: run.created_at)
    parts = [part for message in await runtime.store.history(deepest.thread_key) for part in message.parts]
    assert "handed on 5 times" in str([part.output for part in parts if isinstance(part, ToolResultPart)])


async def test_a_call_without_a_message_is_refused(house: House):
    await opened(house, [call("researcher", {}, call_id="c"), "Oh"], [])
    receipt = await house.submit()

    events = await house.events(receipt)

    assert (await result(house, receipt))[0] == "failed"
    assert RunStarted("assistant") in events
    assert not [event for event in events if isinstance(event, SubagentStarted)]
