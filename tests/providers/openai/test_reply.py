"""Streams of chat completions, byte for byte as vendors send them."""

import json

import pytest

from wakeful.contracts.event import TextDelta, ToolCallDelta, ToolCallProposed
from wakeful.contracts.message import SourcePart, ToolCallPart
from wakeful.contracts.model import ReplyFinished
from wakeful.contracts.model_errors import ContextOverflow, MalformedReply, ModelUnavailable, RateLimited
from wakeful.contracts.usage import Usage

DONE = b"data: [DONE]\n\n"


def event(choice=None, **rest) -> bytes:
    choices = [] if choice is None else [{"index": 0, **choice}]
    chunk = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m-1", "choices": choices, **rest}
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"


def said(**delta) -> bytes:
    return event({"delta": delta, "finish_reason": None}, usage=None)


def finish(reason: str) -> bytes:
    return event({"delta": {}, "finish_reason": reason})


def call(index=None, *, id=None, name=None, arguments=None) -> bytes:
    delta = {"function": {"name": name, "arguments": arguments}, "type": "function"}
    return said(tool_calls=[{**delta, **({} if index is None else {"index": index}), **({"id": id} if id else {})}])


@pytest.fixture
def hear(vendor, open_provider, ask, listen):
    async def heard(*chunks: bytes, request=None, **options):
        vendor.will_send(*chunks)
        async with open_provider("openai", base_url=vendor.url, **options) as provider:
            return await listen(provider, request or ask("hello"))

    return heard


async def test_text_reasoning_usage_and_model_are_heard(hear) -> None:
    usage = {
        "prompt_tokens": 12,
        "completion_tokens": 5,
        "total_tokens": 17,
        "prompt_tokens_details": {"cached_tokens": 8},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }

    heard = await hear(
        said(role="assistant", content=""),
        said(reasoning_content="Hm"),
        said(reasoning="m."),
        said(content="Grüß "),
        said(content="Gott"),
        finish("stop"),
        event(usage=usage),
        DONE,
    )

    assert (heard.reasoning, heard.text) == ("Hmm.", "Grüß Gott")
    assert heard.finished == ReplyFinished("stop", Usage(12, 5, 3, 8), "m-1")


def cited(url, start=None, end=None, title="A page") -> dict:
    return {
        "type": "url_citation",
        "url_citation": {"url": url, "title": title, "start_index": start, "end_index": end},
    }


async def test_cited_pages_are_sources_behind_their_words(hear) -> None:
    heard = await hear(
        said(content="It rains [a]."),
        said(annotations=[cited("https://x.test/a", 9, 12), cited("https://x.test/b")]),
        said(content=" Bye."),
        event({"delta": {}, "message": {"annotations": [cited("https://x.test/a", 9, 12)]}, "finish_reason": "stop"}),
        DONE,
    )

    assert heard.sources == [
        SourcePart("source_1_1", url="https://x.test/a", title="A page", start=9, end=12),
        SourcePart("source_1_2", url="https://x.test/b", title="A page"),
    ]
    assert [type(chunk).__name__ for chunk in heard.chunks[:4]] == [
        "TextDelta",
        "SourceCited",
        "SourceCited",
        "TextDelta",
    ]


@pytest.mark.parametrize(
    "annotations",
    [
        {"not": "a list"},
        ["text", 5, None, [], {}],
        [{"type": "url_citation"}],
        [{"type": "url_citation", "url_citation": {"url": 5}}],
        [{"type": "file", "file": {"hash": "x"}}],
    ],
)
async def test_odd_annotations_are_left_out(hear, annotations) -> None:
    heard = await hear(said(content="a"), said(annotations=annotations), finish("stop"), DONE)

    assert (heard.text, heard.sources, heard.finished.reason) == ("a", [], "stop")


async def test_one_network_read_is_one_batch(vendor, open_provider, ask) -> None:
    vendor.will_send(said(content="a") + said(content="b") + finish("stop") + DONE)

    async with open_provider("openai", base_url=vendor.url) as provider:
        batches = [batch async for batch in provider.stream(ask("hello"))]

    assert batches == [[TextDelta("a"), TextDelta("b"), ReplyFinished("stop", Usage(), "m-1")]]


async def test_two_interleaved_calls_keep_their_own_arguments(hear) -> None:
    heard = await hear(
        call(0, id="c1", name="get_weather", arguments=""),
        call(1, id="c2", name="get_time", arguments='{"zo'),
        call(0, arguments='{"city":'),
        call(1, arguments='ne":1}'),
        call(0, arguments='"Paris"}'),
        finish("tool_calls"),
        DONE,
    )

    assert heard.calls == {"c1": ("get_weather", '{"city":"Paris"}'), "c2": ("get_time", '{"zone":1}')}
    assert heard.finished.reason == "tool_calls"


@pytest.mark.parametrize("given", ["", "call_0"])
async def test_ids_that_are_missing_or_used_before_are_minted(hear, ask, message, given) -> None:
    request = ask("hello", message("assistant", ToolCallPart("call_0", "get_weather", "{}")))

    heard = await hear(
        call(0, id=given, name="a", arguments="{}"),
        call(1, id=given, name="b", arguments="{}"),
        finish("stop"),
        DONE,
        request=request,
    )

    assert heard.calls == {"call_2": ("a", "{}"), "call_3": ("b", "{}")}
    assert heard.finished.reason == "tool_calls"


@pytest.mark.parametrize("index", [0, None])
async def test_calls_that_share_an_index_are_told_apart_by_their_ids(hear, index) -> None:
    heard = await hear(
        call(index, id="x", name="a", arguments='{"n":'),
        call(index, arguments="1}"),
        call(index, id="y", name="b", arguments="{}"),
        finish("tool_calls"),
        DONE,
    )

    assert heard.calls == {"x": ("a", '{"n":1}'), "y": ("b", "{}")}


async def test_a_repeated_id_and_name_do_not_begin_a_new_call(hear) -> None:
    heard = await hear(
        call(0, id="x", name="a", arguments='{"n":'), call(0, id="x", name="a", arguments="1}"), finish("stop"), DONE
    )

    assert [type(chunk) for chunk in heard.chunks[:-1]] == [ToolCallProposed, ToolCallDelta, ToolCallDelta]
    assert heard.calls == {"x": ("a", '{"n":1}')}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("stop", "stop"), ("length", "length"), ("content_filter", "content_filter"), ("function_call", "tool_calls")],
)
async def test_finish_reasons_are_translated(hear, theirs, ours) -> None:
    heard = await hear(said(content="a"), finish(theirs), DONE)

    assert heard.finished.reason == ours


async def test_a_refusal_is_text(hear) -> None:
    assert (await hear(said(refusal="I would rather not."), finish("stop"), DONE)).text == "I would rather not."


async def test_a_finish_reason_is_enough_where_the_end_marker_is_missing(hear) -> None:
    assert (await hear(said(content="a"), finish("stop"))).finished.reason == "stop"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "too fast", "code": "rate_limit_exceeded"}, RateLimited),
        ({"message": "Provider returned error", "code": 502}, ModelUnavailable),
        ("it broke", ModelUnavailable),
    ],
)
async def test_an_error_inside_the_stream_is_raised(hear, error, kind) -> None:
    with pytest.raises(kind, match="middle of the reply"):
        await hear(said(content="a"), event(error=error))


async def test_a_call_without_a_name_is_malformed(hear) -> None:
    with pytest.raises(MalformedReply, match="begins without a name"):
        await hear(call(0, id="x", arguments="{}"))


async def test_a_prompt_that_is_too_long_is_told_by_its_code(vendor, open_provider, ask, listen) -> None:
    vendor.will_refuse("400 Bad Request", b'{"error":{"message":"8193 tokens","code":"context_length_exceeded"}}')

    async with open_provider("openai", base_url=vendor.url) as provider:
        with pytest.raises(ContextOverflow, match="8193 tokens"):
            await listen(provider, ask("hello"))


async def test_the_request_goes_to_the_right_path_with_the_key(vendor, open_provider, ask, listen) -> None:
    vendor.will_send(finish("stop"), DONE)

    async with open_provider("openai", base_url=f"{vendor.url}/v1/", api_key="sk-test") as provider:
        await listen(provider, ask("hello"))

    assert vendor.asked[0].path == "/v1/chat/completions"
    assert vendor.asked[0].headers["authorization"] == "Bearer sk-test"
