"""Servers that flood, hang, lie and die: their calls fail and say so, nothing else does, and nothing is left behind."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

import pytest
from tests.plugins.mcp.conftest import Desk, called, connected, context_of, friendly, hostile, until

from wakeful.contracts.errors import ToolError, ToolInputInvalid, ToolQuestion
from wakeful.contracts.tool import CallAnswer
from wakeful.plugins.mcp.spec import McpServerSpec, StdioSpec
from wakeful.testing.clock import FakeClock


def gone(pid: int) -> Callable[[], bool]:
    def check() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    return check


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("flood", "more than 5000 messages nobody asked for"),
        ("endless", "a message of more than 65536 bytes"),
        ("garbage", "20 messages that are not JSON-RPC"),
        ("close_stdout", "closed its output"),
    ],
)
async def test_noise_ends_the_call_and_the_connection(how: str, reason: str):
    async with connected(hostile(how, max_message_bytes=65_536), FakeClock()) as source:
        with pytest.raises(ToolError, match="effect is unknown"):
            await called(source.tools["mcp__bad__good"], {})

        await until(lambda: source.health.state == "disconnected")
        assert reason in (source.health.problem or "")
        with pytest.raises(ToolError, match=reason):
            await called(source.tools["mcp__bad__good"], {})


async def test_an_answer_that_is_too_long_is_not_read():
    async with connected(hostile("huge", max_message_bytes=1_000_000), FakeClock()) as source:
        with pytest.raises(ToolError, match="ended during the call"):
            await called(source.tools["mcp__bad__good"], {})


async def test_an_answer_that_is_none_fails_its_call_only():
    async with connected(hostile("misfit")) as source:
        with pytest.raises(ToolError, match="something that is no result"):
            await called(source.tools["mcp__bad__good"], {})

        assert source.health.state == "connected"


async def test_a_frozen_server_is_noticed_by_a_call_that_took_too_long_and_is_started_again():
    async with connected(hostile("freeze", connect_timeout_seconds=5)) as source:
        tool = source.tools["mcp__bad__good"]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await tool.call({}, context_of(Desk()))

        await until(lambda: source.health.state == "disconnected")
        assert source.health.problem == "it did not answer in time"
        await until(lambda: source.health.state == "connected")


async def test_a_page_to_visit_is_a_question_and_then_the_call_is_made_again():
    async with connected(hostile("pages")) as source:
        tool = source.tools["mcp__bad__good"]
        with pytest.raises(ToolQuestion, match=r"Sign in\.\nPlease open https://login") as question:
            await called(tool, {})

        assert await called(tool, {}, CallAnswer({}, declined=False, resume=question.value.resume)) == "in"


async def test_state_of_a_server_that_was_started_anew_since_is_its_own_to_refuse():
    async with connected(friendly()) as source:
        with pytest.raises(ToolQuestion) as question:
            await called(source.tools["mcp__nice__paint"], {"what": "house"})
    answers = {"colour": {"colour": "red"}, "size": {"size": 3}}
    resume = question.value.resume
    result: Exception = question.value

    async with connected(friendly()) as source:
        while isinstance(result, ToolQuestion):
            output = next(answer for name, answer in answers.items() if name in result.message)
            answer = CallAnswer(output, declined=False, resume=resume)
            with pytest.raises((ToolQuestion, ToolError)) as asked:
                await called(source.tools["mcp__nice__paint"], {"what": "house"}, answer)
            result, resume = asked.value, getattr(asked.value, "resume", None)

    assert "failed the call" in str(result)


async def test_sampling_is_not_offered():
    async with connected(hostile("samples")) as source:
        assert "not supported" in str(await called(source.tools["mcp__bad__good"], {}))


async def test_lies_about_schemas_cost_the_tools_they_are_told_of(caplog: pytest.LogCaptureFixture):
    async with connected(hostile("lies")) as source:
        offered = {name.removeprefix("mcp__bad__") for name in source.tools}

        assert offered == {"good", "elsewhere", "fetches", "bomb", "again", "talks"}
        assert source.tools["mcp__bad__good"].spec.description == "Good."
    for reason in ("nested more than 48 levels", "more than 65536", "no JSON Schema", "a name of its own"):
        assert reason in caplog.text


async def test_what_a_server_says_of_a_tool_can_only_be_read():
    async with connected(hostile("lies")) as source:
        description = source.tools["mcp__bad__talks"].spec.description

    assert description.startswith("Do[2J it.yyy")
    assert len(description) == 4096


@pytest.mark.parametrize("name", ["fetches", "bomb", "again"])
async def test_a_schema_that_fetches_or_never_ends_is_the_servers_to_judge(name: str):
    async with connected(hostile("lies")) as source:
        assert source.tools[f"mcp__bad__{name}"].check({"x": 7}) == {"x": 7}
        with pytest.raises(ToolInputInvalid):
            source.tools["mcp__bad__good"].check([])  # type: ignore[arg-type]


async def test_too_many_tools_are_cut(caplog: pytest.LogCaptureFixture):
    async with connected(hostile("many", max_tools=7)) as source:
        assert len(source.tools) == 7
    assert "293 more" in caplog.text


async def test_a_server_that_does_not_want_to_end_is_killed_with_its_children():
    async with connected(hostile("linger")) as source:
        pids = [int(pid) for pid in str(await called(source.tools["mcp__bad__good"], {})).split()]

    assert gone(pids[0])()
    await until(gone(pids[1]))


async def test_a_server_that_dies_during_a_call_fails_it_and_is_started_again():
    async with connected(friendly()) as source:
        first = await called(source.tools["mcp__nice__pid"], {})
        with pytest.raises(ToolError, match="ended during the call"):
            await called(source.tools["mcp__nice__die"], {})

        await until(lambda: source.health.state == "disconnected")
        await until(lambda: source.health.state == "connected")
        second = await called(source.tools["mcp__nice__pid"], {})

    assert first != second
    assert gone(int(str(first)))()


async def test_a_command_that_does_not_exist_is_told_and_nothing_fails():
    spec = McpServerSpec(id="none", stdio=StdioSpec(command="/nowhere/at-all"))
    async with connected(spec, FakeClock()) as source:
        assert source.health.state == "disconnected"
        assert source.health.problem == "its command cannot be started: No such file or directory"
        assert source.tools == {}
    assert source.health.state == "stopped"


async def test_pauses_between_attempts_grow():
    clock = FakeClock()
    pauses: list[int] = []
    async with connected(McpServerSpec(id="none", stdio=StdioSpec(command="/nowhere/at-all")), clock):
        for _ in range(12):
            await clock.until_asleep()
            [due] = clock.due
            pauses.append(due - clock.now())
            clock.advance(pauses[-1])

    assert 250 <= pauses[0] <= 500
    assert all(30_000 <= pause <= 60_000 for pause in pauses[7:])
