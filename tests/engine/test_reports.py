"""What a running call shows of itself besides its result: sources, files, progress; and what becomes of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from wakeful.contracts.event import (
    FileGenerated,
    SourceCited,
    TextDelta,
    ToolCallDelta,
    ToolCallFinished,
    ToolCallProposed,
    ToolProgressed,
)
from wakeful.contracts.json import JsonObject
from wakeful.contracts.message import FilePart, ReplyInfo, SourcePart, TextPart, ToolResultPart
from wakeful.contracts.tool import ToolContext
from wakeful.engine.desk import FILE_BYTES, MOST_FILES, MOST_SOURCES, QUOTE_BYTES
from wakeful.providers.scripted import call

if TYPE_CHECKING:
    from tests.engine.conftest import Stage

PAGE = "https://example.com/a"
PICTURE = "data:image/png;base64,eA=="


async def test_sources_and_files_of_a_call_are_shown_at_once_and_kept_beside_its_result(stage: Stage):
    async def look(_: JsonObject, context: ToolContext) -> str:
        context.cite(PAGE, title="A page")
        context.cite(title="Notes", media_type="application/pdf", cited_text="words")
        context.attach(PICTURE, media_type="image/png", filename="x.png")
        return "seen"

    stage.tool("look", look)

    await stage.play(call("look", call_id="c"), "ok")

    page = SourcePart("c:source:1", PAGE, "A page")
    notes = SourcePart("c:source:2", None, "Notes", "application/pdf", cited_text="words")
    picture = FilePart("image/png", PICTURE, "x.png")
    kinds = stage.book.kinds()
    assert stage.book.of(SourceCited) == [SourceCited(page, "c"), SourceCited(notes, "c")]
    assert stage.book.of(FileGenerated) == [FileGenerated(picture, "c")]
    assert kinds.index("FileGenerated") < kinds.index("ToolCallFinished")
    (kept,) = [message for message in stage.history if message.role == "tool"]
    assert kept.parts == (ToolResultPart("c", "look", "succeeded", "seen"), page, notes, picture)


async def test_a_call_in_a_thread_reports_before_its_result(stage: Stage):
    async def look(_: JsonObject, context: ToolContext) -> None:
        await asyncio.to_thread(context.cite, PAGE)
        await asyncio.to_thread(context.progress, "half", progress=1, total=2)

    stage.tool("look", look)

    await stage.play(call("look", call_id="c"), "ok")

    order = [type(event) for event in stage.book.events]
    assert order.index(SourceCited) < order.index(ToolProgressed) < order.index(ToolCallFinished)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//example.com", ""])
async def test_a_source_that_is_no_web_address_fails_the_call(stage: Stage, url: str):
    async def look(_: JsonObject, context: ToolContext) -> None:
        context.cite(url)

    stage.tool("look", look)

    await stage.play(call("look", call_id="c"), "ok")

    status, output = stage.results()["c"]
    assert (status, "http or https" in str(output)) == ("failed", True)
    assert stage.book.of(SourceCited) == []


@pytest.mark.parametrize("url", ["javascript:alert(1)", "http://example.com/x.png", "data:," + "x" * FILE_BYTES])
async def test_a_file_that_cannot_be_shown_fails_the_call(stage: Stage, url: str):
    async def draw(_: JsonObject, context: ToolContext) -> None:
        context.attach(url, media_type="image/png")

    stage.tool("draw", draw)

    await stage.play(call("draw", call_id="c"), "ok")

    assert stage.results()["c"][0] == "failed"
    assert stage.book.of(FileGenerated) == []


async def test_a_source_needs_something_to_find_it_by(stage: Stage):
    async def look(_: JsonObject, context: ToolContext) -> None:
        context.cite(title="Notes")

    stage.tool("look", look)

    await stage.play(call("look", call_id="c"), "ok")

    assert stage.results()["c"] == ("failed", "a source needs a url, or a title and a media_type")


async def test_so_many_sources_and_files_of_a_call_and_no_more(stage: Stage):
    async def look(_: JsonObject, context: ToolContext) -> None:
        for number in range(MOST_SOURCES + 1):
            context.cite(f"{PAGE}{number}")

    async def draw(_: JsonObject, context: ToolContext) -> None:
        for _number in range(MOST_FILES + 1):
            context.attach(PICTURE, media_type="image/png")

    stage.tool("look", look)
    stage.tool("draw", draw)

    await stage.play([call("look", call_id="c"), call("draw", call_id="d")], "ok")

    assert (len(stage.book.of(SourceCited)), len(stage.book.of(FileGenerated))) == (MOST_SOURCES, MOST_FILES)
    assert [status for status, _ in stage.results().values()] == ["failed", "failed"]


async def test_a_long_quotation_is_cut(stage: Stage):
    async def look(_: JsonObject, context: ToolContext) -> None:
        context.cite(PAGE, cited_text="x" * 2 * QUOTE_BYTES)

    stage.tool("look", look)

    await stage.play(call("look", call_id="c"), "ok")

    (shown,) = stage.book.of(SourceCited)
    assert shown.source.cited_text is not None
    assert len(shown.source.cited_text) <= QUOTE_BYTES


async def test_sources_are_shown_while_the_store_is_behind_and_progress_is_not(stage: Stage):
    async def look(_: JsonObject, context: ToolContext) -> None:
        stage.book.behind = True
        context.cite(PAGE)
        context.progress("half")

    stage.tool("look", look)

    await stage.play(call("look", call_id="c"), "ok")

    assert (len(stage.book.of(SourceCited)), stage.book.of(ToolProgressed)) == (1, [])


async def test_nobody_reports_for_a_call_that_is_over(stage: Stage):
    kept: list[ToolContext] = []

    async def keep(_: JsonObject, context: ToolContext) -> None:
        kept.append(context)

    stage.tool("keep", keep)
    await stage.play(call("keep"), "ok")

    kept[0].cite(PAGE)
    kept[0].attach(PICTURE, media_type="image/png")

    assert stage.book.of(SourceCited) == []
    assert stage.book.of(FileGenerated) == []


async def test_a_models_source_stands_behind_the_text_it_is_named_in_and_a_file_ends_it(stage: Stage):
    source, picture = SourcePart("s1", PAGE), FilePart("image/png", PICTURE)

    await stage.play(
        [TextDelta("It "), SourceCited(source), TextDelta("is so."), FileGenerated(picture), TextDelta("Look.")]
    )

    (reply,) = [message for message in stage.history if message.role == "assistant"]
    assert reply.parts == (TextPart("It is so."), source, picture, TextPart("Look."))


async def test_no_model_is_sent_sources_or_files_of_answers(stage: Stage):
    async def look(_: JsonObject, context: ToolContext) -> str:
        context.cite(PAGE)
        context.attach(PICTURE, media_type="image/png")
        return "seen"

    stage.tool("look", look)

    await stage.play(
        [TextDelta("It is so."), SourceCited(SourcePart("s1", PAGE)), FileGenerated(FilePart("image/png", PICTURE)),
         ToolCallProposed("c", "look"), ToolCallDelta("c", "{}")], "ok",
    )  # fmt: skip

    sent = [part for message in stage.provider.requests[-1].messages for part in message.parts]
    assert any(isinstance(part, ToolResultPart) for part in sent)
    assert not [part for part in sent if isinstance(part, SourcePart | FilePart)]


async def test_a_complete_reply_says_how_it_was_made_and_one_that_was_cut_off_does_not(stage: Stage):
    await stage.play("ok")
    (whole,) = [message for message in stage.history if message.role == "assistant"]
    task = stage.begin([TextDelta("Half"), asyncio.Event()])
    await stage.book.until(TextDelta("Half"))
    await stage.stop(task)

    assert isinstance(whole.reply, ReplyInfo)
    assert (whole.reply.provider, whole.reply.model) == ("scripted", "any")
    (half,) = stage.book.messages
    assert half.reply is None
