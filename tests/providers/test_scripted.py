"""The scripted model."""

import asyncio
from contextlib import aclosing

import pytest

from wakeful.contracts.event import ReasoningDelta, TextDelta, ToolCallDelta, ToolCallProposed
from wakeful.contracts.message import ToolCallPart
from wakeful.contracts.model import ReplyFinished
from wakeful.contracts.model_errors import ModelRequestInvalid, Overloaded
from wakeful.contracts.usage import Usage
from wakeful.providers.scripted import ScriptedProvider, call, say, think


async def test_a_string_is_streamed_word_by_word_with_nothing_lost(ask, listen) -> None:
    heard = await listen(ScriptedProvider(["Hello big  world.\n"]), ask("one two", instructions="be nice"))

    assert [chunk.delta for chunk in heard.chunks[:-1]] == ["Hello", " big", "  world.", "\n"]
    assert heard.finished == ReplyFinished("stop", Usage(4, 3))


async def test_a_reply_may_think_call_and_talk(ask, listen) -> None:
    provider = ScriptedProvider([[think("So be"), call("get_weather", {"city": "Paris"}), say("Wait.")]])

    heard = await listen(provider, ask("hi"))

    assert heard.chunks == [
        ReasoningDelta("So"),
        ReasoningDelta(" be"),
        ToolCallProposed("call_1", "get_weather"),
        ToolCallDelta("call_1", '{"city":"Paris"}'),
        TextDelta("Wait."),
        ReplyFinished("tool_calls", Usage(1, 4, 2)),
    ]


async def test_replies_are_given_in_order_and_requests_remembered(ask, listen) -> None:
    provider = ScriptedProvider(["one", "two"], name="play")

    texts = [(await listen(provider, ask("first"))).text, (await listen(provider, ask("second"))).text]

    assert texts == ["one", "two"]
    assert [request.messages[0].text for request in provider.requests] == ["first", "second"]
    assert provider.name == "play"


async def test_an_exception_is_raised_where_it_stands(ask, listen) -> None:
    provider = ScriptedProvider([Overloaded("busy"), ["half", Overloaded("gone")]])
    chunks = []

    with pytest.raises(Overloaded, match="busy"):
        await listen(provider, ask("hi"))
    with pytest.raises(Overloaded, match="gone"):
        await listen(provider, ask("hi"), into=chunks)

    assert chunks == [TextDelta("half")]


async def test_a_function_sees_the_request(ask, listen) -> None:
    provider = ScriptedProvider([lambda request: [say(request.messages[-1].text.upper()), call("echo")]])

    heard = await listen(provider, ask("hi"))

    assert (heard.text, heard.calls) == ("HI", {"call_1": ("echo", "{}")})


async def test_raw_chunks_are_played_as_they_are(ask, listen) -> None:
    provider = ScriptedProvider([[TextDelta("a b"), ReplyFinished("length", Usage(1, 2), "m-2"), "never"]])

    heard = await listen(provider, ask("hi"))

    assert heard.chunks == [TextDelta("a b"), ReplyFinished("length", Usage(1, 2), "m-2")]


async def test_call_ids_are_new_in_the_thread_or_as_given(ask, listen, message) -> None:
    provider = ScriptedProvider([[call("a"), call("b", call_id="mine"), call("c")]])
    request = ask("hi", message("assistant", ToolCallPart("call_1", "a", "{}")))

    heard = await listen(provider, request)

    assert list(heard.calls) == ["call_2", "mine", "call_3"]


async def test_the_model_waits_for_an_event(ask) -> None:
    go = asyncio.Event()
    provider = ScriptedProvider([["a", go, "b"]])

    async with asyncio.timeout(5), aclosing(provider.stream(ask("hi"))) as batches:
        assert await anext(batches) == [TextDelta("a")]
        following = asyncio.ensure_future(anext(batches))
        assert await asyncio.wait({following}, timeout=0.01) == (set(), {following})
        go.set()
        assert await following == [TextDelta("b")]


async def test_a_script_at_its_end_says_how_long_it_was(ask, listen) -> None:
    provider = ScriptedProvider(["only"])
    await listen(provider, ask("hi"))

    with pytest.raises(ModelRequestInvalid, match="given 1 replies and this is request 2"):
        await listen(provider, ask("hi"))
