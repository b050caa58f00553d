"""Questions: a call that needs an answer waits, and only an explicit yes is a yes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from wakeful.contracts.event import InterruptDecided, ToolCallReady
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import ToolResultPart
from wakeful.engine.gate import OUTCOME_UNKNOWN
from wakeful.providers.scripted import Call, call

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


async def play_and_lose_the_result(stage: Stage, reply: Call) -> None:
    """Crash after the call ran and before its result was durable."""
    stage.agent = {"max_steps": 1}
    await stage.play(reply)
    stage.agent = {}
    del stage.history[2:]


@pytest.mark.parametrize("effect", ["pure", "idempotent"])
async def test_after_a_loss_a_repeatable_call_runs_again_with_the_same_key(stage: Stage, effect: str):
    tool = stage.answering("look", 7, effect=effect)
    await play_and_lose_the_result(stage, call("look", call_id="a"))

    await stage.resume("ok", lost=True)

    assert stage.results() == {"a": ("succeeded", 7)}
    assert [context.idempotency_key for _, context in tool.calls] == ["run-1:a", "run-1:a"]


async def test_after_a_loss_a_once_call_is_not_repeated_and_the_model_is_told_so(stage: Stage):
    tool = stage.answering("pay")
    await play_and_lose_the_result(stage, call("pay", call_id="a"))

    ending = await stage.resume("I do not know.", lost=True)

    assert ending.stop_reason == "answered"
    assert stage.results() == {"a": ("failed", OUTCOME_UNKNOWN)}
    assert len(tool.calls) == 1


async def test_after_a_loss_a_once_call_that_had_not_begun_runs(stage: Stage):
    tool = stage.answering("pay", "paid")
    await play_and_lose_the_result(stage, call("pay", call_id="a"))

    await stage.resume("ok")

    assert stage.results() == {"a": ("succeeded", "paid")}
    assert len(tool.calls) == 2
