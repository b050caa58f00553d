"""What any reply cites, as the reader of one wire hears it."""

from __future__ import annotations

import json

import pytest

from wakeful.contracts.message import SourcePart, ToolCallPart
from wakeful.providers.sources import LONGEST_PASSAGE, LONGEST_TITLE, LONGEST_URL, MAX_SOURCES


def event(type: str, **fields) -> bytes:
    return f"data: {json.dumps({'type': type, **fields})}\n\n".encode()


def says(text: str) -> bytes:
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})


def cites(url: str, title: str | None = None, passage: str = "") -> bytes:
    citation = {"type": "web_search_result_location", "url": url, "title": title, "cited_text": passage}
    return event("content_block_delta", index=0, delta={"type": "citations_delta", "citation": citation})


BEGIN = event("content_block_start", index=0, content_block={"type": "text"})
STOP = event("content_block_stop", index=0)
CALL = event("content_block_start", index=0, content_block={"type": "tool_use", "id": "c", "name": "t"})
END = event("message_stop")


@pytest.fixture
def hear(vendor, open_provider, ask, listen):
    async def heard(*chunks: bytes, request=None):
        vendor.will_send(*chunks, END)
        async with open_provider("anthropic", base_url=vendor.url) as provider:
            return await listen(provider, request or ask("hello"))

    return heard


async def test_the_same_words_of_the_same_page_are_one_source(hear) -> None:
    heard = await hear(BEGIN, says("a"), cites("https://x.test/", "One"), cites("https://x.test/", "Two"), STOP)

    assert heard.sources == [SourcePart("source_1_1", url="https://x.test/", title="One", start=0, end=1)]


async def test_other_words_or_another_passage_are_another_source(hear) -> None:
    page = "https://x.test/"

    heard = await hear(
        BEGIN, says("ab"), cites(page, passage="x"), cites(page, passage="y"), STOP,
        BEGIN, says("cd"), cites(page, passage="x"), STOP,
    )  # fmt: skip

    assert [(source.id, source.cited_text, source.start, source.end) for source in heard.sources] == [
        ("source_1_1", "x", 0, 2),
        ("source_1_2", "y", 0, 2),
        ("source_1_3", "x", 2, 4),
    ]


async def test_positions_count_in_the_text_before_the_source(hear) -> None:
    heard = await hear(BEGIN, says("before"), STOP, CALL, STOP, BEGIN, says("after"), cites("https://x.test/"), STOP)

    assert [(source.start, source.end) for source in heard.sources] == [(0, 5)]


async def test_words_that_are_not_there_have_no_position(hear) -> None:
    heard = await hear(BEGIN, cites("https://x.test/"), STOP)

    assert heard.sources == [SourcePart("source_1_1", url="https://x.test/")]


async def test_two_replies_of_a_thread_never_share_an_id(hear, ask, message) -> None:
    request = ask("hi", message("assistant", "a", ToolCallPart("c", "t", "{}")), message("assistant", "b"))

    heard = [await hear(BEGIN, says("a"), cites("https://x.test/"), STOP, request=request) for _ in range(2)]

    assert [source.id for reply in heard for source in reply.sources] == ["source_3_1", "source_3_1"]


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://x.test/",
        "//x.test/",
        "https://",
        "https://bank.test@x.test/",
        "https://x.test/a b",
        "https://x.test/\n",
        "https://x.test/\u202e",
        "http://[x/",
        "https://x.test/" + "a" * LONGEST_URL,
        "",
    ],
)
async def test_a_url_that_is_no_plain_page_is_left_out(hear, url) -> None:
    heard = await hear(BEGIN, says("a"), cites(url), STOP)

    assert (heard.text, heard.sources) == ("a", [])


async def test_titles_and_passages_are_one_short_line(hear) -> None:
    heard = await hear(
        BEGIN,
        says("a"),
        cites("https://x.test/a", "T" * 9999, "p" * 9999),
        cites("https://x.test/b", "a\x00b\u202ec\n\td ", " \n"),
        STOP,
    )

    long, odd = heard.sources
    assert (len(long.title), len(long.cited_text)) == (LONGEST_TITLE, LONGEST_PASSAGE)
    assert (odd.title, odd.cited_text) == ("a b c d", None)


async def test_a_reply_has_so_many_sources_at_most(hear) -> None:
    pages = [cites(f"https://x.test/{number}") for number in range(MAX_SOURCES + 5)]

    heard = await hear(BEGIN, says("a"), *pages, STOP)

    assert len(heard.sources) == MAX_SOURCES
