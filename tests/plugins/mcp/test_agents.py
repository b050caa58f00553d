"""Agents with the tools of MCP servers: whole runs, from the model's call to its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest
from tests.plugins.mcp.conftest import Host, friendly, hostile, loaded, over_http, until

from wakeful import AgentRuntime, AgentServer, AgentSpec, Decision, ModelSpec
from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.message import Message, ToolResultPart
from wakeful.contracts.tool import Tool
from wakeful.contracts.tool_source import SourceHealth, ToolSource
from wakeful.plugins.mcp.spec import McpServerSpec, StdioSpec
from wakeful.providers.scripted import Reply, ScriptedProvider, call

MODEL = ModelSpec(id="m", provider="scripted", name="m")


def runtime(
    *replies: Reply, tools: tuple[str, ...], servers: Sequence[McpServerSpec | ToolSource], **settings: Any
) -> AgentRuntime:
    return AgentRuntime(
        agents=[AgentSpec(id="a", model="m", tools=tools)],
        models=[MODEL],
        providers={"scripted": ScriptedProvider(list(replies))},
        mcp_servers=servers,
        **settings,
    )


def results(messages: tuple[Message, ...]) -> list[tuple[str, Any]]:
    parts = [part for message in messages for part in message.parts if isinstance(part, ToolResultPart)]
    return [(part.status, part.output) for part in parts]


async def test_an_agent_calls_a_tool_of_a_server_from_its_very_first_run():
    calls = call("mcp__nice__greet", {"name": "Ada"})
    async with runtime(calls, "Done.", tools=("mcp__nice__*",), servers=[friendly()]) as agents:
        result = await agents.run("a", "hello")

    assert result.text == "Done."
    assert results(result.messages) == [("succeeded", "Hello Ada")]


async def test_an_agent_has_the_tools_its_patterns_name_and_no_others():
    calls = [call("mcp__nice__greet", {"name": "Ada"}), call("mcp__nice__fail", {})]
    async with runtime(calls, "Done.", tools=("mcp__nice__g*",), servers=[friendly(exclude=("grow",))]) as agents:
        result = await agents.run("a", "hello")

    told = dict(results(result.messages))
    assert told["succeeded"] == "Hello Ada"
    assert told["failed"] == "There is no tool named 'mcp__nice__fail'. Available tools: mcp__nice__greet."


async def test_every_call_asks_first_unless_the_operator_says_otherwise():
    calls = call("mcp__nice__greet", {"name": "Ada"})
    async with runtime(calls, "Done.", tools=("mcp__*",), servers=[friendly(approval="destructive")]) as agents:
        waiting = await agents.run("a", "hello")
        [interrupt] = waiting.interrupts
        assert (interrupt.kind, interrupt.tool) == ("approval", "mcp__nice__greet")

        result = await agents.decide(waiting.run.id, Decision(interrupt.id, approved=True))

    assert results(result.messages)[-1] == ("succeeded", "Hello Ada")


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_servers_questions_pause_the_run_and_their_answers_go_on_with_the_call(era: str, tmp_path: Path):
    """Each answer comes to a new process: nothing of the call is left but what the store holds."""
    module = loaded("friendly")
    app = module.build()
    answers = {"Which colour?": {"colour": "red"}, "Which size?": {"size": 3}}
    calls = call("mcp__nice__paint", {"what": "house"})
    async with Host(app.streamable_http_app).up() as host:
        servers = [over_http(host, era=era)]
        settings: dict[str, Any] = {"tools": ("mcp__nice__paint",), "servers": servers}
        settings["store"] = f"sqlite:///{tmp_path / 'w.db'}"
        async with runtime(calls, **settings) as agents:
            resting = await agents.run("a", "paint", run_id="r")
        for _ in answers:
            [interrupt] = resting.interrupts
            assert interrupt.kind == "question"
            answer = answers[interrupt.message.removeprefix("The MCP server nice asks: ")]
            async with runtime("Done.", **settings) as agents:
                resting = await agents.decide("r", Decision(interrupt.id, output=answer))

    assert resting.run.status == "completed"
    assert results(resting.messages) == [("succeeded", "a red house of size 3")]


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_question_the_user_declines_fails_the_call_and_the_run_goes_on(era: str):
    module = loaded("friendly")
    calls = call("mcp__nice__paint", {"what": "house"})
    async with Host(module.build().streamable_http_app).up() as host:
        servers = [over_http(host, era=era)]
        async with runtime(calls, "Then not.", tools=("mcp__nice__paint",), servers=servers) as agents:
            resting = await agents.run("a", "paint")
            while resting.interrupts:
                no = Decision(resting.interrupts[0].id, output="The user did not answer.", failed=True)
                resting = await agents.decide(resting.run.id, no)

    assert (resting.run.status, resting.text) == ("completed", "Then not.")
    [(status, told)] = results(resting.messages)
    assert status == "failed"
    assert "declin" in told.lower()


async def test_a_run_that_is_cancelled_while_its_server_asks_makes_no_second_call():
    seen: list[dict[str, str]] = []
    module = loaded("friendly")
    calls = call("mcp__nice__paint", {"what": "house"})

    def watched() -> Any:
        app = module.build().streamable_http_app()

        async def watching(scope: Any, receive: Any, send: Any) -> None:
            seen.append({name.decode(): value.decode() for name, value in scope.get("headers", [])})
            await app(scope, receive, send)

        return watching

    async with (
        Host(watched).up() as host,
        runtime(calls, tools=("mcp__nice__paint",), servers=[over_http(host)]) as agents,
    ):
        waiting = await agents.run("a", "paint")
        await agents.cancel(waiting.run.id)
        ended = await agents.inner.store.get_run("default", waiting.run.id)

    assert [one.get("mcp-name") for one in seen].count("paint") == 1
    assert ended is not None
    assert ended.status == "cancelled"


async def test_a_hanging_server_fails_its_call_in_time_and_the_run_goes_on():
    servers = [hostile("silence", call_timeout_seconds=0.2), friendly()]
    calls = [call("mcp__bad__good", {}), call("mcp__nice__greet", {"name": "Ada"})]
    async with runtime(calls, "Done.", tools=("mcp__*",), servers=servers) as agents:
        async with asyncio.timeout(60):
            result = await agents.run("a", "hello")

    assert result.text == "Done."
    told = dict(results(result.messages))
    assert told["succeeded"] == "Hello Ada"
    assert "took longer than 0.2 seconds" in told["failed"]


async def test_a_flood_reaches_nobody_but_its_own_call():
    servers = [hostile("flood"), friendly()]
    calls = [call("mcp__bad__good", {}), call("mcp__nice__greet", {"name": "Ada"})]
    async with runtime(calls, "Done.", tools=("mcp__*",), servers=servers) as agents:
        async with asyncio.timeout(60):
            result = await agents.run("a", "hello")

    told = dict(results(result.messages))
    assert told["succeeded"] == "Hello Ada"
    assert "ended during the call" in told["failed"]


async def test_a_server_that_cannot_be_reached_takes_only_its_tools_away():
    gone = McpServerSpec(id="gone", stdio=StdioSpec(command="/nowhere/at-all"))
    async with runtime("Hello.", tools=("mcp__gone__*", "mcp__gone__x"), servers=[gone]) as agents:
        result = await agents.run("a", "hello")

    assert result.text == "Hello."


async def test_health_tells_of_each_server_and_stays_healthy():
    gone = McpServerSpec(id="gone", stdio=StdioSpec(command="/nowhere/at-all"))
    agents = runtime("Hello.", tools=(), servers=[gone, friendly()])
    transport = httpx.ASGITransport(app=AgentServer(agents).app)
    async with agents, httpx.AsyncClient(transport=transport, base_url="http://wakeful") as client:
        sources = agents.inner.catalog.sources.values()
        await until(lambda: {source.health.state for source in sources} == {"connected", "disconnected"})
        answer = await client.get("/health")

    assert answer.status_code == 200
    assert answer.json()["sources"] == {"mcp__gone__": "disconnected", "mcp__nice__": "connected"}


class Undecided:
    """A source that never settles."""

    name = "mcp__never__"
    tools: Mapping[str, Tool] = MappingProxyType({})
    health = SourceHealth("connecting")

    async def settled(self) -> None:
        await asyncio.Event().wait()

    async def run(self) -> None:
        await asyncio.Event().wait()


async def test_a_runtime_that_waits_for_a_source_can_be_stopped(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("wakeful.runtime.runtime.SOURCES_SECONDS", 3600)
    async with asyncio.timeout(60):
        async with runtime("Hello.", tools=("mcp__never__*",), servers=[Undecided()]) as agents:
            receipt = await agents.send("a", "hello")

    assert receipt.effect == "queued"


async def test_a_source_that_never_settles_holds_runs_up_for_a_bounded_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("wakeful.runtime.runtime.SOURCES_SECONDS", 0.01)
    async with asyncio.timeout(60):
        async with runtime("Hello.", tools=("mcp__never__*",), servers=[Undecided()]) as agents:
            assert (await agents.run("a", "hello")).text == "Hello."


@pytest.mark.parametrize("name", ["mcp__other__*", "greet*", "mcp__nice", "nothing"])
def test_a_tool_of_no_known_server_is_a_mistake(name: str):
    with pytest.raises(ConfigurationError, match="unknown tools"):
        runtime("Hello.", tools=(name,), servers=[friendly()])


def test_two_servers_with_one_id_are_a_mistake():
    with pytest.raises(ConfigurationError, match="two tool sources"):
        runtime("Hello.", tools=(), servers=[friendly(), friendly()])
