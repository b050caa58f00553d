"""Sessions that are loaded or resumed: on another connection, in another process, after another protocol."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from wakeful import Agent
from wakeful.contracts.query import RunQuery
from wakeful.providers.scripted import ScriptedProvider, think


def spoken(updates: list[dict[str, Any]]) -> list[tuple[str, str | None, str]]:
    """What was said by whom, chunks of one message joined."""
    kinds = {"user_message_chunk", "agent_message_chunk", "agent_thought_chunk"}
    chunks = [
        (update["sessionUpdate"], update.get("messageId"), update["content"].get("text", ""))
        for update in updates
        if update["sessionUpdate"] in kinds
    ]
    return [
        (*key, "".join(text for _, _, text in group))
        for key, group in itertools.groupby(chunks, key=lambda chunk: chunk[:2])
    ]


def calls(updates: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Every call as a client holds it after these updates."""
    held: dict[str, dict[str, Any]] = {}
    for update in updates:
        if update["sessionUpdate"].startswith("tool_call"):
            held.setdefault(update["toolCallId"], {}).update(update, sessionUpdate="")
    return held


async def test_a_replay_tells_what_the_live_turns_told(editor: Any, connect: Any, allowing: Any) -> None:
    editor.answers["session/request_permission"] = allowing
    session = await editor.new()
    for text in ("weather in Paris", "email bob@example.com hi", "think about time", "draw a circle"):
        await editor.prompt(session, text)
    again = await connect(runtime=editor.runtime)

    loading = again.begin("session/load", {"sessionId": session, "cwd": "/project", "mcpServers": []})
    assert await loading == {}

    assert [line for line in spoken(again.updates) if line[0] != "user_message_chunk"] == spoken(editor.updates)
    live = calls(editor.updates)
    assert calls(again.updates) == live
    assert len(live) == 2
    assert sum(kind == "user_message_chunk" for kind in again.kinds()) == 4
    assert "result" in again.heard[-1]


async def test_the_agent_answers_on_in_a_loaded_session(editor: Any, connect: Any) -> None:
    session = await editor.new()
    await editor.prompt(session, "hello")
    again = await connect(runtime=editor.runtime)
    await again.request("session/load", sessionId=session, cwd="/elsewhere", mcpServers=[])

    assert await again.prompt(session, "and again") == "end_turn"

    assert (await again.request("session/list", cwd="/elsewhere"))["sessions"][0]["sessionId"] == session
    assert (await again.request("session/list", cwd="/project"))["sessions"] == []


async def test_resuming_tells_nothing_of_the_past(editor: Any, connect: Any) -> None:
    session = await editor.new("/project", additionalDirectories=["/lib"])
    await editor.prompt(session, "hello")
    again = await connect(runtime=editor.runtime)

    assert await again.request("session/resume", sessionId=session, cwd="/project") == {}
    await again.request("session/list")

    assert again.updates == []
    assert await again.prompt(session, "hello") == "end_turn"


async def test_folders_that_are_not_named_again_are_no_longer_the_session_s(editor: Any) -> None:
    session = await editor.new("/project", additionalDirectories=["/lib"])

    for given, kept in ((["/src"], ["/src"]), (None, None), (["/a"], ["/a"]), ([], None)):
        await editor.request("session/load", sessionId=session, cwd="/p", mcpServers=[], additionalDirectories=given)
        (found,) = (await editor.request("session/list"))["sessions"]
        assert found.get("additionalDirectories") == kept


async def test_a_run_that_goes_on_is_shown_to_the_one_who_comes_back(connect: Any) -> None:
    gate = asyncio.Event()
    provider = ScriptedProvider([[think("Well."), "One, ", gate, "two."]])
    editor = await connect(agents=[Agent("assistant", model="scripted:x")], providers=[provider])
    session = await editor.new()
    prompt = editor.start_prompt(session, "go")
    await editor.until(lambda: "One" in editor.text())
    again = await connect(runtime=editor.runtime)

    await again.request("session/load", sessionId=session, cwd="/project", mcpServers=[])
    assert again.text("user_message_chunk") == "go"
    gate.set()
    await again.until(lambda: again.text().endswith("two."))

    assert again.text() == "One, two."
    assert again.text("agent_thought_chunk") == "Well."
    assert (await prompt)["stopReason"] == "end_turn"


async def test_who_comes_back_is_asked_what_is_open(editor: Any, connect: Any, allowing: Any) -> None:
    session = await editor.new()
    prompt = editor.start_prompt(session, "email bob@example.com hi")
    await editor.until(lambda: editor.asked)
    for method in ("session/load", "session/resume"):
        silent = await connect(runtime=editor.runtime)
        await silent.request(method, sessionId=session, cwd="/project", mcpServers=[])
        await silent.until(lambda silent=silent: silent.asked)
    again = await connect(runtime=editor.runtime)
    again.answers["session/request_permission"] = allowing

    await again.request("session/load", sessionId=session, cwd="/project", mcpServers=[])
    await again.until(lambda: "I sent the email" in again.text())

    assert (await prompt)["stopReason"] == "end_turn"
    assert again.statuses()[-1] == "completed"


async def test_who_comes_back_can_stop_the_run(editor: Any, connect: Any) -> None:
    session = await editor.new()
    prompt = editor.start_prompt(session, "count to 1000 every 50 ms")
    await editor.until(editor.text)
    again = await connect(runtime=editor.runtime)
    await again.request("session/load", sessionId=session, cwd="/project", mcpServers=[])

    again.notify("session/cancel", sessionId=session)

    async with asyncio.timeout(10):
        assert (await prompt)["stopReason"] == "cancelled"


async def test_a_thread_of_another_protocol_is_a_session_once_it_is_loaded(editor: Any) -> None:
    result = await editor.runtime.run("assistant", "weather in Paris", thread_id="elsewhere")
    assert result.run.origin != "acp"

    await editor.request("session/load", sessionId="elsewhere", cwd="/project", mcpServers=[])

    assert editor.text("user_message_chunk") == "weather in Paris"
    assert [found["sessionId"] for found in (await editor.request("session/list"))["sessions"]] == ["elsewhere"]
    assert await editor.prompt("elsewhere", "hello") == "end_turn"
    runs = (await editor.runtime.inner.store.list_runs(RunQuery(scope="default", thread_id="elsewhere"))).items
    assert len(runs) == 2


async def test_a_session_that_is_loaded_twice_is_shown_once(editor: Any, connect: Any) -> None:
    session = await editor.new()
    prompt = editor.start_prompt(session, "email bob@example.com hi")
    await editor.until(lambda: editor.asked)
    again = await connect(runtime=editor.runtime)
    for count in (1, 2):
        await again.request("session/load", sessionId=session, cwd="/project", mcpServers=[])
        await again.until(lambda count=count: len(again.asked) == count)
    before = len(again.updates)

    editor.notify("session/cancel", sessionId=session)
    assert (await prompt)["stopReason"] == "cancelled"
    await again.until(lambda: "failed" in again.statuses())
    await again.request("session/list")

    failed = [update for update in again.updates[before:] if update.get("status") == "failed"]
    assert len(failed) == 1
