"""What a tool says is bounded, on its way to the log and to the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakeful.contracts.errors import ToolError
from wakeful.contracts.event import ToolCallFinished, ToolProgressed
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.message import ToolResultPart
from wakeful.contracts.tool import ToolContext
from wakeful.engine.desk import PROGRESS_BYTES
from wakeful.engine.output import bounded_output, bounded_text
from wakeful.providers.scripted import call
from wakeful.sdk.tool import tool

if TYPE_CHECKING:
    from tests.engine.conftest import Stage

LIMIT = 1024


def told(stage: Stage) -> str:
    """The one result, the same in the log and for the model."""
    (finished,) = stage.book.of(ToolCallFinished)
    (part,) = stage.provider.requests[1].messages[-1].parts
    assert isinstance(part, ToolResultPart)
    assert part.output == finished.output
    return str(part.output)


@pytest.mark.parametrize(
    ("output", "beginning", "size"),
    [
        ("abc" * 1000, "abcabc", 3000),
        ("\N{EURO SIGN}" * 1000, "\N{EURO SIGN}" * 2, 3000),
        ([{"n": 1}] * 1000, '[{"n":1},{"n":1}', 8001),
        (msgspec.Raw(b'{"rows": [' + b"1," * 1000 + b"1]}"), '{"rows": [1,1', 2013),
    ],
)
async def test_a_long_output_is_cut_and_says_so(stage: Stage, output: JsonValue, beginning: str, size: int):
    stage.agent = {"max_tool_output_bytes": LIMIT}
    stage.answering("read", output)

    await stage.play(call("read"), "Long.")

    text = told(stage)
    assert text.startswith(beginning)
    assert text.endswith(f"of {size} bytes.]")
    assert "[Cut off: these are the first " in text
    assert LIMIT * 0.8 < len(text.encode()) <= LIMIT


async def test_a_long_error_is_cut_too(stage: Stage):
    stage.agent = {"max_tool_output_bytes": LIMIT}

    async def read(*_: object) -> None:
        raise ToolError("no such file: " + "x" * 5000)

    stage.tool("read", read)

    await stage.play(call("read"), "ok")

    assert told(stage).startswith("no such file: xxx")
    assert told(stage).endswith("of 5014 bytes.]")


async def test_a_long_answer_of_the_client_is_cut_too(stage: Stage):
    stage.agent = {"max_tool_output_bytes": LIMIT}
    stage.frontend = ["pick"]
    await stage.play(call("pick", call_id="a"))

    await stage.resume("ok", decisions=[Decision("a", output=["x"] * 1000)])

    assert str(stage.results()["a"][1]).endswith("of 4001 bytes.]")


async def test_long_progress_is_cut_too(stage: Stage):
    async def work(arguments: JsonObject, context: ToolContext) -> None:
        context.progress("x" * 100_000)

    stage.tool("work", work)

    await stage.play(call("work"), "ok")

    (event,) = stage.book.of(ToolProgressed)
    assert event.message is not None
    assert len(event.message) <= PROGRESS_BYTES
    assert event.message.endswith("of 100000 bytes.]")


@pytest.mark.parametrize("output", ["x" * LIMIT, ["x" * (LIMIT - 4)]])
async def test_an_output_of_exactly_the_limit_is_whole(stage: Stage, output: JsonValue):
    stage.agent = {"max_tool_output_bytes": LIMIT}
    stage.answering("read", output)

    await stage.play(call("read", call_id="a"), "ok")

    assert stage.results() == {"a": ("succeeded", output)}


async def test_fifty_megabytes_are_cut_like_any_other_output(stage: Stage):
    @tool
    def read() -> str:
        return "x" * 50_000_000

    stage.tools.append(read)

    await stage.play(call("read"), "Long.")

    assert told(stage).endswith("[Cut off: these are the first 65408 of 50000000 bytes.]")


async def test_a_large_output_that_is_allowed_arrives_as_what_it_is(stage: Stage):
    stage.answering("read", msgspec.Raw(b'{"rows":[1,2]}'))

    await stage.play(call("read", call_id="a"), "ok")

    assert stage.results() == {"a": ("succeeded", {"rows": [1, 2]})}


@given(st.text(max_size=600), st.integers(256, 400))
def test_no_text_is_longer_than_its_limit_or_broken_in_a_character(text: str, limit: int):
    bounded = bounded_text(text, limit)

    whole = len(text.encode(errors="replace")) <= limit
    assert len(bounded.encode()) <= limit
    assert whole == (bounded == text.encode(errors="replace").decode())
    assert whole or text.startswith(bounded.partition("\n\n[Cut off: ")[0].rstrip("?"))


def test_what_is_not_json_is_refused():
    for value in (object(), {1j: 2}, "lone \ud800"):
        with pytest.raises((TypeError, ValueError)):
            bounded_output(value, LIMIT)
