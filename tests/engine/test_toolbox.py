"""Tools: they run together, and a failing one fails its call, never the run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from wakeful.contracts.errors import ToolError, ToolInputInvalid
from wakeful.contracts.event import ToolCallFinished, ToolCallReady, ToolCallStarted, ToolProgressed
from wakeful.contracts.json import JsonObject
from wakeful.contracts.tool import ToolContext
from wakeful.providers.scripted import Call, call
from wakeful.sdk.tool import tool

if TYPE_CHECKING:
    from tests.engine.conftest import Stage


async def test_the_calls_of_a_step_run_together_and_finish_in_their_own_order(stage: Stage):
    first_runs, second_done = asyncio.Event(), asyncio.Event()

    async def first(*_: object) -> int:
        first_runs.set()
        await second_done.wait()
        return 1

    async def second(*_: object) -> int:
        await first_runs.wait()
        second_done.set()
        return 2

    stage.tool("first", first)
    stage.tool("second", second)

    async with asyncio.timeout(5):
        await stage.play([call("first", call_id="a"), call("second", call_id="b")], "ok")

    assert [event.call_id for event in stage.book.of(ToolCallStarted)] == ["a", "b"]
    assert [event.call_id for event in stage.book.of(ToolCallFinished)] == ["b", "a"]


async def test_the_starts_are_durable_before_any_tool_runs(stage: Stage):
    flushes: list[int] = []

    async def look(*_: object) -> None:
        flushes.append(stage.book.flushes)

    stage.tool("look", look)

    await stage.play(call("look"), "ok")

    assert flushes == [1]


async def test_the_message_of_a_tool_error_reaches_the_model(stage: Stage):
    async def look(*_: object) -> None:
        raise ToolError("the door is locked")

    stage.tool("look", look)

    await stage.play(call("look", call_id="a"), "ok")

    assert stage.results() == {"a": ("failed", "the door is locked")}


class Fatal(BaseException):
    """What no library expects."""


@pytest.mark.parametrize(
    "error",
    [
        ValueError("password=hunter2"),
        SystemExit(3),
        KeyboardInterrupt(),
        GeneratorExit(),
        Fatal("hunter2"),
        asyncio.CancelledError("hunter2"),
    ],
)
async def test_what_else_a_tool_raises_fails_its_call_and_says_no_more_than_its_kind(
    stage: Stage, error: BaseException
):
    async def look(*_: object) -> None:
        raise error

    stage.tool("look", look)

    ending = await stage.play(call("look", call_id="a"), "Never mind.")

    assert ending.stop_reason == "answered"
    assert stage.results() == {"a": ("failed", f"The tool look failed: {type(error).__name__}.")}


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), StopIteration(), Fatal()])
async def test_what_a_tool_raises_in_its_thread_fails_its_call_only(stage: Stage, error: BaseException):
    @tool
    def look() -> None:
        raise error

    stage.tools.append(look)
    stage.answering("other", 1)

    async with asyncio.timeout(5):
        ending = await stage.play([call("look", call_id="a"), call("other", call_id="b")], "Never mind.")

    assert ending.stop_reason == "answered"
    assert stage.results()["a"][0] == "failed"
    assert stage.results()["b"] == ("succeeded", 1)


@pytest.mark.parametrize("output", [object(), {1j: 2}, "lone \ud800"])
async def test_a_result_that_is_not_json_fails_its_call(stage: Stage, output: object):
    stage.answering("look", output)
    stage.answering("other", 1)

    await stage.play([call("look", call_id="a"), call("other", call_id="b")], "ok")

    assert stage.results()["a"][0] == "failed"
    assert stage.results()["b"] == ("succeeded", 1)


async def test_a_tool_error_with_text_that_is_not_unicode_still_fails_its_call(stage: Stage):
    async def look(*_: object) -> None:
        raise ToolError("no such file: \ud800")

    stage.tool("look", look)

    await stage.play(call("look", call_id="a"), "ok")

    assert stage.results() == {"a": ("failed", "no such file: ?")}


async def test_an_unknown_tool_fails_its_call_and_names_those_there_are(stage: Stage):
    stage.answering("look")
    stage.frontend = ["confirm"]

    await stage.play(call("lok", call_id="a"), "ok")

    ((status, output),) = stage.results().values()
    assert status == "failed"
    assert output == "There is no tool named 'lok'. Available tools: look, confirm."


@pytest.mark.parametrize("arguments", ["{", "[]", "7", "null", '"x"', '{"a": "\\ud800"}'])
async def test_arguments_that_are_no_json_object_fail_the_call_before_the_tool(stage: Stage, arguments: str):
    tool = stage.answering("look")

    await stage.play(Call("look", arguments, "a"), "ok")

    ((status, output),) = stage.results().values()
    assert status == "failed"
    assert str(output).startswith("The arguments are not a JSON object")
    assert tool.calls == []


async def test_absent_arguments_are_an_empty_object(stage: Stage):
    tool = stage.answering("look")

    await stage.play(Call("look", " ", "a"), "ok")

    assert [arguments for arguments, _ in tool.calls] == [{}]


async def test_the_tool_gets_the_arguments_as_it_checked_them(stage: Stage):
    def check(arguments: JsonObject) -> JsonObject:
        return {**arguments, "unit": "celsius"}

    async def look(arguments: JsonObject, context: ToolContext) -> JsonObject:
        return arguments

    stage.tool("look", look, check)

    await stage.play(call("look", {"city": "Oslo"}, call_id="a"), "ok")

    assert stage.results() == {"a": ("succeeded", {"city": "Oslo", "unit": "celsius"})}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ToolInputInvalid("city: missing"), "city: missing"),
        (ToolError("not today"), "not today"),
        (ToolError("not \ud800"), "not ?"),
        (KeyError("hunter2"), "The arguments could not be checked: KeyError."),
    ],
)
async def test_arguments_the_tool_refuses_fail_the_call(stage: Stage, error: Exception, told: str):
    def check(arguments: JsonObject) -> JsonObject:
        raise error

    async def look(*_: object) -> None:
        raise AssertionError("must not run")

    stage.tool("look", look, check)

    await stage.play(call("look", call_id="a"), "ok")

    assert stage.results() == {"a": ("failed", told)}


async def test_a_tool_knows_its_call_and_keeps_its_idempotency_key(stage: Stage):
    tool = stage.answering("look")

    await stage.play(call("look", call_id="a"), "ok")

    ((_, context),) = tool.calls
    assert (context.call_id, context.run_id, context.thread_id, context.agent_id) == (
        "a", "run-1", "thread-1", "assistant",
    )  # fmt: skip
    assert context.idempotency_key == "run-1:a"


async def test_progress_is_shown_from_the_loop_and_from_other_threads(stage: Stage):
    def elsewhere(context: ToolContext) -> None:
        context.progress("thread", progress=2, total=2)

    async def look(arguments: JsonObject, context: ToolContext) -> None:
        context.progress("loop", progress=1, total=2)
        await asyncio.to_thread(elsewhere, context)
        await stage.book.until(ToolProgressed("a", "look", "thread", 2, 2))

    stage.tool("look", look)

    await stage.play(call("look", call_id="a"), "ok")

    assert [event.message for event in stage.book.of(ToolProgressed)] == ["loop", "thread"]


async def test_progress_after_the_result_is_discarded_from_whatever_thread(stage: Stage):
    contexts: list[ToolContext] = []

    async def look(arguments: JsonObject, context: ToolContext) -> None:
        contexts.append(context)

    stage.tool("look", look)
    await stage.play(call("look"), "ok")
    (context,) = contexts

    context.progress("late")
    await asyncio.to_thread(context.progress, "later")
    await asyncio.sleep(0)

    assert stage.book.of(ToolProgressed) == []
    assert context.cancelled


async def test_progress_is_left_out_while_the_journal_is_behind(stage: Stage):
    async def look(arguments: JsonObject, context: ToolContext) -> None:
        stage.book.behind = True
        context.progress("too much")
        stage.book.behind = False
        context.progress("fine")

    stage.tool("look", look)

    await stage.play(call("look"), "ok")

    assert [event.message for event in stage.book.of(ToolProgressed)] == ["fine"]


async def test_a_call_is_ready_with_the_arguments_as_the_model_wrote_them(stage: Stage):
    stage.answering("look")

    await stage.play(Call("look", ' {"a" : 1} ', "a"), "ok")

    assert stage.book.of(ToolCallReady) == [ToolCallReady("a", "look", '{"a" : 1}')]
