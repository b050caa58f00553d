"""Answers that come again, and answers that come with something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wakeful.contracts.errors import BadRequest, Conflict
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.message import ToolResultPart
from wakeful.contracts.request import RunRequest
from wakeful.contracts.run import FrontendTool, RunOptions
from wakeful.providers.scripted import call
from wakeful.sdk.tool import tool

if TYPE_CHECKING:
    from tests.runtime.conftest import House

    from wakeful.runtime.receipt import Receipt

CAMERA = RunOptions(frontend_tools=(FrontendTool("snap", "Take a picture.", {"type": "object", "properties": {}}),))


@tool(approval=True)
async def delete() -> str:
    """Delete it."""
    return "deleted"


@tool(frontend=True)
def pick() -> int:
    """Pick a number."""
    raise AssertionError("the client does it")


async def given(house: House, receipt: Receipt, *decisions: Decision) -> Receipt:
    request = RunRequest(thread_id=receipt.run.thread_id, decisions=decisions)
    return await house.mailbox.submit(receipt.run.scope, request, origin="test", mode="interrupt")


async def results(house: House, receipt: Receipt) -> list[tuple[str, object]]:
    parts = [part for message in await house.history(receipt) for part in message.parts]
    return [(part.status, part.output) for part in parts if isinstance(part, ToolResultPart)]


async def test_an_answer_given_again_after_the_end_shows_the_same_continuation(house: House):
    house.tool(delete)
    await house.open(call("delete", call_id="a"), call("delete", call_id="b"), "Done.")
    first = await house.submit()
    await house.events(first)
    continued = await given(house, first, Decision("a", approved=True))
    shown = await house.entries(continued)
    last = await given(house, first, Decision("b", approved=True))
    end = await house.entries(last)

    again = await given(house, first, Decision("a", approved=True))
    last_again = await given(house, first, Decision("b", approved=True))

    assert (again.effect, again.run.id, last_again.effect) == ("replayed", first.run.id, "replayed")
    assert (await house.entries(again))[: len(shown)] == shown
    assert await house.entries(last_again) == end
    assert await results(house, first) == [("succeeded", "deleted"), ("succeeded", "deleted")]


async def test_another_answer_after_the_end_is_refused(house: House):
    house.tool(delete)
    await house.open(call("delete", call_id="a"), "Done.")
    first = await house.submit()
    await house.events(first)
    await house.events(await given(house, first, Decision("a", approved=True)))

    with pytest.raises(Conflict, match="already decided differently"):
        await given(house, first, Decision("a", approved=False))


async def test_an_answer_to_a_question_that_was_never_decided_comes_too_late(house: House):
    house.tool(delete)
    await house.open(call("delete", call_id="a"))
    first = await house.submit()
    await house.events(first)
    await house.control.cancel(first.run)

    with pytest.raises(Conflict, match="no run of this thread waits"):
        await given(house, first, Decision("a", approved=True))


async def test_what_the_client_did_is_kept_when_a_message_comes_with_it(house: House):
    await house.open(
        [call("snap", {}, call_id="a"), call("snap", {}, call_id="b"), call("snap", {}, call_id="c")], "Nice."
    )
    first = await house.submit(options=CAMERA)
    await house.events(first)

    answers = (Decision("a", output={"picture": 1}), Decision("b", output="it is dark", failed=True))
    second = await house.submit("hello", thread_id=first.run.thread_id, decisions=answers, mode="interrupt")
    await house.events(second)

    assert await results(house, first) == [
        ("succeeded", {"picture": 1}),
        ("failed", "it is dark"),
        ("cancelled", "The run was ended before this call was answered."),
    ]
    assert (await house.run(first)).stop_reason == "superseded"


async def test_an_approval_that_comes_with_a_message_runs_nothing(house: House):
    house.tool(delete)
    await house.open(call("delete", call_id="a"), "Fine.")
    first = await house.submit()
    await house.events(first)

    second = await house.submit(
        "never mind", thread_id=first.run.thread_id, decisions=(Decision("a", approved=True),), mode="interrupt"
    )
    await house.events(second)

    assert [status for status, _ in await results(house, first)] == ["cancelled"]


async def test_what_the_client_did_must_fit_also_when_a_message_comes_with_it(house: House):
    house.tool(pick)
    await house.open(call("pick", {}, call_id="a"))
    first = await house.submit()
    await house.events(first)

    with pytest.raises(BadRequest, match="does not fit the schema"):
        await house.submit(
            "hi", thread_id=first.run.thread_id, decisions=(Decision("a", output="many"),), mode="interrupt"
        )

    assert await results(house, first) == []
