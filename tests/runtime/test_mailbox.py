"""The mailbox: what becomes of a request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from wakeful.contracts.errors import BadRequest, Conflict, NotFound
from wakeful.contracts.event import (
    InterruptRaised,
    RunAccepted,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
    ToolCallFinished,
)
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import TextPart, ToolResultPart
from wakeful.contracts.request import InputMessage, RunRequest
from wakeful.contracts.spec import AgentSpec
from wakeful.providers.scripted import call
from wakeful.runtime.retirements import UNANSWERED
from wakeful.sdk.tool import tool

if TYPE_CHECKING:
    from tests.runtime.conftest import House

    from wakeful.runtime.receipt import Receipt

AGENTS = ("first", "second", "default")


def messages(*ids: str) -> tuple[InputMessage, ...]:
    return tuple(InputMessage("user", (TextPart(f"text of {one}"),), one) for one in ids)


@pytest.fixture
def approving(house: House) -> House:
    """A house whose agent has a tool that asks."""

    @tool(approval=True)
    async def delete() -> str:
        """Delete."""
        return "gone"

    house.tool(delete)
    return house


async def waiting(house: House, **request: Any) -> Receipt:
    receipt = await house.submit(**request)
    await house.events(receipt)
    assert (await house.run(receipt)).status is RunStatus.WAITING
    return receipt


async def test_a_new_turn_that_nothing_is_in_the_way_of_is_one_call_of_the_store(house: House):
    await house.open("One", "Two", "Three")
    await house.events(await house.submit())  # from here on the worker is there
    await house.events(await house.submit(agent_id="assistant", thread_id="t"))
    house.valve.calls.clear()

    receipt = await house.submit(agent_id="assistant", thread_id="t", mode="interrupt")

    assert house.valve.calls == ["accept"]
    assert receipt.effect == "started"


async def test_a_run_is_seen_to_start_before_anything_else_is_written_or_read(house: House):
    await house.open("One", "Two")
    first = await house.submit(thread_id="t")  # once it is carried, the worker is there
    await house.events(first)
    held = [house.valve.hold(name) for name in ("append", "settle", "history", "read_log")]

    receipt = await house.submit(thread_id="t")

    await house.seen(receipt, RunStarted("assistant"))
    assert receipt.effect == "started"
    for event in held:
        event.set()


async def test_a_request_without_a_thread_gets_a_new_one(house: House):
    await house.open("Hi", "Hi")

    one, other = await house.submit(), await house.submit()

    assert one.run.thread_id != other.run.thread_id
    events = await house.events(one)
    assert isinstance(events[0], RunAccepted)


async def test_a_known_thread_goes_on_with_its_history(house: House):
    await house.open("Hi", "Fine")
    await house.events(await house.submit("Hello", thread_id="t"))

    receipt = await house.submit("How are you?", thread_id="t")
    await house.events(receipt)

    assert [message.text for message in await house.history(receipt)] == ["Hello", "Hi", "How are you?", "Fine"]


async def test_a_message_the_thread_has_is_not_added_again(house: House):
    await house.open("Hi", "Fine")
    await house.events(await house.mailbox_submit(messages("a"), thread_id="t"))

    receipt = await house.mailbox_submit(messages("a", "b"), thread_id="t")
    await house.events(receipt)

    users = [message.id for message in await house.history(receipt) if message.role == "user"]
    assert users == ["a", "b"]


async def test_the_same_request_twice_is_one_run(house: House):
    await house.open("Hi")
    one = await house.submit(run_id="r", thread_id="t")
    await house.events(one)

    again = await house.submit(run_id="r", thread_id="t")

    assert (again.effect, again.run.key) == ("replayed", one.run.key)
    assert [type(event) for event in await house.events(again)] == [type(event) for event in await house.events(one)]


async def test_another_request_under_a_known_run_id_is_refused(house: House):
    await house.open("Hi")
    await house.events(await house.submit("Hello", run_id="r", thread_id="t"))

    with pytest.raises(Conflict):
        await house.submit("Something else", run_id="r", thread_id="t")


async def test_an_idempotency_key_recognises_a_request_without_ids(house: House):
    await house.open("Hi")
    request = RunRequest(messages=messages("a"))
    one = await house.mailbox.submit("s", request, origin="test", mode="queue", idempotency_key="k")

    again = await house.mailbox.submit("s", request, origin="test", mode="queue", idempotency_key="k")
    with pytest.raises(Conflict):
        await house.mailbox.submit(
            "s", RunRequest(messages=messages("b")), origin="test", mode="queue", idempotency_key="k"
        )

    assert (again.effect, again.run.id) == ("replayed", one.run.id)
    await house.events(one)


@pytest.mark.parametrize(
    ("agents", "before", "asked", "chosen"),
    [
        (AGENTS, None, None, "default"),
        (AGENTS, None, "second", "second"),
        (AGENTS, "first", None, "first"),
        (AGENTS, "first", "second", "second"),
        (("first", "second"), None, None, "first"),
    ],
)
async def test_the_agent_is_the_named_one_else_the_threads_else_the_default(
    house: House, agents: tuple[str, ...], before: str | None, asked: str | None, chosen: str
):
    house.agents = [AgentSpec(id=name, model="scripted:any") for name in agents]
    await house.open("Hi", "Hi")
    if before:
        await house.events(await house.submit(thread_id="t", agent_id=before))

    receipt = await house.submit(thread_id="t", agent_id=asked)

    assert receipt.run.agent_id == chosen
    await house.events(receipt)


async def test_an_unknown_agent_is_not_found_and_nothing_is_written(house: House):
    runtime = await house.open()

    with pytest.raises(NotFound):
        await house.submit(thread_id="t", agent_id="nobody")

    assert await runtime.store.get_thread("s", "t") is None


async def test_a_request_that_brings_nothing_is_refused(house: House):
    await house.open()

    with pytest.raises(BadRequest):
        await house.mailbox_submit((), thread_id="t")


async def test_superseding_ends_what_the_thread_was_doing_then_runs(house: House):
    await house.open(["Half ", asyncio.Event()], "Better")
    running = await house.submit("1", thread_id="t")
    await house.seen(running, StepStarted)
    queued = await house.submit("2", thread_id="t")

    receipt = await house.submit("3", thread_id="t", mode="interrupt")
    await house.events(receipt)

    ends = [(await house.events(one))[-1] for one in (running, queued, receipt)]
    assert ends[0] == RunFinished("cancelled", "superseded")
    assert ends[1] == RunFinished("cancelled", "superseded")
    assert isinstance(ends[2], RunFinished)
    assert ends[2].outcome == "completed"
    assert [message.text for message in await house.history(receipt)] == ["1", "Half ", "3", "Better"]


async def test_superseding_a_waiting_run_answers_its_open_calls_as_cancelled(approving: House):
    house = approving
    await house.open([call("delete", call_id="a"), call("delete", call_id="b")], "Never mind then.")
    asked = await waiting(house, thread_id="t")

    receipt = await house.submit("Forget it", thread_id="t", mode="interrupt")
    await house.events(receipt)

    end = await house.events(asked, after=0)
    parts = [part for message in await house.history(receipt) for part in message.parts]
    results = [part for part in parts if isinstance(part, ToolResultPart)]
    assert [(part.call_id, part.status, part.output) for part in results] == [
        ("a", "cancelled", UNANSWERED), ("b", "cancelled", UNANSWERED),
    ]  # fmt: skip
    assert [type(event) for event in end[-4:]] == [ToolCallFinished, ToolCallFinished, StepFinished, RunFinished]
    assert (await house.history(receipt))[-1].text == "Never mind then."


async def test_a_request_sent_twice_does_not_supersede_itself(approving: House):
    house = approving
    await house.open(call("delete"))
    asked = await waiting(house, thread_id="t", run_id="r")

    again = await house.submit(thread_id="t", run_id="r", mode="interrupt")

    assert again.effect == "replayed"
    assert (await house.run(asked)).status is RunStatus.WAITING


async def test_a_request_of_decisions_continues_the_waiting_run(approving: House):
    house = approving
    await house.open(call("delete", call_id="a"), "Gone.")
    asked = await waiting(house, thread_id="t")

    receipt = await house.mailbox_submit((), thread_id="t", decisions=(Decision("a", approved=True),))
    events = await house.events(receipt)

    assert (receipt.effect, receipt.run.id) == ("resumed", asked.run.id)
    assert not any(isinstance(event, InterruptRaised) for event in events)
    assert (await house.history(receipt))[-1].text == "Gone."


async def test_some_decisions_of_several_leave_the_run_waiting(approving: House):
    house = approving
    await house.open([call("delete", call_id="a"), call("delete", call_id="b")], "Both.")
    asked = await waiting(house)

    one = await house.control.decide(await house.run(asked), [Decision("a", approved=True)])
    both = await house.control.decide(
        await house.run(asked), [Decision("a", approved=True), Decision("b", approved=False)]
    )
    await house.events(both)

    assert (one.effect, len(one.accepted), one.already) == ("waiting", 1, ())
    assert (both.effect, len(both.accepted), both.already) == ("resumed", 1, one.accepted)


async def test_a_decision_repeated_after_the_run_went_on_changes_nothing(approving: House):
    house = approving
    await house.open(call("delete", call_id="a"), "Gone.")
    asked = await waiting(house)
    await house.events(await house.control.decide(await house.run(asked), [Decision("a", approved=True)]))

    again = await house.control.decide(await house.run(asked), [Decision("a", approved=True)])

    assert (again.effect, again.accepted) == ("replayed", ())
    with pytest.raises(Conflict):
        await house.control.decide(await house.run(asked), [Decision("a", approved=False)])


async def test_decisions_on_a_thread_that_waits_for_none_are_refused(house: House):
    await house.open("Hi")
    await house.events(await house.submit(thread_id="t"))

    for thread_id in ("t", "unknown", None):
        with pytest.raises(Conflict):
            await house.mailbox_submit((), thread_id=thread_id, decisions=(Decision("a", approved=True),))


async def test_cancelling_a_queued_run_ends_it_at_once_and_the_running_one_goes_on(house: House):
    gate = asyncio.Event()
    await house.open([gate, "Hi"])
    running, queued = await house.submit("1", thread_id="t"), await house.submit("2", thread_id="t")

    cancelled = await house.control.cancel(await house.run(queued))
    gate.set()
    await house.events(running)

    assert cancelled.status is RunStatus.CANCELLED
    assert (await house.run(running)).status is RunStatus.COMPLETED
    assert [message.text for message in await house.history(queued)] == ["1", "Hi"]


async def test_cancelling_a_waiting_run_lets_the_next_one_of_its_thread_begin(approving: House):
    house = approving
    await house.open(call("delete"), "Hi")
    asked = await waiting(house, thread_id="t")
    behind = await house.submit("2", thread_id="t")

    await house.control.cancel(await house.run(asked))
    await house.events(behind)

    assert (await house.run(asked)).status is RunStatus.CANCELLED
    assert (await house.run(behind)).status is RunStatus.COMPLETED


async def test_cancelling_a_resumed_run_before_it_goes_on_answers_its_open_calls(approving: House):
    house = approving
    await house.open(call("delete", call_id="a"))
    asked = await waiting(house)
    gate = house.valve.hold("history")
    house.valve.calls.clear()
    await house.control.decide(await house.run(asked), [Decision("a", approved=True)])
    await house.valve.called("history")

    await house.control.cancel(await house.run(asked))
    gate.set()
    events = await house.events(asked, after=0)

    assert [type(event) for event in events[-2:]] == [StepFinished, RunFinished]
    results = [part for message in await house.history(asked) for part in message.parts]
    assert [part.status for part in results if isinstance(part, ToolResultPart)] == ["cancelled"]


async def test_cancelling_a_finished_run_leaves_it_as_it_is(house: House):
    await house.open("Hi")
    receipt = await house.submit()
    await house.events(receipt)

    run = await house.control.cancel(await house.run(receipt))

    assert run.status is RunStatus.COMPLETED
