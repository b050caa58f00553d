"""Calls that were running when their process died: who may run again, who never does, and when a human is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from wakeful.contracts.interrupt import Decision
from wakeful.contracts.lifecycle import RunStatus
from wakeful.engine.gate import ATTEMPT_UNKNOWN, OUTCOME_UNKNOWN
from wakeful.providers.scripted import Call, call

if TYPE_CHECKING:
    from tests.engine.conftest import Stage


async def play_and_lose_the_result(stage: Stage, reply: Call) -> None:
    """Crash after the call ran and before its result was durable."""
    stage.agent = {"max_steps": 1}
    await stage.play(reply)
    stage.agent = {}
    lose_the_result(stage)


def lose_the_result(stage: Stage) -> None:
    del stage.history[2:]


async def approve_and_lose_the_result(stage: Stage, **decision: Any) -> None:
    """A human approved the call, which ran; then the process died."""
    stage.agent = {"max_steps": 1}
    await stage.resume(decisions=[Decision("a", approved=True, **decision)])
    stage.agent = {}
    lose_the_result(stage)


@pytest.mark.proves("R21")
@pytest.mark.parametrize("effect", ["pure", "idempotent"])
async def test_after_a_loss_a_repeatable_call_runs_again_with_the_same_key(stage: Stage, effect: str):
    tool = stage.answering("look", 7, effect=effect)
    await play_and_lose_the_result(stage, call("look", call_id="a"))

    await stage.resume("ok")

    assert stage.results() == {"a": ("succeeded", 7)}
    assert [context.idempotency_key for _, context in tool.calls] == ["run-1:a", "run-1:a"]


@pytest.mark.proves("R21")
async def test_after_a_loss_a_once_call_is_not_repeated_and_the_model_is_told_so(stage: Stage):
    tool = stage.answering("pay")
    await play_and_lose_the_result(stage, call("pay", call_id="a"))

    ending = await stage.resume("I do not know.")

    assert ending.stop_reason == "answered"
    assert stage.results() == {"a": ("failed", OUTCOME_UNKNOWN)}
    assert len(tool.calls) == 1


async def test_after_a_loss_a_once_call_that_had_not_begun_runs(stage: Stage):
    tool = stage.answering("pay", "paid")
    await play_and_lose_the_result(stage, call("pay", call_id="a"))

    await stage.resume("ok", begun=False)

    assert stage.results() == {"a": ("succeeded", "paid")}
    assert len(tool.calls) == 2


@pytest.mark.proves("R21")
async def test_after_a_loss_a_human_is_asked_again_about_a_once_call_that_needs_approval(stage: Stage):
    tool = stage.answering("pay", "paid", approval=True)
    await stage.play(call("pay", {"sum": 5}, call_id="a"))
    first = stage.questions()[0]
    await approve_and_lose_the_result(stage)

    ending = await stage.resume("never asked for")

    (question,) = stage.questions()
    assert ending.status is RunStatus.WAITING
    assert ending.interrupts == (question,)
    assert question.id != first.id
    assert (question.kind, question.call_id, question.arguments) == ("approval", "a", '{"sum":5}')
    assert question.message == (
        "The server stopped while pay was running: it may have happened or not. May it run again?"
    )
    assert len(tool.calls) == 1
    assert stage.results() == {}


async def test_asked_again_a_yes_runs_the_call_once_more_under_its_key(stage: Stage):
    tool = stage.answering("pay", "paid", approval=True)
    await stage.play(call("pay", call_id="a"))
    await approve_and_lose_the_result(stage)
    await stage.resume()

    ending = await stage.resume("Paid.", decisions=[Decision("a", approved=True)])

    assert ending.stop_reason == "answered"
    assert stage.results() == {"a": ("succeeded", "paid")}
    assert [context.idempotency_key for _, context in tool.calls] == ["run-1:a", "run-1:a"]


async def test_asked_again_a_no_tells_the_model_that_the_first_attempt_may_have_happened(stage: Stage):
    tool = stage.answering("pay", "paid", approval=True)
    await stage.play(call("pay", call_id="a"))
    await approve_and_lose_the_result(stage)
    await stage.resume()

    await stage.resume("I see.", decisions=[Decision("a", approved=False, reason="I checked")])

    assert stage.results() == {"a": ("denied", f"The user denied this call: I checked {ATTEMPT_UNKNOWN}")}
    assert len(tool.calls) == 1


async def test_every_loss_asks_once_more(stage: Stage):
    tool = stage.answering("pay", "paid", approval=True)
    await stage.play(call("pay", call_id="a"))
    await approve_and_lose_the_result(stage)
    await stage.resume()
    await approve_and_lose_the_result(stage)

    ending = await stage.resume("never asked for")

    assert ending.status is RunStatus.WAITING
    assert len(tool.calls) == 2


async def test_a_question_asked_again_is_not_asked_a_third_time_while_it_is_open(stage: Stage):
    stage.answering("pay", "paid", approval=True)
    await stage.play(call("pay", call_id="a"))
    await approve_and_lose_the_result(stage)
    asked = await stage.resume()

    ending = await stage.resume()

    assert ending.interrupts == asked.interrupts
    assert stage.questions() == []


async def test_an_approved_call_that_had_not_begun_before_the_loss_runs_without_another_question(stage: Stage):
    tool = stage.answering("pay", "paid", approval=True)
    await stage.play(call("pay", call_id="a"))

    ending = await stage.resume("Paid.", decisions=[Decision("a", approved=True)])

    assert ending.stop_reason == "answered"
    assert len(tool.calls) == 1


async def test_an_approved_call_that_may_be_repeated_runs_again_without_another_question(stage: Stage):
    tool = stage.answering("pay", "paid", approval=True, effect="idempotent")
    await stage.play(call("pay", call_id="a"))
    await approve_and_lose_the_result(stage)

    ending = await stage.resume("Paid.")

    assert ending.stop_reason == "answered"
    assert len(tool.calls) == 2


async def test_asked_again_the_arguments_a_human_changed_are_shown_and_stand(stage: Stage):
    tool = stage.answering("pay", "paid", approval=True)
    await stage.play(call("pay", {"sum": 500}, call_id="a"))
    await approve_and_lose_the_result(stage, arguments={"sum": 5})
    await stage.resume()
    (question,) = stage.questions()

    await stage.resume("Paid.", decisions=[Decision("a", approved=True)])

    assert question.arguments == '{"sum":5}'
    assert [arguments for arguments, _ in tool.calls] == [{"sum": 5}, {"sum": 5}]
