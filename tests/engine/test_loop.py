"""The loop: replies and tool calls, one step after the other, until the run rests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from wakeful.contracts.errors import LeaseLost
from wakeful.contracts.event import FinishReason, ModelCallFinished, StepFinished, TextDelta
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import Message, TextPart
from wakeful.contracts.model import ReplyFinished
from wakeful.contracts.model_errors import ContextOverflow
from wakeful.contracts.usage import Usage
from wakeful.engine.assignment import Ending, Unfinished
from wakeful.engine.loop import CALL_CUT_OFF
from wakeful.providers.scripted import call, say, think

if TYPE_CHECKING:
    from tests.engine.conftest import Stage


async def test_a_plain_answer_is_one_step(stage: Stage):
    ending = await stage.play("Hi there")

    assert ending == Ending(status=RunStatus.COMPLETED, stop_reason="answered")
    assert stage.book.kinds() == [
        "StepStarted", "TextDelta", "TextDelta", "ModelCallFinished", "MessageCommitted", "StepFinished",
    ]  # fmt: skip
    assert stage.history[-1].text == "Hi there"


async def test_results_are_read_in_the_next_step(stage: Stage):
    stage.answering("weather", {"sky": "blue"})

    ending = await stage.play([think("Hm."), call("weather")], "Blue.")

    assert ending.stop_reason == "answered"
    assert [message.role for message in stage.provider.requests[1].messages] == ["user", "assistant", "tool"]
    assert stage.book.kinds()[-12:] == [
        "ModelCallFinished", "MessageCommitted", "ToolCallReady", "ToolCallStarted", "ToolCallFinished",
        "MessageCommitted", "StepFinished", "StepStarted", "TextDelta", "ModelCallFinished", "MessageCommitted",
        "StepFinished",
    ]  # fmt: skip


async def test_the_step_limit_ends_the_run_after_the_step_it_closes(stage: Stage):
    stage.agent = {"max_steps": 2}
    stage.answering("look", 7)

    ending = await stage.play(call("look", call_id="a"), call("look", call_id="b"), "never asked for")

    assert (ending.status, ending.stop_reason) == (RunStatus.COMPLETED, "max_steps")
    assert stage.results() == {"a": ("succeeded", 7), "b": ("succeeded", 7)}
    assert stage.book.events[-1] == StepFinished(2)
    assert len(stage.provider.requests) == 2


@pytest.mark.parametrize(("reason", "stop"), [("length", "max_output"), ("content_filter", "content_filter")])
async def test_a_reply_that_is_cut_off_ends_the_run_with_its_reason(stage: Stage, reason: FinishReason, stop: str):
    ending = await stage.play([say("As far as"), ReplyFinished(reason)])

    assert (ending.status, ending.stop_reason) == (RunStatus.COMPLETED, stop)
    assert stage.history[-1].text == "As far as"


async def test_calls_of_a_reply_that_is_cut_off_are_not_carried_out(stage: Stage):
    tool = stage.answering("delete")

    ending = await stage.play([call("delete", call_id="a"), ReplyFinished("length")])

    assert ending.stop_reason == "max_output"
    assert stage.results() == {"a": ("cancelled", CALL_CUT_OFF)}
    assert tool.calls == []


@pytest.mark.parametrize("reason", ["stop", "tool_calls"])
async def test_a_reply_that_says_nothing_ends_the_run_without_a_message(stage: Stage, reason: FinishReason):
    ending = await stage.play([TextDelta(""), ReplyFinished(reason)])

    assert (ending.status, ending.stop_reason) == (RunStatus.COMPLETED, "answered")
    assert [message.id for message in stage.history] == ["user-1"]
    assert stage.book.events[-1] == StepFinished(1)


async def test_calls_run_whatever_finish_reason_the_vendor_gives(stage: Stage):
    stage.answering("look", 7)

    await stage.play([call("look"), ReplyFinished("stop")], "Seven.")

    assert stage.history[-1].text == "Seven."


async def test_a_failing_model_fails_the_run_and_keeps_what_it_said(stage: Stage):
    ending = await stage.play([say("Half a"), ContextOverflow("too long")])

    assert (ending.status, ending.stop_reason) == (RunStatus.FAILED, "error")
    assert ending.error is not None
    assert ending.error.code == "context_overflow"
    assert stage.history[-1].text == "Half a"
    assert stage.book.events[-1] == StepFinished(1)


async def test_a_lost_lease_passes_through_before_any_tool_runs(stage: Stage):
    tool = stage.answering("look")
    stage.book.lost = True

    with pytest.raises(LeaseLost):
        await stage.play(call("look"))

    assert tool.calls == []


@pytest.mark.parametrize("reason", ["stop", "tool_calls"])
async def test_after_a_crash_between_the_last_result_and_the_end_of_its_step_the_model_reads_it(
    stage: Stage, reason: FinishReason
):
    stage.answering("look", 7)
    stage.agent = {"max_steps": 1}
    await stage.play([call("look", call_id="a"), ReplyFinished(reason)])
    stage.agent = {}

    ending = await stage.resume("Seven.")

    assert ending.stop_reason == "answered"
    assert stage.history[-1].text == "Seven."
    assert stage.book.events[0] == StepFinished(1)


async def test_after_a_crash_between_an_answer_and_the_end_of_its_step_nothing_is_asked_again(stage: Stage):
    await stage.play("Done.")

    ending = await stage.resume()

    assert ending.stop_reason == "answered"
    assert stage.book.events == [StepFinished(1)]


async def test_a_reply_lost_in_a_crash_is_asked_for_again_in_the_same_step(stage: Stage):
    ending = await stage.play("Whole.", unfinished=Unfinished(step=3, message_id="m3", reply=None), steps=3)

    assert ending.stop_reason == "answered"
    assert stage.book.kinds()[0] == "StepRestarted"
    assert (stage.history[-1].id, stage.history[-1].step) == ("m3", 3)
    assert stage.book.events[-1] == StepFinished(3)


@pytest.mark.proves("R22")
async def test_a_stop_at_the_boundary_waits_for_the_tools_and_puts_the_run_back(stage: Stage):
    running, release = asyncio.Event(), asyncio.Event()

    async def work(*_: object) -> str:
        running.set()
        await release.wait()
        return "done"

    stage.tool("work", work)
    task = stage.begin(call("work", call_id="a"), "never asked for")
    await running.wait()

    assert stage.loop is not None
    worth_waiting = stage.loop.stop_at_boundary()
    release.set()
    ending = await task

    assert worth_waiting
    assert ending == Ending(status=RunStatus.QUEUED)
    assert stage.results() == {"a": ("succeeded", "done")}
    assert stage.book.events[-1] == StepFinished(1)


async def test_a_stop_at_the_boundary_waits_for_the_model_and_its_tools(stage: Stage):
    release = asyncio.Event()
    stage.answering("look", 7)
    task = stage.begin([TextDelta("Let me see"), release, call("look", call_id="a")], "never asked for")
    await stage.book.until(TextDelta("Let me see"))

    assert stage.loop is not None
    worth_waiting = stage.loop.stop_at_boundary()
    release.set()
    ending = await task

    assert worth_waiting
    assert ending == Ending(status=RunStatus.QUEUED)
    assert stage.results() == {"a": ("succeeded", 7)}


async def test_a_run_that_is_answered_at_the_boundary_is_not_put_back(stage: Stage):
    release = asyncio.Event()
    task = stage.begin([TextDelta("Hi"), release])
    await stage.book.until(TextDelta("Hi"))

    assert stage.loop is not None
    stage.loop.stop_at_boundary()
    release.set()

    assert (await task).stop_reason == "answered"


async def test_a_run_that_waits_at_the_boundary_is_not_put_back(stage: Stage):
    release = asyncio.Event()
    stage.answering("delete", approval=True)
    task = stage.begin([TextDelta("Well"), release, call("delete")])
    await stage.book.until(TextDelta("Well"))

    assert stage.loop is not None
    stage.loop.stop_at_boundary()
    release.set()

    assert (await task).status is RunStatus.WAITING


async def test_outside_of_a_step_there_is_no_boundary_to_wait_for(stage: Stage):
    loop = stage.prepared("never asked for")

    assert not loop.stop_at_boundary()
    assert await loop.run() == Ending(status=RunStatus.QUEUED)


async def test_an_answer_whose_run_was_not_settled_before_a_crash_is_not_asked_for_again(stage: Stage):
    await stage.play("Done.")

    ending = await stage.play("never asked for", steps=1)

    assert ending.stop_reason == "answered"
    assert stage.provider.requests == []


def said(id: str, text: str) -> Message:
    return Message(id, "user", (TextPart(text),), 2, run_id="run-1")


async def test_what_was_steered_to_the_run_reaches_the_next_step(stage: Stage):
    async def look(*_: object) -> str:
        stage.book.waiting = [said("u2", "In French, please."), said("u3", "And short.")]
        return "blue"

    stage.tool("look", look)

    await stage.play(call("look"), "Bleu.")

    assert [message.text for message in stage.provider.requests[1].messages if message.role == "user"] == [
        "Hello", "In French, please.", "And short.",
    ]  # fmt: skip
    assert [message.role for message in stage.history] == ["user", "assistant", "tool", "user", "user", "assistant"]


async def test_what_comes_when_the_run_is_answered_is_left_for_a_run_of_its_own(stage: Stage):
    async def answer() -> Ending:
        release = asyncio.Event()
        task = stage.begin([TextDelta("Blue."), release], "never asked for")
        await stage.book.until(TextDelta("Blue."))
        stage.book.waiting = [said("u2", "In French, please.")]
        release.set()
        return await task

    ending = await answer()

    assert ending.stop_reason == "answered"
    assert [message.id for message in stage.book.waiting] == ["u2"]


async def test_usage_is_reported_with_each_reply(stage: Stage):
    await stage.play([say("Hi"), ReplyFinished("stop", Usage(3, 4), "vendor-model")])

    (finished,) = stage.book.of(ModelCallFinished)
    assert (finished.usage, finished.model, finished.provider) == (Usage(3, 4), "vendor-model", "scripted")
