"""Answering again and saying it differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wakeful.contracts.errors import BadRequest
from wakeful.contracts.event import RunAccepted
from wakeful.contracts.message import TextPart
from wakeful.contracts.model_errors import ModelRequestInvalid
from wakeful.contracts.query import MessageQuery
from wakeful.contracts.request import InputMessage, Replacement
from wakeful.providers.scripted import ScriptedProvider, call
from wakeful.sdk.tool import tool

if TYPE_CHECKING:
    from tests.runtime.conftest import House

    from wakeful.runtime.receipt import Receipt


async def texts(house: House, receipt: Receipt) -> list[str]:
    return [message.text for message in await house.history(receipt) if message.text]


async def replaced(house: House, receipt: Receipt) -> list[str]:
    query = MessageQuery(thread_key=receipt.run.thread_key, replaced_by=receipt.run.id)
    return [message.text for _, message in (await house.runtimes[-1].store.list_messages(query)).items if message.text]


async def again(house: House, message_id: str | None = None) -> Receipt:
    replace = Replacement("answer", message_id)
    return await house.mailbox_submit((), thread_id="t", replace=replace, mode="interrupt")


async def test_an_answer_given_again_takes_the_place_of_all_its_steps(house: House):
    @tool(effect="pure")
    async def look() -> str:
        """Look."""
        return "seen"

    house.tool(look)
    provider = ScriptedProvider(["One.", call("look"), "Two.", "Better."])
    await house.open(provider=provider)
    await house.events(await house.submit("a", thread_id="t"))
    await house.events(await house.submit("b", thread_id="t"))

    receipt = await again(house)
    events = await house.events(receipt)

    assert await texts(house, receipt) == ["a", "One.", "b", "Better."]
    assert await replaced(house, receipt) == ["Two."]
    assert [message.role for message in provider.requests[-1].messages] == ["user", "assistant", "user"]
    assert isinstance(events[0], RunAccepted)
    assert events[0].replaces is not None


async def test_any_answer_can_be_given_again_and_what_followed_it_goes(house: House):
    await house.open("One.", "Two.", "Other.")
    first = await house.submit("a", thread_id="t")
    await house.events(first)
    await house.events(await house.submit("b", thread_id="t"))
    answer = (await house.history(first))[1].id

    receipt = await again(house, answer)
    await house.events(receipt)

    assert await texts(house, receipt) == ["a", "Other."]
    assert await replaced(house, receipt) == ["One.", "b", "Two."]


async def test_an_edited_message_takes_the_place_of_itself_and_what_followed(house: House):
    await house.open("One.", "Two.", "Better.")
    first = await house.mailbox_submit((said("a", "m1"),), thread_id="t")
    await house.events(first)
    await house.events(await house.submit("b", thread_id="t"))

    receipt = await house.mailbox_submit((said("A!", "m1"),), thread_id="t", replace=Replacement("message", "m1"))
    await house.events(receipt)

    assert await texts(house, receipt) == ["A!", "Better."]
    assert await replaced(house, receipt) == ["a", "One.", "b", "Two."]


async def test_an_edit_of_a_message_that_never_arrived_is_a_new_message(house: House):
    await house.open("One.")

    receipt = await house.mailbox_submit((said("a", "m1"),), thread_id="t", replace=Replacement("message", "m1"))
    await house.events(receipt)

    assert await texts(house, receipt) == ["a", "One."]


@pytest.mark.parametrize("message_id", [None, "unknown", "m1"])
async def test_without_such_an_answer_nothing_happens(house: House, message_id: str | None):
    runtime = await house.open()

    with pytest.raises(BadRequest):
        await again(house, message_id)

    assert await runtime.store.get_thread("s", "t") is None


def said(text: str, message_id: str) -> InputMessage:
    return InputMessage("user", (TextPart(text),), message_id)


async def test_a_message_whose_answer_failed_is_answered_again_and_nothing_is_replaced(house: House):
    await house.open("One.", ModelRequestInvalid("no"), "Two.")
    first = await house.submit("a", thread_id="t")
    await house.events(first)
    await house.events(await house.submit("b", thread_id="t"))

    receipt = await again(house)
    await house.events(receipt)

    assert await texts(house, receipt) == ["a", "One.", "b", "Two."]
    assert await replaced(house, receipt) == []


async def test_a_first_message_whose_answer_failed_is_answered_again(house: House):
    await house.open(ModelRequestInvalid("no"), "One.")
    await house.events(await house.submit("a", thread_id="t"))

    receipt = await again(house)
    await house.events(receipt)

    assert await texts(house, receipt) == ["a", "One."]


async def test_a_message_that_never_arrived_is_new_and_leaves_the_answer_before_it(house: House):
    await house.open("One.", "Two.")
    first = await house.mailbox_submit((said("a", "m1"),), thread_id="t")
    await house.events(first)

    receipt = await house.mailbox_submit(
        (said("a", "m1"), said("b", "m2")), thread_id="t", replace=Replacement("answer"), mode="interrupt"
    )
    await house.events(receipt)

    assert await texts(house, receipt) == ["a", "One.", "b", "Two."]


async def test_an_empty_thread_has_nothing_to_answer_again(house: House):
    await house.open("One.")

    with pytest.raises(BadRequest, match="no message to answer again"):
        await again(house)
