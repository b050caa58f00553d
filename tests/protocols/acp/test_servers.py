"""MCP servers that the editor brings: lent to the runs of its session, and to nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from mcp.server import MCPServer
from tests.protocols.acp.bringing import (
    ABOUT,
    NOTICES,
    PATIENCE,
    SECRET,
    alive,
    offered,
    outputs,
    plain,
    scripted,
    told,
    until,
)

from wakeful.bootstrap.editor_servers import EditorServers
from wakeful.bootstrap.redaction import Redaction
from wakeful.contracts.tool import Tool
from wakeful.contracts.tool_source import SourceHealth, ToolSource
from wakeful.plugins.mcp.spec import McpServerSpec, StdioSpec
from wakeful.protocols.acp import servers
from wakeful.protocols.acp.requests import McpServer
from wakeful.providers.scripted import call
from wakeful.runtime.clock import SystemClock

# -- what they are for


async def test_an_editor_s_server_is_started_and_its_tool_is_called_with_the_user_s_permission(
    connect: Any, allowing: Any, tmp_path: Path
) -> None:
    parts = scripted(ABOUT, "Done.")
    editor = await connect(**parts)
    editor.answers["session/request_permission"] = allowing

    session = await editor.new(str(tmp_path), servers=[plain("x", TOKEN=SECRET)])
    assert await editor.prompt(session, "go") == "end_turn"

    assert offered(parts) == {"mcp__notes__about", "mcp__notes__wait", "mcp__notes__die"}
    ((_, asked),) = editor.asked
    assert asked["toolCall"]["name"] == "mcp__notes__about"
    about = json.loads(outputs(editor)[-1])
    assert (about["args"], about["knows"]) == (["x"], len(SECRET))
    assert about["cwd"] == str(tmp_path)
    assert editor.text() == "Done."
    assert "mcp-servers" not in str(editor.updates)


async def test_no_other_session_has_the_tools(connect: Any) -> None:
    parts = scripted("One.", ABOUT, "Nothing.")
    editor = await connect(**parts)
    await editor.prompt(await editor.new(servers=[plain()]), "go")

    await editor.prompt(await editor.new(), "go")

    assert len(offered(parts, 0)) == 3
    assert offered(parts, 1) == set()
    assert "There is no tool named" in outputs(editor)[-1]
    assert not editor.asked


async def test_a_run_of_the_thread_that_came_by_another_protocol_has_the_tools_too(connect: Any) -> None:
    parts = scripted("Hello.", "Again.")
    editor = await connect(**parts)
    session = await editor.new(servers=[plain()])
    await editor.prompt(session, "go")

    await editor.runtime.run("a", "more", thread_id=session)

    assert offered(parts, 1) == offered(parts, 0) != set()


async def test_a_server_that_is_brought_again_stays_connected_and_one_that_is_not_is_gone(
    connect: Any, allowing: Any
) -> None:
    parts = scripted(ABOUT, "1", ABOUT, "2", "3")
    editor = await connect(**parts)
    editor.answers["session/request_permission"] = allowing
    session = await editor.new(servers=[plain()])
    await editor.prompt(session, "go")

    await editor.request("session/load", sessionId=session, cwd="/project", mcpServers=[plain()])
    await editor.prompt(session, "go")
    first, *_, second = (json.loads(output)["pid"] for output in outputs(editor))
    await editor.request("session/resume", sessionId=session, cwd="/project")
    await editor.prompt(session, "go")

    assert first == second
    assert offered(parts, 4) == set()
    await until(lambda: not alive(first))


@pytest.mark.parametrize("method", ["session/close", "session/delete"])
async def test_servers_end_with_their_session(connect: Any, allowing: Any, method: str) -> None:
    editor = await connect(**scripted(ABOUT, "Done."))
    editor.answers["session/request_permission"] = allowing
    session = await editor.new(servers=[plain()])
    await editor.prompt(session, "go")
    pid = json.loads(outputs(editor)[-1])["pid"]
    assert alive(pid)

    await editor.request(method, sessionId=session)

    await until(lambda: not alive(pid))


async def test_a_server_behind_http_is_asked_with_the_headers_the_editor_gives(connect: Any, allowing: Any) -> None:
    seen: list[dict[bytes, bytes]] = []
    inner = MCPServer("web")
    inner.add_tool(lambda: "from the web", name="fetch", description="Fetch.")
    app = inner.streamable_http_app()

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            seen.append(dict(scope["headers"]))
        await app(scope, receive, send)

    parts = scripted(call("mcp__web__fetch"), "Done.")
    editor = await connect(greet=False, **parts)
    about = await editor.initialize()
    editor.answers["session/request_permission"] = allowing
    async with listening(watched) as url:
        headers = [{"name": "Authorization", "value": SECRET}]
        session = await editor.new(servers=[{"type": "http", "name": "web", "url": url, "headers": headers}])
        await editor.prompt(session, "go")
        await editor.request("session/close", sessionId=session)

    assert about["agentCapabilities"]["mcpCapabilities"] == {"http": True, "sse": False}
    assert "from the web" in str(outputs(editor)[-1])
    assert {headers.get(b"authorization") for headers in seen} == {SECRET.encode()}


@asynccontextmanager
async def listening(app: Any) -> AsyncIterator[str]:
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/mcp"
    finally:
        server.should_exit = True
        await serving


# -- what goes wrong


async def test_a_server_that_does_not_start_is_told_once_and_holds_up_nothing(connect: Any) -> None:
    editor = await connect(capabilities=NOTICES, **scripted("One.", "Two."))
    session = await editor.new(servers=[{"name": "gone", "command": "/nowhere/at/all", "args": [], "env": []}])

    for _ in range(2):
        assert await editor.prompt(session, "go") == "end_turn"

    ((title, why),) = told(editor)
    assert title == "The MCP server gone is not available"
    assert "cannot be started" in why


async def test_a_client_without_notices_is_told_of_a_server_in_a_thought(connect: Any) -> None:
    editor = await connect(**scripted("One."))
    session = await editor.new(servers=[{"name": "gone", "command": "/nowhere/at/all", "args": [], "env": []}])

    await editor.prompt(session, "go")

    assert "The MCP server gone is not available" in editor.text("agent_thought_chunk")
    assert "notice" not in editor.kinds()


async def test_a_server_that_never_answers_is_given_up_and_the_others_work(connect: Any) -> None:
    parts = scripted("One.")
    editor = await connect(capabilities=NOTICES, opener=Impatient(), **parts)
    session = await editor.new(servers=[plain("mute", name="mute"), plain()])

    async with asyncio.timeout(PATIENCE):
        await editor.start_prompt(session, "go")

    ((title, why),) = told(editor)
    assert "mute" in title
    assert why
    assert len(offered(parts)) == 3


class Impatient:
    """Waits only a moment for the server that is called mute."""

    http = True

    async def open(self, server: McpServer, *, id: str, cwd: str) -> ToolSource:
        seconds = 0.5 if server.name == "mute" else 30
        return await EditorServers(SystemClock(), Redaction(), connect_seconds=seconds).open(server, id=id, cwd=cwd)


class Never:
    """A source that never gets anywhere."""

    name = "mcp__never__"
    tools: Mapping[str, Tool] = {}
    health = SourceHealth("connecting", problem="it has not answered yet")

    def __init__(self) -> None:
        self.waited_for = asyncio.Event()

    http = False

    async def open(self, server: Any, *, id: str, cwd: str) -> Any:
        return self

    async def settled(self) -> None:
        self.waited_for.set()
        await asyncio.Event().wait()

    async def run(self) -> None:
        await asyncio.Event().wait()


async def test_a_prompt_that_waits_for_servers_can_be_cancelled(connect: Any) -> None:
    never = Never()
    editor = await connect(opener=never, **scripted("Never said."))
    session = await editor.new(servers=[plain()])
    prompt = editor.start_prompt(session, "go")
    async with asyncio.timeout(PATIENCE):
        await never.waited_for.wait()

    editor.notify("session/cancel", sessionId=session)

    async with asyncio.timeout(5):
        assert (await prompt)["stopReason"] == "cancelled"


async def test_a_server_that_dies_in_a_call_fails_the_call_and_nothing_else(connect: Any, allowing: Any) -> None:
    editor = await connect(capabilities=NOTICES, **scripted(call("mcp__notes__die"), "Oh.", "Well."))
    editor.answers["session/request_permission"] = allowing
    session = await editor.new(servers=[plain()])

    assert await editor.prompt(session, "go") == "end_turn"
    assert editor.statuses()[-1] == "failed"
    assert "effect is unknown" in outputs(editor)[-1]
    assert await editor.prompt(session, "go") == "end_turn"
    assert editor.text() == "Oh.Well."


async def test_a_cancel_ends_a_call_that_hangs_in_a_server(connect: Any, allowing: Any) -> None:
    editor = await connect(**scripted(call("mcp__notes__wait"), "Never said."))
    editor.answers["session/request_permission"] = allowing
    session = await editor.new(servers=[plain()])
    prompt = editor.start_prompt(session, "go")
    await editor.until(lambda: "in_progress" in editor.statuses())

    editor.notify("session/cancel", sessionId=session)

    async with asyncio.timeout(PATIENCE):
        assert (await prompt)["stopReason"] == "cancelled"


async def test_names_that_collide_are_told_and_contained(connect: Any) -> None:
    own = McpServerSpec(id="own", stdio=StdioSpec(command="/nowhere/at/all"))
    parts = scripted("One.", mcp_servers=[own])
    editor = await connect(capabilities=NOTICES, **parts)
    brought = [plain(), plain("other"), plain(name="own"), plain(name="my notes"), plain(name="my-notes")]
    session = await editor.new(servers=brought)

    await editor.prompt(session, "go")

    assert [(title.split()[3], why.split(";")[0]) for title, why in told(editor)] == [
        ("notes", "another server of the session is named so too"),
        ("own", "the agents have a server of that name already"),
    ]
    prefixes = {name.rpartition("__")[0] for name in offered(parts)}
    assert prefixes == {"mcp__notes", "mcp__my-notes", "mcp__" + servers.server_ids(["my notes", "my-notes"])[0]}


async def test_a_session_brings_a_bounded_number_of_servers(connect: Any) -> None:
    opener = servers.NoServers("not here")
    editor = await connect(capabilities=NOTICES, opener=opener, **scripted("One."))
    session = await editor.new(servers=[plain(name=f"server-{number}") for number in range(40)])

    await editor.prompt(session, "go")

    *refused, (title, why) = told(editor)
    assert {reason for _, reason in refused} == {"not here"}
    assert len(refused) == servers.MOST_SERVERS == 32
    assert (title.split()[3], why) == ("server-32", "a session has at most 32 servers; 8 are left out")


async def test_an_agent_whose_runs_are_carried_elsewhere_connects_nothing_and_says_so(connect: Any) -> None:
    editor = await connect(greet=False, opener=servers.NoServers("others carry the runs"), **scripted("One."))
    about = await editor.initialize(NOTICES)
    session = await editor.new(servers=[plain()])

    await editor.prompt(session, "go")

    assert about["agentCapabilities"]["mcpCapabilities"] == {"http": False, "sse": False}
    assert told(editor) == [("The MCP server notes is not available", "others carry the runs")]
