"""Control: stopping, interrupting and answering runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from wakeful.contracts.errors import BadRequest, Conflict
from wakeful.contracts.event import InterruptDecided, RunFinished, StepStarted, TextDelta, ToolCallStarted
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import TextPart, ToolResultPart
from wakeful.contracts.thread import Thread
from wakeful.providers.scripted import call
from wakeful.sdk.tool import tool

if TYPE_CHECKING:
    from tests.runtime.conftest import House

    from wakeful.runtime.receipt import Receipt


async def thread_of(house: House, receipt: Receipt) -> Thread:
    found = await house.runtimes[-1].store.get_thread("s", receipt.run.thread_id)
    assert found is not None
    return found


async def results(house: House, receipt: Receipt) -> list[ToolResultPart]:
    parts = [part for message in await house.history(receipt) for part in message.parts]
    return [part for part in parts if isinstance(part, ToolResultPart)]


@pytest.fixture
def choosing(house: House) -> House:
    """A house whose agent deletes files when it may, and has the client choose one of two colours."""

    @tool(approval=True)
    async def delete(path: str) -> str:
        """Delete."""
        return f"deleted {path}"

    house.tool(delete)
    return house


# -- stopping


@pytest.mark.proves("R09")
async def test_an_interrupt_ends_the_running_run_and_what_is_queued_and_counts(house: House):
    await house.open([TextDelta("Half"), asyncio.Event()])
    running = await house.submit("1", thread_id="t")
    await house.seen(running, TextDelta("Half"))
    queued = [await house.submit(name, thread_id="t", run_id=name) for name in ("a", "b")]

    done = await house.control.interrupt(await thread_of(house, running))
    ends = [(await house.events(one))[-1] for one in (running, *queued)]

    assert done.cancelled is not None
    assert (done.cancelled.id, done.superseded, done.generation) == (running.run.id, ("a", "b"), 1)
    assert ends == [RunFinished("cancelled", "superseded")] * 3
    assert [message.text for message in await house.history(running)] == ["1", "Half"]


async def test_an_interrupt_of_an_idle_thread_ends_nothing_and_still_counts(house: House):
    await house.open("Hi")
    receipt = await house.submit(thread_id="t")
    await house.events(receipt)
    thread = await thread_of(house, receipt)

    one, two = await house.control.interrupt(thread), await house.control.interrupt(thread)

    assert (one.cancelled, one.superseded) == (None, ())
    assert (one.generation, two.generation) == (1, 2)


async def test_an_interrupt_ends_a_waiting_run(choosing: House):
    house = choosing
    await house.open(call("delete", {"path": "a"}))
    receipt = await house.submit(thread_id="t")
    await house.events(receipt)

    done = await house.control.interrupt(await thread_of(house, receipt))

    assert done.cancelled is not None
    assert (await house.run(receipt)).status is RunStatus.CANCELLED
    assert [part.status for part in await results(house, receipt)] == ["cancelled"]


async def test_cancelling_a_thread_stops_what_it_does_and_the_next_run_begins(house: House):
    await house.open([asyncio.Event()], "Hi")
    running = await house.submit("1", thread_id="t")
    await house.seen(running, StepStarted)
    queued = await house.submit("2", thread_id="t")

    stopped = await house.control.cancel_thread(await thread_of(house, running))
    await house.events(queued)
    idle = await house.control.cancel_thread(await thread_of(house, running))

    assert stopped is not None
    assert stopped.id == running.run.id
    assert (await house.run(running)).status is RunStatus.CANCELLED
    assert (await house.run(queued)).status is RunStatus.COMPLETED
    assert idle is None


@pytest.mark.proves("R16")
async def test_cancelling_a_run_cancels_the_runs_it_started(house: House):
    await house.open(*[[asyncio.Event()]] * 4)
    parent = await house.submit("1", run_id="parent")
    child = await house.submit("2", run_id="child", parent_run_id="parent")
    grandchild = await house.submit("3", run_id="grandchild", parent_run_id="child")
    other = await house.submit("4", run_id="other", parent_run_id="somebody")
    for one in (parent, child, grandchild):
        await house.seen(one, StepStarted)

    await house.control.cancel(await house.run(parent))
    for one in (parent, child, grandchild):
        await house.events(one)

    statuses = [(await house.run(one)).status for one in (parent, child, grandchild)]
    assert statuses == [RunStatus.CANCELLED] * 3
    assert (await house.run(other)).status is not RunStatus.CANCELLED


async def test_all_children_are_found_however_many_ended_after_them(house: House):
    await house.open(*[[asyncio.Event()]] * 2, *["Hi"] * 201)
    parent = await house.submit("1", run_id="parent")
    child = await house.submit("2", run_id="child", parent_run_id="parent")
    for one in (parent, child):  # the first two replies of the script are theirs
        await house.seen(one, StepStarted)
    for number in range(201):
        house.clock.advance(1)
        await house.events(await house.submit("quick", run_id=f"quick {number}", parent_run_id="parent"))

    await house.control.cancel(await house.run(parent))
    await house.events(child)

    assert (await house.run(child)).status is RunStatus.CANCELLED


async def test_runs_that_name_each_other_as_parents_can_be_cancelled(house: House):
    await house.open(*[[asyncio.Event()]] * 2)
    one = await house.submit("1", run_id="a", parent_run_id="b")
    other = await house.submit("2", run_id="b", parent_run_id="a")

    async with asyncio.timeout(5):
        await house.control.cancel(await house.run(one))
        await house.events(other)

    assert (await house.run(other)).status is RunStatus.CANCELLED


async def test_superseding_a_run_that_waits_for_its_worker_closes_its_open_step(choosing: House):
    house = choosing
    await house.open(call("delete", {"path": "a"}), "Better")
    asked = await house.submit(thread_id="t")
    await house.events(asked)
    gate = house.valve.hold("claim")
    await house.control.decide(await house.run(asked), [Decision("call_1", approved=True)])

    receipt = await house.submit("Forget it", thread_id="t", mode="interrupt")
    gate.set()
    await house.events(receipt)

    assert (await house.run(asked)).status is RunStatus.CANCELLED
    assert [part.status for part in await results(house, asked)] == ["cancelled"]
    assert (await house.history(receipt))[-1].text == "Better"


async def test_waiting_for_a_run_to_rest_ends_when_it_does_or_when_the_time_is_over(house: House):
    gate = asyncio.Event()
    await house.open([gate, "Hi"])
    receipt = await house.submit()

    early = await house.control.rest(receipt.run, timeout_ms=1)
    gate.set()
    late = await house.control.rest(receipt.run, timeout_ms=5_000)

    assert early.status is RunStatus.RUNNING
    assert late.status is RunStatus.COMPLETED


# -- answering


async def test_an_approved_call_runs_with_the_arguments_a_human_changed(choosing: House):
    house = choosing
    await house.open(call("delete", {"path": "a"}), "Done.")
    asked = await house.submit()
    await house.events(asked)

    answer = Decision("call_1", approved=True, arguments={"path": "b"})
    receipt = await house.control.decide(await house.run(asked), [answer])
    events = await house.events(receipt)

    (result,) = await results(house, asked)
    assert (result.output, result.arguments) == ("deleted b", '{"path":"b"}')
    (decided,) = [event for event in events if isinstance(event, InterruptDecided)]
    assert decided.arguments == '{"path":"b"}'


@pytest.mark.parametrize(
    "answer",
    [
        Decision("call_1", approved=True, arguments={"path": 7}),
        Decision("call_1", approved=True, arguments={"other": "b"}),
        Decision("call_1", approved=False, arguments={"path": "b"}),
        Decision("call_1", arguments={"path": "b"}),
    ],
)
async def test_changed_arguments_that_do_not_fit_are_refused_and_the_question_stays_open(
    choosing: House, answer: Decision
):
    house = choosing
    await house.open(call("delete", {"path": "a"}))
    asked = await house.submit()
    await house.events(asked)

    with pytest.raises(BadRequest):
        await house.control.decide(await house.run(asked), [answer])

    assert (await house.run(asked)).status is RunStatus.WAITING


async def test_an_answer_must_fit_the_schema_of_its_question(house: House):
    @tool(frontend=True)
    def choose() -> int:
        """Choose a number."""
        raise AssertionError("the client does this")

    house.tool(choose)
    await house.open(call("choose"), "Thanks.")
    asked = await house.submit()
    await house.events(asked)

    with pytest.raises(BadRequest) as refused:
        await house.control.decide(await house.run(asked), [Decision("call_1", output="blue")])
    receipt = await house.control.decide(await house.run(asked), [Decision("call_1", output=7)])
    await house.events(receipt)

    assert "schema" in refused.value.message
    assert refused.value.details
    assert [part.output for part in await results(house, asked)] == [7]


async def test_answers_that_come_with_a_request_are_checked_as_well(house: House):
    @tool(frontend=True)
    def choose() -> int:
        """Choose a number."""
        raise AssertionError("the client does this")

    house.tool(choose)
    await house.open(call("choose"))
    asked = await house.submit(thread_id="t")
    await house.events(asked)

    with pytest.raises(BadRequest):
        await house.mailbox_submit((), thread_id="t", decisions=(Decision("call_1", output="blue"),))

    assert (await house.run(asked)).status is RunStatus.WAITING


# -- continuing with a message


@pytest.mark.proves("R12")
async def test_a_message_that_resumes_continues_the_waiting_run_and_answers_no(choosing: House):
    house = choosing
    await house.open(call("delete", {"path": "a"}), "Then not.")
    asked = await house.submit("Delete it", thread_id="t")
    await house.events(asked)

    receipt = await house.submit("Wait, do not", thread_id="t", mode="resume")
    await house.events(receipt)

    assert (receipt.effect, receipt.run.id) == ("resumed", asked.run.id)
    assert [part.status for part in await results(house, asked)] == ["denied"]
    texts = [message.text for message in await house.history(asked) if message.text]
    assert texts == ["Delete it", "Wait, do not", "Then not."]
    assert len({message.run_id for message in await house.history(asked)}) == 1


async def test_the_same_resuming_message_again_changes_nothing(choosing: House):
    house = choosing
    await house.open(call("delete", {"path": "a"}), "Then not.")
    asked = await house.submit("Delete it", thread_id="t")
    await house.events(asked)

    first = await house.submit("No", thread_id="t", mode="resume", key="k")
    await house.events(first)
    again = await house.submit("No", thread_id="t", mode="resume", key="k")

    assert (again.effect, again.run.id, again.dispatch_id) == ("replayed", asked.run.id, first.dispatch_id)
    assert [message.text for message in await house.history(asked) if message.role == "user"] == ["Delete it", "No"]


async def test_another_message_under_the_key_of_one_that_resumed_is_refused(choosing: House):
    house = choosing
    await house.open(call("delete", {"path": "a"}), "Then not.")
    asked = await house.submit("Delete it", thread_id="t")
    await house.events(asked)
    first = await house.submit("No", thread_id="t", mode="resume", key="k")
    await house.events(first)

    with pytest.raises(Conflict):
        await house.submit("Yes", thread_id="t", mode="resume", key="k")


async def test_resuming_a_thread_where_nothing_waits_starts_or_queues(house: House):
    gate = asyncio.Event()
    await house.open([gate, "1"], "2")

    first = await house.submit("a", thread_id="t", mode="resume")
    second = await house.submit("b", thread_id="t", mode="resume")
    gate.set()
    await house.events(second)

    assert (first.effect, second.effect) == ("started", "queued")


async def test_a_question_asked_twice_needs_both_answers(choosing: House):
    """A once tool with approval that a crash cut off: its outcome is unknown, so a human is asked again."""
    house = choosing
    started = asyncio.Event()

    @tool(approval=True)
    async def pay() -> str:
        """Pay."""
        started.set()
        await asyncio.Event().wait()
        return "paid"

    house.tool(pay)
    first = await house.open(call("pay"))
    asked = await house.submit()
    await house.events(asked)
    await house.control.decide(await house.run(asked), [Decision("call_1", approved=True)])
    await house.seen(asked, ToolCallStarted)
    await started.wait()

    await house.crash(first)
    house.outlive_leases()
    await house.open("Stopped.")
    await house.events(asked, after=0)
    waits = await house.run(asked)
    with pytest.raises(Conflict):
        await house.control.decide(
            waits, [Decision((await open_question(house, asked)), approved=True), Decision("call_1", approved=False)]
        )
    await house.events(await house.control.decide(waits, [Decision(await open_question(house, asked), approved=False)]))

    assert waits.status is RunStatus.WAITING
    assert [part.status for part in await results(house, asked)] == ["denied"]
    assert TextPart("Stopped.") in (await house.history(asked))[-1].parts


async def open_question(house: House, receipt: Receipt) -> str:
    records = await house.runtimes[-1].store.interrupts(receipt.run.key)
    (open_one,) = [record.interrupt.id for record in records if record.decision is None]
    return open_one
