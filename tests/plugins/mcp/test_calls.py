"""Calls to servers of the official SDK, over pipes and over HTTP, in both eras."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.plugins.mcp.conftest import Desk, Host, called, connected, context_of, friendly, loaded, over_http, until

from wakeful.contracts.errors import ToolError, ToolInputInvalid, ToolQuestion
from wakeful.contracts.event import FileGenerated, ToolProgressed
from wakeful.contracts.tool import CallAnswer
from wakeful.plugins.mcp.source import McpSource

WAYS = ["stdio auto", "stdio legacy", "http auto", "http legacy"]


@pytest.fixture(params=WAYS)
async def source(request: pytest.FixtureRequest, host: Host) -> AsyncIterator[McpSource]:
    transport, era = request.param.split()
    spec = friendly(era=era) if transport == "stdio" else over_http(host, era=era)
    async with connected(spec) as source:
        yield source


async def test_its_tools_are_offered_under_names_of_their_own(source: McpSource):
    assert {"mcp__nice__add", "mcp__nice__greet", "mcp__nice__paint"} <= source.tools.keys()
    assert source.name == "mcp__nice__"
    assert source.health.state == "connected"
    assert source.health.tools == len(source.tools)
    spec = source.tools["mcp__nice__add"].spec
    assert spec.description == "Add two numbers."
    assert spec.parameters["required"] == ["a", "b"]


async def test_text_is_text_and_structured_content_is_json(source: McpSource):
    assert await called(source.tools["mcp__nice__greet"], {"name": "Ada"}) == "Hello Ada"
    assert await called(source.tools["mcp__nice__add"], {"a": 2, "b": 3}) == {"result": 5}


async def test_arguments_are_checked_here(source: McpSource):
    with pytest.raises(ToolInputInvalid, match="b"):
        source.tools["mcp__nice__add"].check({"a": 1})


async def test_a_failure_of_the_tool_says_why(source: McpSource):
    with pytest.raises(ToolError, match="the disk is full"):
        await called(source.tools["mcp__nice__fail"], {})


async def test_an_image_is_a_file_for_the_user(source: McpSource):
    desk = Desk()

    result = await source.tools["mcp__nice__picture"].call({}, context_of(desk))

    assert result == "[The user sees a file of type image/png.]"
    [report] = desk.reports
    assert isinstance(report, FileGenerated)
    assert report.file.url == "data:image/png;base64,iVBORw0KGgo="


async def test_its_questions_are_asked_one_by_one_and_then_it_goes_on(source: McpSource):
    tool = source.tools["mcp__nice__paint"]
    asked: list[str] = []
    answer: CallAnswer | None = None
    given = {"Which colour?": {"colour": "red"}, "Which size?": {"size": 3}}

    for _ in given:
        with pytest.raises(ToolQuestion) as question:
            await called(tool, {"what": "house"}, answer)
        asked.append(question.value.message.removeprefix("The MCP server nice asks: "))
        assert question.value.schema is not None
        assert question.value.schema["type"] == "object"
        answer = CallAnswer(given[asked[-1]], declined=False, resume=question.value.resume)

    assert sorted(asked) == sorted(given)
    assert await called(tool, {"what": "house"}, answer) == "a red house of size 3"


async def test_a_question_the_user_declines_fails_the_call_in_the_servers_words(source: McpSource):
    tool = source.tools["mcp__nice__paint"]
    with pytest.raises(ToolQuestion) as question:
        await called(tool, {"what": "house"})

    answer = CallAnswer(None, declined=True, resume=question.value.resume)
    result: Any = None
    while result is None:
        try:
            result = await called(tool, {"what": "house"}, answer)
        except ToolQuestion as another:
            answer = CallAnswer(None, declined=True, resume=another.resume)
        except ToolError as error:
            result = error

    assert isinstance(result, ToolError)


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_progress_is_shown_and_a_cancelled_call_is_cancelled_there(era: str):
    module = loaded("friendly")
    counter = module.Counter()
    serving = Host(lambda: module.build(counter).streamable_http_app())
    async with serving.up() as host, connected(over_http(host, era=era)) as source:
        desk = Desk()
        call = asyncio.create_task(source.tools["mcp__nice__slow"].call({}, context_of(desk)))
        async with asyncio.timeout(30):
            await desk.reported.wait()

            call.cancel()

            await counter.stopped.wait()
    [report] = desk.reports
    assert isinstance(report, ToolProgressed)
    assert (report.message, report.progress, report.total) == ("half way", 1, 2)


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_tool_that_comes_later_is_offered_without_a_restart(era: str):
    async with connected(friendly(era=era)) as source:
        assert "mcp__nice__grown" not in source.tools

        await called(source.tools["mcp__nice__grow"], {})

        await until(lambda: "mcp__nice__grown" in source.tools)
        assert await called(source.tools["mcp__nice__grown"], {}) == "grown"


async def test_a_server_sees_of_the_environment_what_was_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SEEN", "yes")
    monkeypatch.setenv("SECRET", "no")
    async with connected(friendly()) as source:
        tool = source.tools["mcp__nice__variable"]

        seen = [await called(tool, {"name": name}) for name in ("SEEN", "SET", "SECRET")]

    assert seen == ["yes", "1", "none"]
