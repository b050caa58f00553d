"""Streams of the responses API, byte for byte."""

import json

import pytest

from wakeful.contracts.event import ReasoningDelta, ReasoningSealed, TextDelta
from wakeful.contracts.message import FilePart, SourcePart
from wakeful.contracts.model import ReplyFinished
from wakeful.contracts.model_errors import (
    ContentFiltered,
    MalformedReply,
    ModelUnavailable,
    Overloaded,
    RateLimited,
)
from wakeful.contracts.usage import Usage
from wakeful.providers import generated


def event(type: str, **fields) -> bytes:
    return f"event: {type}\ndata: {json.dumps({'type': type, 'sequence_number': 1, **fields})}\n\n".encode()


def item(stage: str, index: int, **fields) -> bytes:
    return event(f"response.output_item.{stage}", output_index=index, item=fields)


def call(stage: str, index: int, call_id: str, name: str, arguments: str) -> bytes:
    return item(stage, index, type="function_call", id="fc", call_id=call_id, name=name, arguments=arguments)


def arguments(index: int, delta: str) -> bytes:
    return event("response.function_call_arguments.delta", item_id="fc", output_index=index, delta=delta)


def completed(kind: str = "completed", **fields) -> bytes:
    return event(f"response.{kind}", response={"id": "r", "model": "gpt-x", "status": kind, **fields})


@pytest.fixture
def hear(vendor, open_provider, ask, listen):
    async def heard(*chunks: bytes, into=None):
        vendor.will_send(*chunks)
        async with open_provider("openai-responses", base_url=vendor.url) as provider:
            return await listen(provider, ask("hello"), into)

    return heard


async def test_reasoning_text_and_usage_are_heard(hear, vendor) -> None:
    usage = {
        "input_tokens": 12,
        "input_tokens_details": {"cached_tokens": 8},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 17,
    }

    heard = await hear(
        event("response.created", response={"id": "r", "status": "in_progress"}),
        item("added", 0, type="reasoning", id="rs_1", summary=[]),
        event("response.reasoning_summary_part.added", output_index=0, summary_index=0, part={}),
        event("response.reasoning_summary_text.delta", output_index=0, summary_index=0, delta="First."),
        event("response.reasoning_summary_part.added", output_index=0, summary_index=1, part={}),
        event("response.reasoning_summary_text.delta", output_index=0, summary_index=1, delta="Then."),
        item("done", 0, type="reasoning", id="rs_1", encrypted_content="cipher", summary=[]),
        item("added", 1, type="message", id="msg", role="assistant", content=[]),
        event("response.output_text.delta", output_index=1, content_index=0, delta="Hello", logprobs=[]),
        event("response.some.future.event", delta={"not": "text"}),
        completed(usage=usage),
    )

    assert heard.chunks == [
        ReasoningDelta("First."),
        ReasoningDelta("\n\n"),
        ReasoningDelta("Then."),
        ReasoningSealed(encrypted="cipher", item_id="rs_1"),
        TextDelta("Hello"),
        ReplyFinished("stop", Usage(12, 5, 3, 8), "gpt-x"),
    ]
    assert vendor.asked[0].path == "/responses"


def text(delta: str, *, index: int = 0, part: int = 0) -> bytes:
    return event("response.output_text.delta", output_index=index, content_index=part, delta=delta)


def cites(index: int = 0, part: int = 0, **annotation) -> bytes:
    return event(
        "response.output_text.annotation.added",
        output_index=index,
        content_index=part,
        annotation_index=0,
        annotation=annotation,
    )


def page(url: str, start: int, end: int) -> dict:
    return {"type": "url_citation", "url": url, "title": "A page", "start_index": start, "end_index": end}


async def test_annotations_are_sources_behind_their_words(hear) -> None:
    heard = await hear(
        text("First. ", part=0),
        text("It rains [a].", part=1),
        cites(part=1, **page("https://x.test/a", 9, 12)),
        text(" More."),
        cites(type="file_citation", file_id="f", filename="notes.pdf", index=3),
        cites(type="container_file_citation", file_id="f", container_id="c", filename="x", start_index=0, end_index=5),
        event("response.content_part.done", content_index=1, part={"annotations": [page("https://x.test/a", 9, 12)]}),
        completed(),
    )

    assert heard.sources == [
        SourcePart("source_1_1", url="https://x.test/a", title="A page", start=16, end=19),
        SourcePart("source_1_2", title="notes.pdf", media_type="application/pdf", filename="notes.pdf"),
        SourcePart("source_1_3", title="x", media_type="application/octet-stream", filename="x", start=0, end=5),
    ]
    assert heard.text[16:19] == "[a]"
    assert isinstance(heard.chunks[3], TextDelta)


async def test_annotations_that_come_only_with_the_finished_part_are_heard(hear) -> None:
    part = {"type": "output_text", "text": "It rains.", "annotations": [page("https://x.test/a", 0, 9)]}

    heard = await hear(text("It rains."), event("response.content_part.done", content_index=0, part=part), completed())

    assert [source.url for source in heard.sources] == ["https://x.test/a"]


@pytest.mark.parametrize(
    "annotation",
    [
        {"type": "url_citation", "url": "javascript:alert(1)", "start_index": 0, "end_index": 1},
        {"type": "url_citation", "url": 5},
        {"type": "url_citation"},
        {"type": "file_citation", "file_id": "f"},
        {"type": "file_path", "file_id": "f", "index": 0},
        {"type": 5},
        {},
    ],
)
async def test_odd_annotations_are_left_out(hear, annotation) -> None:
    heard = await hear(text("a"), cites(**annotation), completed())

    assert (heard.text, heard.sources, heard.finished.reason) == ("a", [], "stop")


@pytest.mark.parametrize(("format", "type"), [(None, "image/png"), ("webp", "image/webp"), ("svg", "image/svg+xml")])
async def test_a_generated_image_is_a_file(hear, format, type) -> None:
    heard = await hear(
        item("added", 0, type="image_generation_call", id="ig", status="in_progress", result=None),
        event("response.image_generation_call.partial_image", output_index=0, partial_image_b64="AA=="),
        item("done", 0, type="image_generation_call", id="ig", status="completed", result="eA==", output_format=format),
        completed(),
    )

    assert heard.files == [FilePart(type, f"data:{type};base64,eA==")]


@pytest.mark.parametrize(
    "fields", [{"result": None}, {"result": "***"}, {"result": "eA==", "output_format": "exe"}, {"result": "eHh4eHh4"}]
)
async def test_an_image_that_cannot_be_shown_is_left_out(hear, monkeypatch, fields) -> None:
    monkeypatch.setattr(generated, "MAX_BYTES", 5)

    heard = await hear(item("done", 0, type="image_generation_call", id="ig", **fields), completed())

    assert (heard.files, heard.finished.reason) == ([], "stop")


async def test_two_interleaved_calls_keep_their_own_arguments(hear) -> None:
    heard = await hear(
        call("added", 0, "c1", "get_weather", ""),
        call("added", 1, "c2", "get_time", ""),
        arguments(0, '{"city":'),
        arguments(1, "{}"),
        arguments(0, '"Paris"}'),
        call("done", 0, "c1", "get_weather", '{"city":"Paris"}'),
        call("done", 1, "c2", "get_time", "{}"),
        completed(),
    )

    assert heard.calls == {"c1": ("get_weather", '{"city":"Paris"}'), "c2": ("get_time", "{}")}
    assert heard.finished.reason == "tool_calls"


async def test_arguments_that_come_only_with_the_finished_call_are_heard(hear) -> None:
    heard = await hear(
        call("added", 0, "c1", "a", ""),
        call("done", 0, "c1", "a", '{"n":1}'),
        call("done", 1, "c2", "b", "{}"),
        completed(),
    )

    assert heard.calls == {"c1": ("a", '{"n":1}'), "c2": ("b", "{}")}


@pytest.mark.parametrize(
    ("reason", "ours"), [("max_output_tokens", "length"), ("content_filter", "content_filter"), ("steered", "stop")]
)
async def test_an_incomplete_response_says_why(hear, reason, ours) -> None:
    heard = await hear(
        event("response.refusal.delta", delta="no"), completed("incomplete", incomplete_details={"reason": reason})
    )

    assert (heard.text, heard.finished.reason) == ("no", ours)


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (completed("failed", error={"code": "rate_limit_exceeded", "message": "slow"}), RateLimited),
        (completed("failed", error={"code": "server_error", "message": "oops"}), ModelUnavailable),
        (completed("failed", error={"code": "bio_policy", "message": "no"}), ContentFiltered),
        (completed("failed"), ModelUnavailable),
        (event("error", code="server_is_overloaded", message="busy", param=None), Overloaded),
        (event("error", error={"type": "x", "code": "rate_limit_exceeded", "message": "slow"}), RateLimited),
    ],
)
async def test_a_failed_response_is_raised_with_its_kind(hear, failure, kind) -> None:
    chunks = []

    with pytest.raises(kind, match="middle of the reply"):
        await hear(event("response.output_text.delta", delta="a"), failure, into=chunks)

    assert chunks == [TextDelta("a")]


async def test_arguments_of_no_call_are_malformed(hear) -> None:
    with pytest.raises(MalformedReply, match="which is no function call"):
        await hear(arguments(3, "{}"))


async def test_a_call_without_a_name_is_malformed(hear) -> None:
    with pytest.raises(MalformedReply, match="without a name"):
        await hear(item("added", 0, type="function_call", call_id="c"))
