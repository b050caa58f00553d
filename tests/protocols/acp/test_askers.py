"""Who asks: agents of code, and tools in the middle of a call; in forms, or in words where the client knows none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from wakeful import Agent, AgentRequest, AskAuthorisation, AskUser, agent, tool
from wakeful.contracts.errors import ToolQuestion
from wakeful.contracts.query import RunQuery
from wakeful.contracts.tool import ToolContext
from wakeful.providers.scripted import ScriptedProvider, call

FORMS = {"elicitation": {"form": {}}}
LINK = "https://example.com/auth"


@agent("booker")
async def booker(request: AgentRequest) -> AsyncIterator[Any]:
    """Books."""
    if not request.answers and not request.declined:
        yield "One question. "
        yield AskUser("When?", key="dates", schema={"type": "string", "minLength": 3})
    yield f"Booked for {request.answers.get('dates', 'no day')}."


@agent("entrant")
async def entrant(request: AgentRequest) -> AsyncIterator[Any]:
    """Wants a name and a right."""
    if not request.answers:
        yield AskUser("Name?", key="name", more=True)
        yield AskAuthorisation("May I?", key="right", url=LINK)
    yield f"{request.answers['name']} with {request.answers['right']}."


@tool(effect="pure")
def reserve(context: ToolContext, place: str) -> str:
    """Reserve.

    Args:
        place: Where.
    """
    if context.answer is None:
        raise ToolQuestion("How many?", schema={"type": "integer"}, resume="seats")
    if context.answer.declined:
        return "nobody"
    if context.answer.resume == "seats":
        raise ToolQuestion("Whose name?", schema={"type": "string"}, resume=f"{context.answer.output} for")
    return f"{place}: {context.answer.resume} {context.answer.output}"


def reserving() -> dict[str, Any]:
    script = ScriptedProvider([call("reserve", {"place": "Roma"}), "Reserved."])
    return {"agents": [Agent("assistant", model="scripted:x", tools=[reserve])], "providers": [script]}


def filled(*answers: Any) -> Any:
    """Fills in one form after the other."""
    left = list(answers)
    return lambda _: {"action": "accept", "content": {"answer": left.pop(0)}}


async def runs(editor: Any) -> list[Any]:
    return list((await editor.runtime.inner.store.list_runs(RunQuery(scope="default"))).items)


# -- agents of code


async def test_an_agent_of_code_asks_with_a_form_and_goes_on_with_the_answer(connect: Any) -> None:
    editor = await connect(agents=[booker], capabilities=FORMS)
    editor.answers["elicitation/create"] = filled("in May")

    assert await editor.prompt(await editor.new(), "go") == "end_turn"

    ((_, asked),) = editor.asked
    assert (asked["mode"], asked["message"]) == ("form", "When?")
    assert asked["requestedSchema"]["properties"]["answer"] == {"title": "Answer", "type": "string", "minLength": 3}
    assert editor.text() == "One question. Booked for in May."


async def test_a_form_that_does_not_fit_is_shown_again(connect: Any) -> None:
    editor = await connect(agents=[booker], capabilities=FORMS)
    editor.answers["elicitation/create"] = filled("x", "in May")

    assert await editor.prompt(await editor.new(), "go") == "end_turn"

    assert len(editor.asked) == 2
    assert editor.text().endswith("Booked for in May.")


@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_an_agent_of_code_learns_that_the_user_declined(connect: Any, action: str) -> None:
    editor = await connect(agents=[booker], capabilities=FORMS)
    editor.answers["elicitation/create"] = lambda _: {"action": action}

    assert await editor.prompt(await editor.new(), "go") == "end_turn"

    assert editor.text().endswith("Booked for no day.")


async def test_without_forms_an_agent_of_code_is_answered_by_the_next_prompt(connect: Any) -> None:
    editor = await connect(agents=[booker])
    session = await editor.new()

    assert await editor.prompt(session, "go") == "end_turn"
    assert "When?" in editor.text()
    assert "Your next message is the answer." in editor.text()
    assert await editor.prompt(session, "in May") == "end_turn"

    assert editor.text().endswith("Booked for in May.")
    assert len(await runs(editor)) == 1


async def test_a_right_is_asked_for_with_its_address_beside_another_question(connect: Any) -> None:
    editor = await connect(agents=[entrant], capabilities=FORMS)
    given = {"Name?": "Ann", f"May I?\n{LINK}": "a key"}
    editor.answers["elicitation/create"] = lambda asked: {
        "action": "accept",
        "content": {"answer": given[asked["message"]]},
    }

    assert await editor.prompt(await editor.new(), "go") == "end_turn"

    assert {asked["message"] for _, asked in editor.asked} == given.keys()
    assert editor.text() == "Ann with a key."


async def test_without_forms_a_right_is_asked_for_in_words_after_the_other_question(connect: Any) -> None:
    editor = await connect(agents=[entrant])
    session = await editor.new()

    assert await editor.prompt(session, "go") == "end_turn"
    assert "1 more questions follow." in editor.text()
    assert await editor.prompt(session, "Ann") == "end_turn"
    assert LINK in editor.text()
    assert await editor.prompt(session, "a key") == "end_turn"

    assert editor.text().endswith("Ann with a key.")


# -- tools


async def test_a_tool_asks_twice_in_the_middle_of_its_call(connect: Any) -> None:
    editor = await connect(capabilities=FORMS, **reserving())
    editor.answers["elicitation/create"] = filled(4, "Ann")

    assert await editor.prompt(await editor.new(), "go") == "end_turn"

    assert [asked["message"] for _, asked in editor.asked] == ["How many?", "Whose name?"]
    (done,) = [update for update in editor.updates if update.get("status") == "completed"]
    assert {asked["toolCallId"] for _, asked in editor.asked} == {done["toolCallId"]}
    assert done["rawOutput"] == "Roma: 4 for Ann"
    assert editor.text() == "Reserved."


async def test_a_tool_learns_that_the_user_declined(connect: Any) -> None:
    editor = await connect(capabilities=FORMS, **reserving())
    editor.answers["elicitation/create"] = lambda _: {"action": "decline"}

    assert await editor.prompt(await editor.new(), "go") == "end_turn"

    (done,) = [update for update in editor.updates if update.get("status") == "completed"]
    assert done["rawOutput"] == "nobody"


async def test_without_forms_a_tool_is_answered_by_the_next_prompts(connect: Any) -> None:
    editor = await connect(**reserving())
    session = await editor.new()

    for said in ("go", "4", "Ann"):
        assert await editor.prompt(session, said) == "end_turn"

    assert not editor.asked
    (done,) = [update for update in editor.updates if update.get("status") == "completed"]
    assert done["rawOutput"] == "Roma: 4 for Ann"
    assert editor.text().endswith("Reserved.")
    assert len(await runs(editor)) == 1


async def test_a_question_of_a_tool_waits_for_whoever_opens_the_session_next(connect: Any) -> None:
    first = await connect(**reserving())
    session = await first.new()
    await first.prompt(session, "go")

    second = await connect(runtime=first.runtime, capabilities=FORMS)
    second.answers["elicitation/create"] = filled(2, "Bob")
    await second.request("session/load", sessionId=session, cwd="/project", mcpServers=[])
    await second.until(lambda: second.text().endswith("Reserved."))

    assert [asked["message"] for _, asked in second.asked] == ["How many?", "Whose name?"]
