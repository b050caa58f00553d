"""Questions of tools: a call that asks waits, and is run again with the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wakeful.contracts.errors import ToolQuestion
from wakeful.contracts.event import ToolCallFinished, ToolCallStarted
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.tool import CallAnswer, ToolContext
from wakeful.engine.gate import OUTCOME_UNKNOWN
from wakeful.providers.scripted import call

if TYPE_CHECKING:
    from tests.engine.conftest import FakeTool, Stage

SCHEMA: JsonObject = {"type": "object", "properties": {"name": {"type": "string"}}}


def asking(stage: Stage, times: int = 1, *, approval: bool = False) -> FakeTool:
    """A tool that is run once more for each of so many questions before it answers."""

    async def body(arguments: JsonObject, context: ToolContext) -> JsonValue:
        asked = int(context.answer.resume or 0) if context.answer else 0
        if asked < times:
            raise ToolQuestion(f"Question {asked + 1}?", schema=SCHEMA, resume=str(asked + 1))
        assert context.answer
        return {"answered": context.answer.output, "declined": context.answer.declined}

    return stage.tool("book", body, approval=approval)


async def test_a_call_that_asks_makes_the_run_wait(stage: Stage):
    asking(stage)

    ending = await stage.play(call("book", {"to": "Rome"}, call_id="a"))

    (question,) = stage.questions()
    assert ending.status is RunStatus.WAITING
    assert ending.interrupts == (question,)
    assert (question.kind, question.call_id, question.tool) == ("question", "a", "book")
    assert (question.message, question.response_schema, question.resume) == ("Question 1?", SCHEMA, "1")
    assert stage.book.of(ToolCallFinished) == []
    assert stage.results() == {}


async def test_the_answer_reaches_the_call_with_its_own_note(stage: Stage):
    tool = asking(stage)
    await stage.play(call("book", {"to": "Rome"}, call_id="a"))

    ending = await stage.resume("Done.", decisions=[Decision("a", output={"name": "Ann"})])

    assert ending.stop_reason == "answered"
    assert [(arguments, context.answer) for arguments, context in tool.calls] == [
        ({"to": "Rome"}, None),
        ({"to": "Rome"}, CallAnswer({"name": "Ann"}, declined=False, resume="1")),
    ]
    assert stage.results() == {"a": ("succeeded", {"answered": {"name": "Ann"}, "declined": False})}


async def test_a_call_may_ask_again(stage: Stage):
    tool = asking(stage, times=2)
    await stage.play(call("book", call_id="a"))

    again = await stage.resume(decisions=[Decision("a", output=1)])

    assert again.status is RunStatus.WAITING
    assert [question.message for question in again.interrupts] == ["Question 2?"]
    await stage.resume("Done.", decisions=[Decision("a", output=2)])
    assert len(tool.calls) == 3
    assert stage.results() == {"a": ("succeeded", {"answered": 2, "declined": False})}


@pytest.mark.parametrize("refusal", [Decision("a"), Decision("a", output="no", failed=True)])
async def test_the_call_is_told_when_the_user_would_not_say(stage: Stage, refusal: Decision):
    asking(stage)
    await stage.play(call("book", call_id="a"))

    await stage.resume("Done.", decisions=[refusal])

    assert stage.results() == {"a": ("succeeded", {"answered": None, "declined": True})}


async def test_other_calls_of_the_step_are_not_run_again(stage: Stage):
    asking(stage)
    other = stage.answering("look", "seen")
    await stage.play([call("book", call_id="a"), call("look", call_id="b")])

    await stage.resume("Done.", decisions=[Decision("a", output="yes")])

    assert len(other.calls) == 1
    assert set(stage.results()) == {"a", "b"}


async def test_a_call_that_was_lost_after_its_answer_is_not_run_a_third_time(stage: Stage):
    tool = asking(stage)
    await stage.play(call("book", call_id="a"))
    stage.book.events.append(ToolCallStarted("a", "book"))  # it had begun with the answer when the process died

    await stage.resume("Done.", decisions=[Decision("a", output="yes")])

    assert len(tool.calls) == 1
    assert stage.results() == {"a": ("failed", OUTCOME_UNKNOWN)}


async def test_an_approved_call_may_ask_and_is_approved_only_once(stage: Stage):
    tool = asking(stage, approval=True)
    await stage.play(call("book", call_id="a"))
    asked = await stage.resume(decisions=[Decision("a", approved=True)])

    assert [interrupt.kind for interrupt in asked.interrupts] == ["question"]
    ending = await stage.resume("Done.", decisions=[Decision("a", output="yes")])

    assert ending.stop_reason == "answered"
    assert len(tool.calls) == 2
