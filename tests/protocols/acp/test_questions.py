"""Approvals, forms and questions; asked on one connection, answered there or anywhere else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from wakeful import Agent, tool
from wakeful.contracts.interrupt import Decision, Interrupt
from wakeful.contracts.query import RunQuery
from wakeful.protocols.acp import questions, requests
from wakeful.providers.scripted import ScriptedProvider, call

FORMS = {"elicitation": {"form": {}}}


@tool(frontend=True)
def ask_page(question: str) -> str:
    """Ask.

    Args:
        question: What.
    """


@tool(approval=True)
def send(to: str) -> str:
    """Send.

    Args:
        to: Where.
    """
    return f"sent to {to}"


def parts(*replies: Any) -> dict[str, Any]:
    agent = Agent("assistant", model="scripted:x", tools=[ask_page, send])
    return {"agents": [agent], "providers": [ScriptedProvider(list(replies))]}


async def the_run(editor: Any) -> Any:
    return (await editor.runtime.inner.store.list_runs(RunQuery(scope="default"))).items[0]


@pytest.mark.proves("C01")
async def test_an_allowed_call_runs_and_the_turn_goes_on(editor: Any, allowing: Any) -> None:
    editor.answers["session/request_permission"] = allowing
    session = await editor.new()

    assert await editor.prompt(session, "email bob@example.com hi") == "end_turn"

    ((_, asked),) = editor.asked
    call_id = next(update["toolCallId"] for update in editor.updates if update["sessionUpdate"] == "tool_call")
    assert asked["sessionId"] == session
    assert asked["toolCall"]["toolCallId"] == call_id
    assert asked["toolCall"]["rawInput"] == {"to": "bob@example.com", "body": "hi"}
    assert [option["kind"] for option in asked["options"]] == [
        "allow_once",
        "reject_once",
        "allow_always",
        "reject_always",
    ]
    assert editor.statuses()[0] == "pending"
    assert "in_progress" in editor.statuses()
    assert editor.statuses()[-1] == "completed"
    assert "I sent the email" in editor.text()


async def test_a_rejected_call_does_not_run(editor: Any, rejecting: Any) -> None:
    editor.answers["session/request_permission"] = rejecting

    assert await editor.prompt(await editor.new(), "email bob@example.com hi") == "end_turn"

    assert editor.statuses()[-1] == "failed"
    assert "in_progress" not in editor.statuses()
    assert "I did not send" in editor.text()


@pytest.mark.parametrize(
    "answer",
    [
        {"outcome": {"outcome": "selected", "optionId": "allow_forever"}},
        {"outcome": {"outcome": "selected"}},
        {"outcome": {"outcome": "surely", "optionId": "allow_once"}},
        {"outcome": True},
        {},
    ],
)
async def test_only_what_was_offered_allows(editor: Any, answer: Any) -> None:
    editor.answers["session/request_permission"] = lambda _: answer

    assert await editor.prompt(await editor.new(), "email bob@example.com hi") == "end_turn"

    assert "I did not send" in editor.text()


async def test_a_client_that_cannot_ask_allows_nothing(editor: Any) -> None:
    editor.answers["session/request_permission"] = lambda _: None  # an error

    assert await editor.prompt(await editor.new(), "email bob@example.com hi") == "end_turn"

    assert "I did not send" in editor.text()


async def test_a_cancelled_permission_cancels_the_turn(editor: Any) -> None:
    editor.answers["session/request_permission"] = lambda _: {"outcome": {"outcome": "cancelled"}}

    assert await editor.prompt(await editor.new(), "email bob@example.com hi") == "cancelled"

    assert (await the_run(editor)).status == "cancelled"


async def test_a_cancel_while_a_permission_is_asked_ends_the_turn(editor: Any) -> None:
    session = await editor.new()
    prompt = editor.start_prompt(session, "email bob@example.com hi")
    await editor.until(lambda: editor.asked)

    editor.notify("session/cancel", sessionId=session)

    async with asyncio.timeout(10):
        assert (await prompt)["stopReason"] == "cancelled"
    assert len(editor.called_off) == 1
    assert "result" in editor.heard[-1]


async def test_permissions_are_asked_together_and_hold_up_nothing_else(connect: Any, allowing: Any) -> None:
    calls = [call("send", {"to": "a"}), call("send", {"to": "b"})]
    editor = await connect(**parts(calls, "Meanwhile.", "All done."))
    answered = asyncio.Event()

    async def later(params: Any) -> Any:
        await answered.wait()
        return allowing(params)

    editor.answers["session/request_permission"] = later
    prompt = editor.start_prompt(await editor.new(), "go")
    await editor.until(lambda: len(editor.asked) == 2)

    assert await editor.prompt(await editor.new(), "hello") == "end_turn"
    assert editor.text() == "Meanwhile."
    answered.set()

    async with asyncio.timeout(10):
        assert (await prompt)["stopReason"] == "end_turn"
    assert editor.statuses().count("completed") == 2
    assert editor.text() == "Meanwhile.All done."


async def test_an_approval_given_elsewhere_calls_the_request_off(connect: Any) -> None:
    gate = asyncio.Event()
    editor = await connect(**parts(call("send", {"to": "a"}), [gate, "Gone."]))
    prompt = editor.start_prompt(await editor.new(), "go")
    await editor.until(lambda: editor.asked)
    run = await the_run(editor)
    async with asyncio.timeout(10):
        await editor.runtime.inner.feed.until_rest(run.key)
    (record,) = await editor.runtime.inner.store.interrupts(run.key)

    await editor.runtime.inner.control.decide(run, [Decision(record.interrupt.id, approved=True)])

    await editor.until(lambda: editor.called_off)
    gate.set()
    async with asyncio.timeout(10):
        assert (await prompt)["stopReason"] == "end_turn"
    assert editor.text() == "Gone."


async def test_a_new_prompt_replaces_a_run_that_waits(editor: Any) -> None:
    session = await editor.new()
    first = editor.start_prompt(session, "email bob@example.com hi")
    await editor.until(lambda: editor.asked)

    assert await editor.prompt(session, "hello") == "end_turn"

    assert (await first)["stopReason"] == "cancelled"
    assert "sent" not in editor.text()


# -- questions that are no approvals


async def test_a_question_is_a_form_where_the_client_knows_forms(connect: Any) -> None:
    editor = await connect(capabilities=FORMS, **parts(call("ask_page", {"question": "Red?"}), "Thanks."))
    editor.answers["elicitation/create"] = lambda _: {"action": "accept", "content": {"answer": "blue"}}
    session = await editor.new()

    assert await editor.prompt(session, "go") == "end_turn"

    ((_, asked),) = editor.asked
    assert (asked["mode"], asked["sessionId"]) == ("form", session)
    assert asked["message"]
    (finished,) = [update for update in editor.updates if update.get("status") == "completed"]
    assert (asked["toolCallId"], finished["rawOutput"]) == (finished["toolCallId"], "blue")


@pytest.mark.parametrize("answer", [{"action": "decline"}, {"action": "cancel"}, {"action": "accept"}, {"action": "x"}])
async def test_a_form_that_is_not_filled_in_is_no_answer(connect: Any, answer: Any) -> None:
    editor = await connect(capabilities=FORMS, **parts(call("ask_page", {"question": "Red?"}), "Never mind."))
    editor.answers["elicitation/create"] = lambda _: answer

    assert await editor.prompt(await editor.new(), "go") == "end_turn"

    assert editor.statuses()[-1] == "failed"
    assert editor.text() == "Never mind."


async def test_without_forms_the_turn_ends_and_the_next_prompt_is_the_answer(connect: Any) -> None:
    asked = [call("ask_page", {"question": "Red?"}), call("ask_page", {"question": "Blue?"})]
    editor = await connect(**parts(asked, "Thanks."))
    session = await editor.new()

    assert await editor.prompt(session, "go") == "end_turn"
    assert "Your next message is the answer." in editor.text()
    assert await editor.prompt(session, "no") == "end_turn"
    assert await editor.prompt(session, "yes") == "end_turn"

    assert not editor.asked
    results = [update.get("rawOutput") for update in editor.updates if update.get("status") == "completed"]
    assert results == ["no", "yes"]
    assert editor.text().endswith("Thanks.")
    assert (await editor.runtime.inner.store.list_runs(RunQuery(scope="default"))).total == 1


async def test_a_client_whose_form_fails_is_asked_in_words(connect: Any) -> None:
    editor = await connect(capabilities=FORMS, **parts(call("ask_page", {"question": "Red?"}), "Thanks."))
    editor.answers["elicitation/create"] = lambda _: None  # an error

    assert await editor.prompt(await editor.new(), "go") == "end_turn"

    assert "Your next message is the answer." in editor.text()


# -- pure parts


def interrupt(schema: Any) -> Interrupt:
    return Interrupt("i", "question", "c", "t", "{}", "How?", schema)


ADDRESS = {
    "type": "object",
    "properties": {"street": {"type": "string", "format": "uuid"}, "number": {"type": "integer", "minimum": 1}},
    "required": ["street"],
}


@pytest.mark.parametrize(
    ("schema", "filled", "output"),
    [
        (None, {"answer": "x"}, "x"),
        ({"type": "integer"}, {"answer": 3}, 3),
        ({"type": "string", "enum": ["a", "b"]}, {"answer": "a"}, "a"),
        (ADDRESS, {"street": "s", "number": 2}, {"street": "s", "number": 2}),
        ({"type": ["string", "null"]}, {"answer": '"x"'}, "x"),
        ({"type": "array", "items": {"type": "string"}}, {"answer": '["x"]'}, ["x"]),
        ({"type": "object", "properties": {"a": {"type": "object"}}}, {"answer": '{"a":{}}'}, {"a": {}}),
    ],
)
def test_a_form_has_an_answer_of_the_question_s_schema(schema: Any, filled: Any, output: Any) -> None:
    asked = interrupt(schema)

    shape = questions.form(schema)
    decision = questions.form_decision(asked, requests.ElicitAnswer("accept", filled))

    assert decision.output == output
    assert set(filled) <= set(shape.schema["properties"])
    assert all(field["type"] in questions.PRIMITIVES for field in shape.schema["properties"].values())
    assert "uuid" not in str(shape.schema)


@pytest.mark.parametrize(
    ("schema", "said", "output"),
    [
        (None, "7", "7"),
        ({"type": "string"}, "7", "7"),
        ({"type": "integer"}, " 7 ", 7),
        ({"type": "boolean"}, "true", True),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, "red", {"a": "red"}),
        (ADDRESS, '{"street":"s"}', {"street": "s"}),
        (ADDRESS, "gibberish", "gibberish"),
    ],
)
def test_words_are_read_as_the_question_s_schema_says(schema: Any, said: str, output: Any) -> None:
    assert questions.text_decision(interrupt(schema), said).output == output
