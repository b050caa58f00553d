"""Tools the server declares and the client carries out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wakeful.contracts.errors import ToolInputInvalid
from wakeful.contracts.event import ToolCallReady
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.json import JsonObject
from wakeful.contracts.lifecycle import RunStatus
from wakeful.providers.scripted import call

if TYPE_CHECKING:
    from tests.engine.conftest import FakeTool, Stage

SCHEMA = {"type": "string", "enum": ["red", "blue"]}


def colour_picker(stage: Stage) -> FakeTool:
    """A front-end tool with one required argument."""

    def check(arguments: JsonObject) -> JsonObject:
        if "of" not in arguments:
            raise ToolInputInvalid("of: missing")
        return arguments

    async def never(*_: object) -> None:
        raise AssertionError("must not run")

    return stage.tool("pick", never, check, frontend=True, result=SCHEMA)


async def test_its_call_asks_the_client_for_an_answer_of_its_return_type(stage: Stage):
    tool = colour_picker(stage)

    ending = await stage.play(call("pick", {"of": "sky"}, call_id="a"))

    (question,) = ending.interrupts
    assert ending.status is RunStatus.WAITING
    assert (question.kind, question.tool, question.arguments) == ("frontend_tool", "pick", '{"of":"sky"}')
    assert question.response_schema == SCHEMA
    assert stage.book.of(ToolCallReady) == [ToolCallReady("a", "pick", '{"of":"sky"}', frontend=True)]
    assert tool.calls == []


@pytest.mark.parametrize("failed", [False, True])
async def test_the_answer_of_the_client_is_its_result(stage: Stage, failed: bool):
    tool = colour_picker(stage)
    await stage.play(call("pick", {"of": "sky"}, call_id="a"))

    ending = await stage.resume("Blue.", decisions=[Decision("a", output="blue", failed=failed)])

    assert ending.stop_reason == "answered"
    assert stage.results() == {"a": ("failed" if failed else "succeeded", "blue")}
    assert tool.calls == []


async def test_arguments_that_do_not_fit_never_reach_the_client(stage: Stage):
    colour_picker(stage)

    ending = await stage.play(call("pick", call_id="a"), "Sorry.")

    assert ending.stop_reason == "answered"
    assert stage.results() == {"a": ("failed", "of: missing")}
    assert stage.questions() == []


async def test_a_loss_does_not_ask_the_client_again(stage: Stage):
    colour_picker(stage)
    asked = await stage.play(call("pick", {"of": "sky"}, call_id="a"))

    ending = await stage.resume()

    assert ending.interrupts == asked.interrupts
    assert stage.questions() == []
