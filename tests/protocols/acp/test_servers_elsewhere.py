"""MCP servers of the editor, seen from where they are not: other processes, the store, the log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.protocols.acp.bringing import ABOUT, NOTICES, SECRET, outputs, plain, scripted, told

from wakeful import Agent, AgentRuntime
from wakeful.contracts.errors import BadRequest
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.message import Message, ToolResultPart
from wakeful.contracts.query import RunQuery
from wakeful.plugins.mcp.spec import McpServerSpec, StdioSpec
from wakeful.protocols.acp import requests, servers
from wakeful.providers.scripted import ScriptedProvider, call

# -- another process


async def test_a_call_that_was_not_begun_fails_where_its_server_is_not(connect: Any, tmp_path: Path) -> None:
    async with house(tmp_path, ABOUT) as first:
        editor = await connect(runtime=first)
        session = await editor.new(servers=[plain()])
        prompt = editor.start_prompt(session, "go")
        await editor.until(lambda: editor.asked)
        (run,) = (await first.inner.store.list_runs(RunQuery(scope="default"))).items
        await first.inner.feed.until_rest(run.key)
        first.inner.cut_off()
    with pytest.raises(Exception, match="going down"):
        await prompt

    async with house(tmp_path, "On we go.") as second:
        (record,) = await second.inner.store.interrupts(run.key)
        result = await second.decide(run.id, Decision(record.interrupt.id, approved=True))

    ((status, output),) = results(result.messages)
    assert status == "failed"
    assert "'mcp__notes__about' is not available where this run goes on" in output
    assert result.text == "On we go."


async def test_a_call_that_was_cut_off_has_an_unknown_outcome_where_its_server_is_not(
    connect: Any, allowing: Any, tmp_path: Path
) -> None:
    async with house(tmp_path, call("mcp__notes__wait")) as first:
        editor = await connect(runtime=first)
        editor.answers["session/request_permission"] = allowing
        session = await editor.new(servers=[plain()])
        prompt = editor.start_prompt(session, "go")
        await editor.until(lambda: "in_progress" in editor.statuses())
        first.inner.cut_off()
    with pytest.raises(Exception, match="going down"):
        await prompt

    async with house(tmp_path, "On we go.") as second:
        again = await connect(runtime=second)
        await again.request("session/load", sessionId=session, cwd="/project", mcpServers=[])
        await again.until(lambda: again.text().endswith("On we go."))
        assert again.asked == []
        assert "outcome is unknown" in outputs(again)[-1]


def house(folder: Path, *replies: Any) -> AgentRuntime:
    """A process that shares its store with the others of the folder."""
    agents, script = [Agent("a", model="scripted:x")], ScriptedProvider(list(replies))
    return AgentRuntime(agents=agents, providers=[script], store=f"sqlite:///{folder}/runs.db")


def results(messages: Sequence[Message]) -> list[tuple[str, Any]]:
    parts = [part for message in messages for part in message.parts if isinstance(part, ToolResultPart)]
    return [(part.status, part.output) for part in parts]


# -- secrets


async def test_what_a_server_is_given_is_in_no_store_event_and_log(
    connect: Any, allowing: Any, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    editor = await connect(capabilities=NOTICES, **scripted(ABOUT, "Done.", store=f"sqlite:///{tmp_path}/runs.db"))
    editor.answers["session/request_permission"] = allowing
    headers = [{"name": "Authorization", "value": SECRET}]
    web = {"type": "http", "name": "web", "url": "http://127.0.0.1:9/mcp", "headers": headers}
    bad = {**web, "name": "bad", "headers": [{"name": "X-Key", "value": f"{SECRET}\r\n"}]}
    session = await editor.new(servers=[plain(TOKEN=SECRET), web, bad])

    await editor.prompt(session, "go")

    assert json.loads(outputs(editor)[-1])["knows"] == len(SECRET)
    assert [title.split()[3] for title, _ in told(editor)] == ["bad", "web"]
    await editor.runtime.inner.store.aclose()
    files = contents(tmp_path)
    assert b"mcp__notes__about" in files
    assert SECRET.encode() not in files
    assert SECRET not in str(editor.heard)
    assert SECRET not in caplog.text


def test_a_setting_does_not_show_its_value() -> None:
    server = requests.McpServer("n", env=(requests.Setting("TOKEN", SECRET),))

    assert "TOKEN" in repr(server)
    assert SECRET not in repr(server)


def contents(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


# -- pure parts


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["files"], ["files"]),
        (["GitHub MCP"], ["GitHub-MCP"]),
        (["my__files_"], ["my_files"]),
        (["файлы"], ["server"]),
        (["a b", "a-b"], ["a-b-c8687a", "a-b"]),
    ],
)
def test_a_server_has_an_id_that_fits_into_names_of_tools(names: list[str], ids: list[str]) -> None:
    found = servers.server_ids(names)

    assert found == ids
    assert [McpServerSpec(id=one, stdio=StdioSpec(command="x")).id for one in found] == found


def test_long_names_have_ids_of_their_own() -> None:
    first, second = servers.server_ids(["x" * 30 + "1", "x" * 30 + "2"])

    assert first != second
    assert max(len(first), len(second)) <= 24


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " ", "command": "x"},
        {"name": "n"},
        {"name": "n", "command": "x\0"},
        {"name": "n", "command": "x", "env": [{"name": "A=B", "value": SECRET}]},
        {"name": "n", "command": "x", "env": [{"name": "A", "value": f"\0{SECRET}"}]},
        {"name": "n", "type": "sse", "url": "https://x/sse"},
        {"name": "n", "type": "http", "url": "file:///etc/passwd"},
        {"name": "n", "type": "http", "url": "https://x", "headers": [{"name": "Host", "value": SECRET}]},
        {"name": "n", "type": "http", "url": "https://x", "headers": [{"name": "A B", "value": SECRET}]},
        {"name": "n", "type": "http", "url": "https://x", "headers": [{"name": "A", "value": f"{SECRET}\n"}]},
    ],
)
def test_a_server_that_cannot_be_connected_is_refused_without_its_secrets(wrong: Any) -> None:
    with pytest.raises(BadRequest) as refused:
        servers.check(msgspec.convert(wrong, requests.McpServer))

    assert SECRET not in refused.value.message
