"""Questions in words as interrupts: a tool's, and those of an agent without a model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.protocols.ag_ui.asking import USER, Chat, cancelled, entry, events, launch, refused, result, without_messages

from wakeful import AgentRequest, AskAuthorisation, AskUser, agent
from wakeful.contracts.errors import ToolQuestion
from wakeful.contracts.tool import ToolContext
from wakeful.providers.scripted import ScriptedProvider, call
from wakeful.sdk.agent import Agent
from wakeful.sdk.tool import tool

DAY = {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]}
SAID = {"day": "Friday"}


@tool
async def book(context: ToolContext) -> Any:
    """Book."""
    if context.answer is None:
        raise ToolQuestion("When?", schema=DAY)
    return "declined" if context.answer.declined else context.answer.output


@agent("assistant")
async def clerk(request: AgentRequest) -> AsyncIterator[Any]:
    """Asks twice at once."""
    if not request.answers and not request.declined:
        yield AskUser("Who?", key="name", more=True)
        yield AskAuthorisation("May I?", key="key", url="https://example.com/auth")
    yield f"{dict(request.answers)} {sorted(request.declined)}"


def answer(interrupt: str, payload: Any) -> dict[str, Any]:
    return {"interruptId": interrupt, "status": "resolved", "payload": payload}


def words(found: list[dict[str, Any]]) -> str:
    return "".join(event["delta"] for event in found if event["type"] == "TEXT_MESSAGE_CONTENT")


def output(found: list[dict[str, Any]]) -> list[str]:
    return [event["content"] for event in found if event["type"] == "TOOL_CALL_RESULT"]


@pytest.fixture
async def booking(serve: Any) -> Chat:
    """A thread whose tool asks when it is called."""
    booker = Agent("assistant", model="scripted:any", tools=[book, launch])
    return Chat(await serve(agents=[booker], providers=[ScriptedProvider([[call("book", call_id="b")], "Done."])]))


@pytest.fixture
async def form(serve: Any) -> Chat:
    """A thread of an agent without a model, which asks two things."""
    return Chat(await serve(agents=[clerk]))


@pytest.mark.parametrize("version", [None, "1.0"])
async def test_a_tools_question_is_an_interrupt_with_its_words_and_schema(booking: Chat, version: str | None) -> None:
    found = events((await booking.post(version, messages=[USER])).text)

    (asked,) = found[-1]["outcome"]["interrupts"]
    assert {key: asked[key] for key in ("reason", "message", "responseSchema", "toolCallId")} == {
        "reason": "input_required",
        "message": "When?",
        "responseSchema": DAY,
        "toolCallId": "b",
    }
    assert "MESSAGES_SNAPSHOT" in [event["type"] for event in found]


async def test_the_payload_is_the_answer(booking: Chat) -> None:
    (question,) = await booking.ask(messages=[USER])

    found = await booking.answer(answer(question, SAID))
    again = await booking.answer(answer(question, SAID), runId="t-2")

    assert output(found) == ['{"day":"Friday"}']
    assert found[-1]["outcome"] == {"type": "success"}
    assert without_messages(again) == found


async def test_another_payload_later_is_refused(booking: Chat) -> None:
    (question,) = await booking.ask(messages=[USER])
    await booking.answer(answer(question, SAID))

    assert refused(await booking.answer(answer(question, {"day": "Monday"})), "INTERRUPT_MISMATCH")


@pytest.mark.parametrize("status", ["cancelled", "odd", None])
async def test_whatever_is_not_resolved_declines(booking: Chat, status: str | None) -> None:
    (question,) = await booking.ask(messages=[USER])

    found = await booking.answer({"interruptId": question, "status": status, "payload": SAID})

    assert output(found) == ["declined"]


async def test_a_payload_that_does_not_fit_leaves_the_question_open(booking: Chat) -> None:
    (question,) = await booking.ask(messages=[USER])

    response = await booking.post(resume=[answer(question, {"approved": True})])
    found = await booking.answer(answer(question, SAID))

    assert (response.status_code, response.json()["code"]) == (400, "bad_request")
    assert output(found) == ['{"day":"Friday"}']


async def test_a_tool_message_is_no_answer_to_a_question(booking: Chat) -> None:
    await booking.ask(messages=[USER])
    before = await booking.stored()

    found = events((await booking.post(messages=[USER, result("b", '{"day":"Friday"}')])).text)

    assert refused(found, "INTERRUPTS_OPEN")
    assert await booking.stored() == before


async def test_an_approval_and_a_question_are_answered_together_or_not_at_all(serve: Any) -> None:
    booker = Agent("assistant", model="scripted:any", tools=[book, launch])
    replies = [[call("launch", call_id="l"), call("book", call_id="b")], "Done."]
    chat = Chat(await serve(agents=[booker], providers=[ScriptedProvider(replies)]))
    asked = events((await chat.post(messages=[USER])).text)[-1]["outcome"]["interrupts"]
    ids = {interrupt["reason"]: interrupt["id"] for interrupt in asked}

    partial = await chat.answer(answer(ids["input_required"], SAID))
    whole = await chat.answer(entry(ids["confirmation"]), answer(ids["input_required"], SAID))

    assert refused(partial, "INTERRUPTS_OPEN")
    assert sorted(output(whole)) == ["launched ", '{"day":"Friday"}']


async def test_an_agent_without_a_model_asks_with_interrupts(form: Chat) -> None:
    found = events((await form.post(messages=[USER])).text)

    asked = found[-1]["outcome"]["interrupts"]
    assert [(one["message"], one["reason"], one["responseSchema"]) for one in asked] == [
        ("Who?", "input_required", {"type": "string"}),
        ("May I?", "input_required", {"type": "string"}),
    ]


async def test_its_questions_are_answered_and_declined_in_one_request(form: Chat) -> None:
    name, key = await form.ask(messages=[USER])

    partial = await form.answer(answer(name, "Ann"))
    found = await form.answer(answer(name, "Ann"), cancelled(key))
    again = await form.answer(answer(name, "Ann"), cancelled(key), runId="t-3")

    assert refused(partial, "INTERRUPTS_OPEN")
    assert words(found) == "{'name': 'Ann'} ['key']"
    assert words(again) == words(found)


async def test_a_pages_own_tool_of_that_name_stays_a_call_of_the_page(serve: Any) -> None:
    own = {"name": "ask_user", "description": "Ask.", "parameters": {"type": "object", "properties": {}}}
    replies = [[call("ask_user", {"question": "Who?"}, call_id="q")], "Done."]
    chat = Chat(await serve(agents=[Agent("assistant", model="scripted:any")], providers=[ScriptedProvider(replies)]))

    asked = events((await chat.post(messages=[USER], tools=[own])).text)
    found = events((await chat.post(messages=[USER, result("q", "Ann")], tools=[own])).text)

    assert asked[-1]["outcome"] == {"type": "success", "pendingToolCallIds": ["q"]}
    assert output(found) == ["Ann"]
