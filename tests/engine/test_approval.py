"""Questions: a call that needs an answer waits, and only an explicit yes is a yes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from wakeful.contracts.errors import ToolInputInvalid
from wakeful.contracts.event import InterruptDecided, ToolCallReady
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.json import JsonObject
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import TextPart, ToolCallPart, ToolResultPart
from wakeful.contracts.tool import ToolContext
from wakeful.providers.scripted import call, say

if TYPE_CHECKING:
    from tests.engine.conftest import Stage


async def test_a_call_that_needs_approval_asks_and_waits(stage: Stage):
    tool = stage.answering("delete", approval=True)

    ending = await stage.play(call("delete", {"path": "/x"}, call_id="a"))

    (question,) = stage.questions()
    assert ending.status is RunStatus.WAITING
    assert ending.interrupts == (question,)
    assert (question.kind, question.call_id, question.tool) == ("approval", "a", "delete")
    assert question.arguments == '{"path":"/x"}'
    assert question.response_schema is not None
    assert stage.book.kinds()[-1] == "InterruptRaised"
    assert tool.calls == []


async def test_an_approved_call_runs_once_and_the_run_goes_on(stage: Stage):
    tool = stage.answering("delete", "gone", approval=True)
    await stage.play(call("delete", {"path": "/x"}, call_id="a"))
    question = stage.questions()[0]

    ending = await stage.resume("Done.", decisions=[Decision("a", approved=True, reason="go on")])

    assert ending.stop_reason == "answered"
    assert [arguments for arguments, _ in tool.calls] == [{"path": "/x"}]
    assert stage.results() == {"a": ("succeeded", "gone")}
    assert stage.book.events[0] == InterruptDecided(question.id, "a", approved=True, reason="go on")
    assert len(stage.provider.requests) == 1


@pytest.mark.parametrize(
    "decision",
    [
        Decision("a", approved=False),
        Decision("a"),
        Decision("a", output="yes"),
        Decision("a", approved="true"),  # pyright: ignore[reportArgumentType] - what a careless decoder might let by
        Decision("a", approved=1),  # pyright: ignore[reportArgumentType] - likewise
    ],
)
async def test_anything_but_an_explicit_yes_is_a_refusal(stage: Stage, decision: Decision):
    tool = stage.answering("delete", approval=True)
    await stage.play(call("delete", call_id="a"))

    ending = await stage.resume("As you wish.", decisions=[decision])

    assert ending.stop_reason == "answered"
    assert stage.results() == {"a": ("denied", "The user denied this call.")}
    assert tool.calls == []


async def test_the_reason_of_a_refusal_reaches_the_model(stage: Stage):
    stage.answering("delete", approval=True)
    await stage.play(call("delete", call_id="a"))

    await stage.resume("ok", decisions=[Decision("a", approved=False, reason="wrong file")])

    (result,) = stage.provider.requests[0].messages[-1].parts
    assert isinstance(result, ToolResultPart)
    assert result.output == "The user denied this call: wrong file"


async def test_while_one_call_is_undecided_the_model_is_not_asked(stage: Stage):
    stage.answering("delete", "gone", approval=True)
    await stage.play([call("delete", call_id="a"), call("delete", call_id="b")])
    asked = stage.questions()

    ending = await stage.resume(decisions=[Decision("a", approved=True)])

    assert ending.status is RunStatus.WAITING
    assert ending.interrupts == (asked[1],)
    assert stage.results() == {"a": ("succeeded", "gone")}
    assert stage.provider.requests == []
    assert "StepFinished" not in stage.book.kinds()
    assert "InterruptRaised" not in stage.book.kinds()


async def test_in_a_mixed_step_the_allowed_call_runs_before_the_run_waits(stage: Stage):
    stage.answering("look", 7)
    stage.answering("delete", "gone", approval=True)

    ending = await stage.play([call("delete", call_id="a"), call("look", call_id="b")])

    assert ending.status is RunStatus.WAITING
    assert stage.results() == {"b": ("succeeded", 7)}

    await stage.resume("Both.", decisions=[Decision("a", approved=True)])

    assert stage.results() == {"a": ("succeeded", "gone"), "b": ("succeeded", 7)}
    assert [part.call_id for message in stage.provider.requests[0].messages for part in message.parts
            if isinstance(part, ToolResultPart)] == ["a", "b"]  # fmt: skip


@pytest.mark.parametrize("output", [0, [], {}, None, "no", False, "", {"error": "no"}])
@pytest.mark.parametrize("failed", [False, True])
async def test_whatever_a_front_end_tool_answers_reaches_the_model_unchanged(stage: Stage, output: Any, failed: bool):
    stage.frontend = ["pick"]
    ending = await stage.play(call("pick", call_id="a"))
    assert ending.interrupts[0].kind == "frontend_tool"

    await stage.resume("ok", decisions=[Decision("a", output=output, failed=failed)])

    (result,) = stage.provider.requests[0].messages[-1].parts
    assert result == ToolResultPart("a", "pick", "failed" if failed else "succeeded", output)


async def test_a_front_end_tool_never_hides_a_server_tool(stage: Stage):
    tool = stage.answering("look", "server")
    stage.frontend = ["look"]

    await stage.play(call("look", call_id="a"), "ok")

    assert len(tool.calls) == 1
    assert [spec.frontend for spec in stage.provider.requests[0].tools] == [False]
    assert stage.book.of(ToolCallReady)[0].frontend is False


async def test_a_decision_never_counts_for_a_later_call_that_reuses_the_id(stage: Stage):
    tool = stage.answering("delete", "gone", approval=True)
    await stage.play(call("delete", {"path": "/x"}, call_id="a"))

    ending = await stage.resume([call("delete", {"path": "/"}, call_id="a")], decisions=[Decision("a", approved=True)])

    assert ending.status is RunStatus.WAITING
    assert [arguments for arguments, _ in tool.calls] == [{"path": "/x"}]


async def test_a_decision_the_log_tells_already_is_not_told_again(stage: Stage):
    stage.answering("delete", "gone", effect="pure", approval=True)
    await stage.play(call("delete", call_id="a"))
    noted = frozenset({stage.questions()[0].id})

    ending = await stage.resume("ok", decisions=[Decision("a", approved=True)], noted=noted)

    assert ending.stop_reason == "answered"
    assert stage.book.of(InterruptDecided) == []


# -- edited arguments


async def test_an_approved_call_runs_with_the_arguments_a_human_changed_and_the_model_is_shown_those(stage: Stage):
    tool = stage.answering("delete", "gone", approval=True)
    await stage.play([say("Let me."), call("delete", {"path": "/"}, call_id="a")])
    question = stage.questions()[0]

    await stage.resume("Done.", decisions=[Decision("a", approved=True, arguments={"path": "/tmp"})])

    assert [arguments for arguments, _ in tool.calls] == [{"path": "/tmp"}]
    asked, answered = stage.provider.requests[0].messages[-2:]
    assert asked.parts == (TextPart("Let me."), ToolCallPart("a", "delete", '{"path":"/tmp"}'))
    assert answered.parts == (ToolResultPart("a", "delete", "succeeded", "gone", '{"path":"/tmp"}'),)
    assert stage.book.events[0] == InterruptDecided(question.id, "a", approved=True, arguments='{"path":"/tmp"}')


async def test_the_thread_keeps_the_call_as_the_model_wrote_it(stage: Stage):
    stage.answering("delete", "gone", approval=True)
    await stage.play(call("delete", {"path": "/"}, call_id="a"))

    await stage.resume("Done.", decisions=[Decision("a", approved=True, arguments={"path": "/tmp"})])

    assert stage.history[1].parts == (ToolCallPart("a", "delete", '{"path":"/"}'),)


async def test_changed_arguments_are_checked_like_the_models(stage: Stage):
    def check(arguments: JsonObject) -> JsonObject:
        if "path" not in arguments:
            raise ToolInputInvalid("path: missing")
        return {**arguments, "force": False}

    async def delete(arguments: JsonObject, context: ToolContext) -> JsonObject:
        return arguments

    tool = stage.tool("delete", delete, check, approval=True)
    await stage.play([call("delete", {"path": "/"}, call_id="a"), call("delete", {"path": "/"}, call_id="b")])

    await stage.resume(
        "Done.",
        decisions=[
            Decision("a", approved=True, arguments={"path": "/tmp"}),
            Decision("b", approved=True, arguments={}),
        ],
    )

    assert len(tool.calls) == 1
    assert stage.results() == {
        "a": ("succeeded", {"path": "/tmp", "force": False}),
        "b": ("failed", "The arguments that came with the approval do not fit: path: missing"),
    }


async def test_arguments_that_come_with_a_refusal_change_nothing(stage: Stage):
    tool = stage.answering("delete", approval=True)
    await stage.play(call("delete", {"path": "/"}, call_id="a"))

    await stage.resume("ok", decisions=[Decision("a", approved=False, arguments={"path": "/tmp"})])

    assert tool.calls == []
    assert stage.results()["a"][0] == "denied"


# -- how long a question waits


@pytest.mark.parametrize(("seconds", "after_ms"), [(None, None), (90.5, 90_500)])
async def test_a_question_expires_when_the_agent_says_so(stage: Stage, seconds: float | None, after_ms: int | None):
    stage.agent = {"question_timeout_seconds": seconds}
    stage.answering("delete", approval=True)
    stage.frontend = ["pick"]

    await stage.play([call("delete"), call("pick")])

    expected = None if after_ms is None else stage.clock.now() + after_ms
    assert [question.expires_at for question in stage.questions()] == [expected, expected]
