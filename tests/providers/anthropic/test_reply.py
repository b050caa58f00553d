"""Streams of the messages API, byte for byte."""

import json

import pytest

from wakeful.contracts.event import ReasoningDelta, ReasoningSealed, TextDelta
from wakeful.contracts.message import SourcePart
from wakeful.contracts.model import ReplyFinished
from wakeful.contracts.model_errors import (
    ContextOverflow,
    MalformedReply,
    ModelRequestInvalid,
    ModelUnavailable,
    Overloaded,
    RateLimited,
)
from wakeful.contracts.usage import Usage


def event(type: str, **fields) -> bytes:
    return f"event: {type}\ndata: {json.dumps({'type': type, **fields})}\n\n".encode()


def start(index: int, **block) -> bytes:
    return event("content_block_start", index=index, content_block=block)


def delta(index: int, type: str, **fields) -> bytes:
    return event("content_block_delta", index=index, delta={"type": type, **fields})


def stop(index: int) -> bytes:
    return event("content_block_stop", index=index)


def opened(**usage) -> bytes:
    return event("message_start", message={"id": "msg", "role": "assistant", "model": "claude-x", "usage": usage})


def closed(reason: str | None = "end_turn", **usage) -> bytes:
    return event("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage=usage) + event(
        "message_stop"
    )


@pytest.fixture
def hear(vendor, open_provider, ask, listen):
    async def heard(*chunks: bytes, into=None):
        vendor.will_send(*chunks)
        async with open_provider("anthropic", base_url=vendor.url, api_key="secret-key") as provider:
            return await listen(provider, ask("hello"), into)

    return heard


async def test_thinking_text_and_usage_are_heard(hear, vendor) -> None:
    heard = await hear(
        opened(input_tokens=10, cache_read_input_tokens=20, cache_creation_input_tokens=5, output_tokens=1),
        event("ping"),
        start(0, type="thinking", thinking="", signature=""),
        delta(0, "thinking_delta", thinking="Hm"),
        delta(0, "thinking_delta", thinking="m."),
        delta(0, "signature_delta", signature="si"),
        delta(0, "signature_delta", signature="g"),
        stop(0),
        start(1, type="redacted_thinking", data="cipher"),
        stop(1),
        start(2, type="text", text=""),
        delta(2, "text_delta", text="Grüß"),
        delta(2, "citations_delta", citation={}),
        stop(2),
        closed(output_tokens=7, output_tokens_details={"thinking_tokens": 4}),
    )

    assert heard.chunks == [
        ReasoningDelta("Hm"),
        ReasoningDelta("m."),
        ReasoningSealed(signature="sig"),
        ReasoningSealed(encrypted="cipher"),
        TextDelta("Grüß"),
        ReplyFinished("stop", Usage(35, 7, 4, 20, 5), "claude-x"),
    ]
    assert vendor.asked[0].path == "/v1/messages"
    assert vendor.asked[0].headers["anthropic-version"] == "2023-06-01"
    assert vendor.asked[0].headers["x-api-key"] == "secret-key"


def cites(index: int, **citation) -> bytes:
    return delta(index, "citations_delta", citation=citation)


async def test_citations_are_sources_behind_the_text_of_their_block(hear) -> None:
    heard = await hear(
        opened(),
        start(0, type="text", text="I looked. "),
        stop(0),
        start(1, type="server_tool_use", id="s", name="web_search", input={}),
        stop(1),
        start(2, type="text", text="", citations=[]),
        cites(
            2,
            type="web_search_result_location",
            url="https://x.test/a",
            title="A page",
            cited_text="It rained.",
            encrypted_index="i",
        ),
        delta(2, "text_delta", text="It "),
        delta(2, "text_delta", text="rains."),
        cites(2, type="page_location", document_index=1, document_title="a.pdf", cited_text="wet", start_page_number=1),
        cites(2, type="char_location", document_index=2, document_title=None, cited_text="damp"),
        cites(2, type="content_block_location", document_index=0, document_title="Notes", cited_text="soaked"),
        stop(2),
        start(3, type="text", text=" Bye."),
        stop(3),
        closed(),
    )

    where = {"start": 10, "end": 19}
    assert heard.text == "I looked. It rains. Bye."
    assert heard.sources == [
        SourcePart("source_1_1", url="https://x.test/a", title="A page", cited_text="It rained.", **where),
        SourcePart("source_1_2", title="a.pdf", media_type="application/pdf", cited_text="wet", **where),
        SourcePart("source_1_3", title="Document 3", media_type="text/plain", cited_text="damp", **where),
        SourcePart("source_1_4", title="Notes", media_type="text/plain", cited_text="soaked", **where),
    ]
    assert heard.chunks[-2] == TextDelta(" Bye.")


async def test_a_search_result_is_a_page_or_a_document(hear) -> None:
    found = {"type": "search_result_location", "cited_text": "x", "search_result_index": 0}

    heard = await hear(
        start(0, type="text", text="a", citations=[{**found, "source": "https://x.test/", "title": None}]),
        cites(0, **found, source="kb/42", title="Article 42"),
        cites(0, **found, source="kb/43", title=None),
        stop(0),
        closed(),
    )

    assert [(source.url, source.title) for source in heard.sources] == [
        ("https://x.test/", None),
        (None, "Article 42"),
        (None, "kb/43"),
    ]


@pytest.mark.parametrize(
    "citation",
    [
        {},
        {"type": "web_search_result_location", "url": "data:text/html,x", "cited_text": "x"},
        {"type": "web_search_result_location", "url": ["https://x.test/"]},
        {"type": "search_result_location", "source": " "},
        {"type": "some_future_location", "url": "https://x.test/"},
        {"type": "page_location", "document_index": "one"},
    ],
)
async def test_odd_citations_are_left_out(hear, citation) -> None:
    heard = await hear(start(0, type="text", text="a"), cites(0, **citation), stop(0), closed())

    assert (heard.text, heard.sources, heard.finished.reason) == ("a", [], "stop")


async def test_two_interleaved_calls_keep_their_own_arguments(hear) -> None:
    heard = await hear(
        opened(input_tokens=1),
        start(0, type="tool_use", id="c1", name="get_weather", input={}),
        start(1, type="tool_use", id="c2", name="get_time", input={}),
        delta(0, "input_json_delta", partial_json=""),
        delta(0, "input_json_delta", partial_json='{"city":'),
        delta(1, "input_json_delta", partial_json='{"zone":1}'),
        delta(0, "input_json_delta", partial_json='"Paris"}'),
        stop(0),
        stop(1),
        closed("tool_use"),
    )

    assert heard.calls == {"c1": ("get_weather", '{"city":"Paris"}'), "c2": ("get_time", '{"zone":1}')}
    assert heard.finished.reason == "tool_calls"


async def test_arguments_given_whole_at_the_start_are_heard_once(hear) -> None:
    heard = await hear(
        start(0, type="tool_use", id="c1", name="a", input={"n": 1}),
        stop(0),
        start(1, type="tool_use", id="c2", name="b", input={"n": 2}),
        delta(1, "input_json_delta", partial_json='{"n":2}'),
        stop(1),
        closed("tool_use"),
    )

    assert heard.calls == {"c1": ("a", '{"n":1}'), "c2": ("b", '{"n":2}')}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("tool_use", "tool_calls"),
    ],
)
async def test_stop_reasons_are_translated(hear, theirs, ours) -> None:
    assert (await hear(closed(theirs))).finished.reason == ours


@pytest.mark.parametrize(
    ("type", "kind"),
    [
        ("overloaded_error", Overloaded),
        ("rate_limit_error", RateLimited),
        ("api_error", ModelUnavailable),
        ("invalid_request_error", ModelRequestInvalid),
    ],
)
async def test_an_error_event_is_raised_with_its_kind(hear, type, kind) -> None:
    chunks = []

    with pytest.raises(kind, match="middle of the reply: Oh no"):
        await hear(
            start(0, type="text", text="a"), event("error", error={"type": type, "message": "Oh no"}), into=chunks
        )

    assert chunks == [TextDelta("a")]


@pytest.mark.parametrize(
    ("status", "type", "said", "kind"),
    [
        ("529 Overloaded", "overloaded_error", "Overloaded", Overloaded),
        ("400 Bad Request", "invalid_request_error", "prompt is too long: 9 tokens > 8 maximum", ContextOverflow),
        ("400 Bad Request", "invalid_request_error", "messages: at least one", ModelRequestInvalid),
    ],
)
async def test_refusals_are_told_apart(vendor, open_provider, ask, listen, status, type, said, kind) -> None:
    vendor.will_refuse(status, json.dumps({"type": "error", "error": {"type": type, "message": said}}).encode())

    async with open_provider("anthropic", base_url=vendor.url) as provider:
        with pytest.raises(kind, match=said):
            await listen(provider, ask("hello"))


@pytest.mark.parametrize(
    "broken",
    [delta(4, "text_delta", text="x"), stop(4), start(0, type="tool_use", id="c"), event("content_block_start")],
    ids=["delta of no block", "stop of no block", "call without a name", "start of nothing"],
)
async def test_a_stream_out_of_order_is_malformed(hear, broken) -> None:
    with pytest.raises(MalformedReply):
        await hear(broken)
