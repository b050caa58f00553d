"""Limits end a run after the step they close, keep its answer, and count on where an earlier process stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from wakeful.contracts.errors import ToolError
from wakeful.contracts.event import ModelCallFinished, StepFinished
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.model import ReplyFinished
from wakeful.contracts.usage import Usage
from wakeful.providers.scripted import Call, Reply, call, say

if TYPE_CHECKING:
    from tests.engine.conftest import Stage

pytestmark = pytest.mark.proves("R20")


class TenPerToken:
    """Every token costs ten millionths of a dollar; only the scripted model `any` has a price."""

    def cost(self, provider: str, model: str, usage: Usage) -> int | None:
        return usage.total_tokens * 10 if (provider, model) == ("scripted", "any") else None


def using(tokens: int, reply: Call, model: str | None = None) -> Reply:
    """A call of a reply that took so many tokens."""
    return [reply, ReplyFinished("tool_calls", Usage(tokens), model)]


def look(n: int) -> Call:
    """A call unlike the others."""
    return call("look", {"n": n}, call_id=f"c{n}")


@pytest.fixture
def equipped(stage: Stage) -> Stage:
    """With a tool that works, one that fails and one that needs approval."""

    async def fail(*_: object) -> None:
        raise ToolError("no")

    stage.answering("look", "seen")
    stage.answering("submit", "taken")
    stage.answering("delete", "gone", approval=True)
    stage.tool("break", fail)
    return stage


async def ends_after(stage: Stage, step: int, reason: str, *replies: Reply, **past: Any) -> None:
    """The run ends with `reason` after `step`; the last of `replies` is not asked for."""
    ending = await stage.play(*replies, **past)

    assert (ending.status, ending.stop_reason) == (RunStatus.COMPLETED, reason)
    assert stage.book.events[-1] == StepFinished(step)
    assert len(stage.provider.requests) == len(replies) - 1


async def test_steps(equipped: Stage):
    equipped.agent = {"max_steps": 2}

    await ends_after(equipped, 2, "max_steps", look(1), look(2), "never asked for")

    assert equipped.results() == {"c1": ("succeeded", "seen"), "c2": ("succeeded", "seen")}


async def test_tokens(equipped: Stage):
    equipped.agent = {"max_tokens": 100}

    await ends_after(equipped, 2, "max_tokens", using(60, look(1)), using(40, look(2)), "never asked for")

    assert equipped.results()["c2"] == ("succeeded", "seen")


async def test_tokens_of_an_earlier_process_count(equipped: Stage):
    equipped.agent = {"max_tokens": 100}

    await ends_after(
        equipped, 4, "max_tokens", using(60, look(1)), "never asked for", steps=3, usage=Usage(30, output_tokens=10)
    )


async def test_money(equipped: Stage):
    equipped.agent = {"max_cost": 0.001}

    await ends_after(
        equipped, 2, "max_cost", using(60, look(1)), using(40, look(2)), "never asked for", prices=TenPerToken()
    )

    assert [event.usage.cost for event in equipped.book.of(ModelCallFinished)] == [600, 400]


async def test_money_spent_by_an_earlier_process_counts(equipped: Stage):
    equipped.agent = {"max_cost": 0.001}
    past = {"prices": TenPerToken(), "steps": 3, "usage": Usage(7, cost=400)}

    await ends_after(equipped, 4, "max_cost", using(60, look(1)), "never asked for", **past)


async def test_a_model_that_reports_an_unknown_name_is_priced_by_the_name_it_was_asked_under(equipped: Stage):
    equipped.agent = {"max_cost": 0.001}

    await ends_after(
        equipped, 1, "max_cost", using(100, look(1), "any-2026-01-01"), "never asked for", prices=TenPerToken()
    )


async def test_without_a_known_price_an_agent_that_may_spend_only_so_much_does_not_run(equipped: Stage):
    equipped.agent = {"max_cost": 1}

    ending = await equipped.play("never asked for")

    assert (ending.status, ending.stop_reason) == (RunStatus.FAILED, "error")
    assert ending.error is not None
    assert ending.error.code == "configuration"
    assert "the price of model 'any' of 'scripted' is not known" in ending.error.message
    assert equipped.provider.requests == []


async def test_time_of_being_carried(equipped: Stage):
    equipped.agent = {"max_seconds": 1.5}

    async def work(*_: object) -> None:
        equipped.clock.advance(750)

    equipped.tool("work", work)

    await ends_after(equipped, 2, "max_seconds", call("work", {"n": 1}), call("work", {"n": 2}), "never asked for")


async def test_time_of_an_earlier_process_counts(equipped: Stage):
    equipped.agent = {"max_seconds": 1.5}

    async def work(*_: object) -> None:
        equipped.clock.advance(500)

    equipped.tool("work", work)

    await ends_after(equipped, 2, "max_seconds", call("work"), "never asked for", steps=1, active_ms=1000)


async def test_failed_calls_in_a_row(equipped: Stage):
    equipped.agent = {"max_tool_errors": 3}

    await ends_after(
        equipped,
        3,
        "max_tool_errors",
        call("break", call_id="a"),
        [look(1), call("break", call_id="b"), call("lok", call_id="c")],
        call("break", call_id="d"),
        "never asked for",
    )

    assert equipped.results()["d"] == ("failed", "no")


async def test_failed_calls_in_a_row_before_a_crash_count(equipped: Stage):
    equipped.agent = {"max_tool_errors": 3, "max_steps": 2}
    await equipped.play(call("break", call_id="a"), call("break", call_id="b"), "never asked for")
    equipped.agent = {"max_tool_errors": 3}

    await ends_after(equipped, 3, "max_tool_errors", call("break", call_id="c"), "never asked for", steps=2)


@pytest.mark.parametrize(("then", "reason"), [(look(1), "answered"), (call("break"), "max_tool_errors")])
async def test_a_denied_call_neither_counts_as_failed_nor_breaks_the_row(equipped: Stage, then: Call, reason: str):
    equipped.agent = {"max_tool_errors": 2}
    await equipped.play(call("break", call_id="a"), call("delete", call_id="b"))

    ending = await equipped.resume(then, "Fine.", decisions=[Decision("b", approved=False)])

    assert ending.stop_reason == reason


async def test_identical_calls_in_a_row_however_they_are_written(equipped: Stage):
    equipped.agent = {"max_repeats": 3}

    await ends_after(
        equipped,
        4,
        "max_repeats",
        look(1),
        Call("look", '{"a": 1, "b": 2}'),
        Call("look", '{"b":2,"a":1}'),
        [say("Again."), Call("look", '{ "a" : 1 , "b" : 2 }')],
        "never asked for",
    )


async def test_other_calls_in_between_break_the_row(equipped: Stage):
    equipped.agent = {"max_repeats": 2}

    ending = await equipped.play(call("look"), look(1), call("look"), [call("look"), call("look")], "Fine.")

    assert ending.stop_reason == "answered"


async def test_identical_texts_in_a_row(equipped: Stage):
    equipped.agent = {"max_repeats": 2}

    await ends_after(
        equipped, 2, "max_repeats", [say("Let me see."), look(1)], [say(" Let me see. "), look(2)], "never asked for"
    )


async def test_calls_without_any_text_are_no_identical_texts(equipped: Stage):
    equipped.agent = {"max_repeats": 2}

    assert (await equipped.play(look(1), look(2), look(3), "Fine.")).stop_reason == "answered"


async def test_repeats_before_a_crash_count(equipped: Stage):
    equipped.agent = {"max_repeats": 3, "max_steps": 2}
    await equipped.play(call("look"), call("look"), "never asked for")
    equipped.agent = {"max_repeats": 3}

    await ends_after(equipped, 3, "max_repeats", call("look"), "never asked for", steps=2)


async def test_repeats_before_a_wait_count(equipped: Stage):
    equipped.agent = {"max_repeats": 2}
    await equipped.play(call("delete", call_id="a"))
    await equipped.resume(call("delete", call_id="b"), decisions=[Decision("a", approved=True)])

    ending = await equipped.resume("never asked for", decisions=[Decision("b", approved=True)])

    assert (ending.status, ending.stop_reason) == (RunStatus.COMPLETED, "max_repeats")
    assert equipped.results()["b"] == ("succeeded", "gone")
    assert equipped.provider.requests == []


async def test_a_tool_that_ends_the_run(equipped: Stage):
    equipped.agent = {"stop_on_tools": ["submit"]}

    await ends_after(equipped, 2, "stop_on_tool", look(1), [call("submit", call_id="s"), look(2)], "never asked for")

    assert equipped.results()["s"] == ("succeeded", "taken")
    assert equipped.results()["c2"] == ("succeeded", "seen")


async def test_a_tool_that_failed_does_not_end_the_run(equipped: Stage):
    equipped.agent = {"stop_on_tools": ["break"]}

    assert (await equipped.play(call("break"), "It broke.")).stop_reason == "answered"


async def test_a_text_that_ends_the_run(equipped: Stage):
    equipped.agent = {"stop_on_text": r"(?i)\bdone\b"}

    await ends_after(
        equipped, 2, "stop_on_text", [say("Not donewell"), look(1)], [say("I am\nDONE!"), look(2)], "never asked for"
    )

    assert equipped.results()["c2"] == ("succeeded", "seen")


@pytest.mark.parametrize(
    "limit",
    [{"max_steps": 1}, {"max_tokens": 1}, {"max_cost": 0.00001}, {"max_seconds": 0.001}, {"stop_on_text": "Hi"}],
)
async def test_an_answer_at_a_limit_is_a_natural_end(equipped: Stage, limit: dict[str, Any]):
    equipped.agent = limit

    ending = await equipped.play("Hi", prices=TenPerToken(), active_ms=60_000)

    assert (ending.status, ending.stop_reason) == (RunStatus.COMPLETED, "answered")


async def test_a_limit_waits_for_the_answers_to_the_questions_of_its_step(equipped: Stage):
    equipped.agent = {"max_steps": 1}
    asked = await equipped.play(call("delete", call_id="a"))

    ending = await equipped.resume(decisions=[Decision("a", approved=True)])

    assert asked.status is RunStatus.WAITING
    assert (ending.status, ending.stop_reason) == (RunStatus.COMPLETED, "max_steps")
    assert equipped.results() == {"a": ("succeeded", "gone")}


@pytest.mark.parametrize(
    ("agent", "reason"),
    [({"max_steps": 1}, "max_steps"), ({"stop_on_tools": ["look"]}, "stop_on_tool"), ({"max_tokens": 1}, "max_tokens")],
)
async def test_after_a_crash_between_a_step_and_the_end_it_brought_nothing_is_asked_again(
    equipped: Stage, agent: dict[str, Any], reason: str
):
    equipped.agent = agent
    await equipped.play(using(60, look(1)))

    ending = await equipped.play("never asked for", steps=1, usage=Usage(60))

    assert (ending.status, ending.stop_reason) == (RunStatus.COMPLETED, reason)
    assert equipped.provider.requests == []


async def test_what_other_runs_of_the_thread_did_does_not_count(equipped: Stage):
    equipped.agent = {"max_repeats": 2, "max_tool_errors": 2}
    await equipped.play([call("break", call_id="a")], "Sorry.")
    equipped.run_id = "run-2"

    ending = await equipped.play([call("break", call_id="b")], "Sorry.")

    assert ending.stop_reason == "answered"
