"""What every conforming agent of ACP version 1 does, rule by rule."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from wakeful import Agent
from wakeful.bootstrap.demo import demo_agents
from wakeful.contracts.query import RunQuery

TEXT = [{"type": "text", "text": "hello"}]


async def test_ids_come_back_as_they_were_sent(connect: Any) -> None:
    editor = await connect(greet=False)

    await editor.begin("initialize", {"protocolVersion": 1}, id="seven")
    await editor.begin("session/list", {}, id=0)

    assert [message["id"] for message in editor.heard] == ["seven", 0]


@pytest.mark.parametrize("asked", [1, 2, 65535])
async def test_every_version_a_client_asks_for_is_answered_with_version_1(connect: Any, asked: int) -> None:
    editor = await connect(greet=False)

    answer = await editor.initialize(version=asked)

    assert answer["protocolVersion"] == 1
    assert answer["agentInfo"]["name"] == "wakeful"
    assert answer["authMethods"] == []


async def test_capabilities_that_cannot_be_read_count_as_absent(connect: Any) -> None:
    editor = await connect(greet=False)

    answer = await editor.request("initialize", protocolVersion=1, clientCapabilities={"elicitation": 7})

    assert answer["protocolVersion"] == 1


@pytest.mark.proves("C02")
async def test_nothing_else_is_answered_before_initialize(connect: Any) -> None:
    editor = await connect(greet=False)

    with pytest.raises(Exception, match="initialize") as refused:
        await editor.request("session/new", cwd="/project", mcpServers=[])

    assert refused.value.code == -32600
    await editor.initialize()
    assert await editor.new()


@pytest.mark.proves("C02")
@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", -32700),
        (b"\xff", -32700),
        (b"[]", -32600),
        (b"7", -32600),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"x"}', -32600),
        (b'{"jsonrpc":"2.0","id":{},"method":"x"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":7}', -32600),
        (b'{"jsonrpc":"1.0","id":1,"method":"session/list"}', -32600),
        (b'{"jsonrpc":"2.0","id":1}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"session/list","params":[]}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"session/new","params":{"cwd":"/project"}}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"_own/thing"}', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"logout"}', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"authenticate","params":{"methodId":"x"}}', -32602),
        (b"[" * 100_000, -32600),
        (b"x" * 1_000_001, -32600),
    ],
)
async def test_bad_messages_are_refused_and_the_connection_stays_usable(editor: Any, line: bytes, code: int) -> None:
    before = len(editor.heard)

    editor.say(line)
    await editor.until(lambda: len(editor.heard) > before)

    assert editor.heard[before]["error"]["code"] == code
    assert await editor.new()


async def test_notifications_are_never_answered(editor: Any) -> None:
    before = len(editor.heard)

    editor.notify("session/cancel", sessionId="nobody")
    editor.notify("session/cancel")
    editor.notify("$/cancel_request", requestId=4711)
    editor.notify("$/progress")
    editor.notify("_own/note")
    editor.say({"jsonrpc": "2.0", "id": 99999, "result": {}})
    await editor.request("session/list")

    assert len(editor.heard) == before + 1


async def test_an_id_that_is_in_use_is_refused(connect: Any) -> None:
    gate = asyncio.Event()
    editor = await connect(agents=[Agent("assistant", model="scripted:x")], providers=[scripted([gate, "late"])])
    session = await editor.new()
    prompt = editor.begin("session/prompt", {"sessionId": session, "prompt": TEXT}, id="same")

    before = len(editor.heard)
    editor.say({"jsonrpc": "2.0", "id": "same", "method": "session/list", "params": {}})
    await editor.until(lambda: any("error" in message for message in editor.heard[before:]))
    gate.set()

    # The harness cannot tell the two apart, so it took the refusal for the prompt's answer.
    with pytest.raises(Exception, match="in use"):
        await prompt


def scripted(*replies: Any) -> Any:
    from wakeful.providers.scripted import ScriptedProvider

    return ScriptedProvider(list(replies))


# -- sessions


async def test_sessions_are_distinct_threads(editor: Any) -> None:
    first, second = await editor.new(), await editor.new()

    assert first
    assert first != second
    assert await editor.runtime.inner.store.get_thread("default", first)


@pytest.mark.parametrize("cwd", ["work", "", "./x", "~"])
async def test_a_session_needs_an_absolute_folder(editor: Any, cwd: str) -> None:
    with pytest.raises(Exception, match="absolute") as refused:
        await editor.new(cwd)

    assert refused.value.code == -32602


@pytest.mark.parametrize("cwd", ["/project", "C:\\work", "\\\\host\\share"])
async def test_a_folder_of_any_system_will_do(editor: Any, cwd: str) -> None:
    session = await editor.new(cwd, additionalDirectories=["/other"], _meta={"x": 1})

    (found,) = (await editor.request("session/list"))["sessions"]

    assert (found["sessionId"], found["cwd"], found["additionalDirectories"]) == (session, cwd, ["/other"])


async def test_sessions_are_listed_by_folder_newest_first(editor: Any) -> None:
    first, second, third = await editor.new("/a"), await editor.new("/b"), await editor.new("/a")
    assert await editor.prompt(first, "hello") == "end_turn"

    listed = (await editor.request("session/list", cwd="/a"))["sessions"]

    assert [found["sessionId"] for found in listed] == [first, third]
    assert listed[0]["title"] == "hello"
    assert listed[0]["updatedAt"].endswith("Z")
    assert (await editor.request("session/list", cwd="/nowhere"))["sessions"] == []
    assert second in [found["sessionId"] for found in (await editor.request("session/list"))["sessions"]]


async def test_a_long_list_comes_in_pages(editor: Any) -> None:
    made = {await editor.new() for _ in range(70)}

    first = await editor.request("session/list")
    second = await editor.request("session/list", cursor=first["nextCursor"])

    found = [session["sessionId"] for page in (first, second) for session in page["sessions"]]
    assert len(found) == len(made) == 70
    assert set(found) == made
    assert "nextCursor" not in second


@pytest.mark.parametrize("cursor", ["x", "é", "WyJhIiwxXQ=="])
async def test_a_cursor_of_somebody_else_is_refused(editor: Any, cursor: str) -> None:
    with pytest.raises(Exception, match="cursor") as refused:
        await editor.request("session/list", cursor=cursor)

    assert refused.value.code == -32602


async def test_an_unknown_session_is_a_missing_resource(editor: Any) -> None:
    for method, more in [
        ("session/prompt", {"prompt": TEXT}),
        ("session/load", {"cwd": "/project", "mcpServers": []}),
        ("session/resume", {"cwd": "/project"}),
        ("session/close", {}),
    ]:
        with pytest.raises(Exception, match="not found") as refused:
            await editor.request(method, sessionId="nobody", **more)
        assert refused.value.code == -32002


async def test_a_session_of_another_scope_does_not_exist(editor: Any, connect: Any) -> None:
    session = await editor.new()
    stranger = await connect(runtime=editor.runtime, scope="theirs")

    with pytest.raises(Exception, match="not found"):
        await stranger.request("session/load", sessionId=session, cwd="/project", mcpServers=[])

    assert (await stranger.request("session/list"))["sessions"] == []
    await stranger.request("session/delete", sessionId=session)
    assert (await editor.request("session/list"))["sessions"]


async def test_a_deleted_session_is_gone_and_deleting_it_again_succeeds(editor: Any) -> None:
    session = await editor.new()
    await editor.prompt(session, "hello")

    assert await editor.request("session/delete", sessionId=session) == {}
    assert await editor.request("session/delete", sessionId=session) == {}
    assert await editor.request("session/delete", sessionId="never-was") == {}

    assert (await editor.request("session/list"))["sessions"] == []
    with pytest.raises(Exception, match="not found"):
        await editor.prompt(session, "hello")


async def test_closing_a_session_cancels_its_prompt_and_keeps_its_thread(editor: Any) -> None:
    session = await editor.new()
    prompt = editor.start_prompt(session, "count to 1000 every 50 ms")
    await editor.until(editor.text)

    assert await editor.request("session/close", sessionId=session) == {}

    assert (await prompt)["stopReason"] == "cancelled"
    assert (await editor.request("session/list"))["sessions"]
    with pytest.raises(Exception, match="not found"):
        await editor.prompt(session, "hello")


async def test_deleting_a_session_that_works_stops_it_first(editor: Any) -> None:
    session = await editor.new()
    prompt = editor.start_prompt(session, "count to 1000 every 50 ms")
    await editor.until(editor.text)

    await editor.request("session/delete", sessionId=session)

    assert (await prompt)["stopReason"] == "cancelled"
    assert await editor.runtime.inner.store.get_thread("default", session) is None


async def test_modes_are_the_agents(connect: Any) -> None:
    agents = [*demo_agents(), Agent("poet", model="scripted:x", description="Rhymes.")]
    editor = await connect(agents=agents, providers=[scripted("A rhyme.")])
    opened = await editor.request("session/new", cwd="/project", mcpServers=[])
    session = opened["sessionId"]

    assert opened["modes"]["currentModeId"] == "assistant"
    assert [mode["id"] for mode in opened["modes"]["availableModes"]] == ["assistant", "poet"]
    assert await editor.request("session/set_mode", sessionId=session, modeId="poet") == {}
    await editor.prompt(session, "go")

    assert editor.text() == "A rhyme."
    assert "config_option_update" in editor.kinds()
    loaded = await editor.request("session/load", sessionId=session, cwd="/project", mcpServers=[])
    assert loaded["modes"]["currentModeId"] == "poet"


async def test_choosing_an_agent_as_an_option_returns_all_options(connect: Any) -> None:
    editor = await connect(agents=[*demo_agents(), Agent("poet", model="demo:offline")])
    session = await editor.new()

    answer = await editor.request("session/set_config_option", sessionId=session, configId="agent", value="poet")

    (option,) = answer["configOptions"]
    assert (option["currentValue"], option["type"], option["category"]) == ("poet", "select", "mode")
    await editor.until(lambda: {"sessionUpdate": "current_mode_update", "currentModeId": "poet"} in editor.updates)
    for wrong in ({"configId": "agent", "value": "nobody"}, {"configId": "x", "value": "y"}):
        with pytest.raises(Exception, match=r"expected one of|no configuration option") as refused:
            await editor.request("session/set_config_option", sessionId=session, **wrong)
        assert refused.value.code == -32602


async def test_one_agent_alone_is_no_choice(editor: Any) -> None:
    opened = await editor.request("session/new", cwd="/project", mcpServers=[])

    assert opened.keys() == {"sessionId"}


# -- prompts


async def test_a_text_prompt_is_answered_and_ends(editor: Any) -> None:
    session = await editor.new()

    assert await editor.prompt(session, "hello") == "end_turn"

    assert editor.text().startswith('You said "hello".')
    assert set(editor.sessions) == {session}
    (run,) = (await editor.runtime.inner.store.list_runs(RunQuery(scope="default"))).items
    assert (run.origin, run.thread_id) == ("acp", session)


@pytest.mark.proves("C01")
async def test_all_updates_come_before_the_answer(editor: Any) -> None:
    session = await editor.new()

    await editor.prompt(session, "count to 30")
    await editor.request("session/list")

    assert [message.get("method") for message in editor.heard[-2:]] == [None, None]


async def test_cancelling_ends_the_turn_as_cancelled_and_nothing_follows(editor: Any) -> None:
    session = await editor.new()
    prompt = editor.start_prompt(session, "count to 1000 every 50 ms")
    await editor.until(editor.text)

    editor.notify("session/cancel", sessionId=session)

    async with asyncio.timeout(10):
        assert (await prompt)["stopReason"] == "cancelled"
    heard = len(editor.heard)
    assert await editor.prompt(session, "hello") == "end_turn"
    assert all("method" in message for message in editor.heard[heard:-1])
    run = (await editor.runtime.inner.store.list_runs(RunQuery(scope="default"))).items[-1]
    assert run.status == "cancelled"


async def test_a_prompt_can_be_cancelled_before_its_run_exists(editor: Any) -> None:
    session = await editor.new()

    prompt = editor.start_prompt(session, "count to 1000 every 50 ms")
    editor.notify("session/cancel", sessionId=session)

    async with asyncio.timeout(10):
        assert (await prompt)["stopReason"] == "cancelled"


async def test_calling_off_the_request_cancels_the_prompt(editor: Any) -> None:
    session = await editor.new()
    params = {"sessionId": session, "prompt": [{"type": "text", "text": "count to 1000 every 50 ms"}]}
    prompt = editor.begin("session/prompt", params, id="p")
    await editor.until(editor.text)

    editor.notify("$/cancel_request", requestId="p")

    async with asyncio.timeout(10):
        assert (await prompt)["stopReason"] == "cancelled"


async def test_a_second_prompt_replaces_the_first(editor: Any) -> None:
    session = await editor.new()
    first = editor.start_prompt(session, "count to 1000 every 50 ms")
    await editor.until(editor.text)

    assert await editor.prompt(session, "hello") == "end_turn"

    assert (await first)["stopReason"] == "cancelled"


PNG = "iVBORw0KGgo="
BLOCKS: list[dict[str, Any]] = [
    {"type": "text", "text": "look", "_meta": {"x": 1}, "annotations": {"audience": ["user"]}},
    {"type": "image", "data": PNG, "mimeType": "image/png"},
    {"type": "audio", "data": PNG, "mimeType": "audio/wav"},
    {"type": "resource", "resource": {"uri": "file:///project/a.py", "text": "print()", "mimeType": "text/x-python"}},
    {"type": "resource", "resource": {"uri": "file:///project/a.pdf", "blob": PNG, "mimeType": "application/pdf"}},
    {"type": "resource_link", "uri": "file:///project/b.py", "name": "b.py", "description": "the other"},
]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block["type"])
async def test_every_kind_of_block_is_accepted(editor: Any, block: dict[str, Any]) -> None:
    session = await editor.new()

    answer = await editor.request("session/prompt", sessionId=session, prompt=[block])

    assert answer["stopReason"] == "end_turn"
    await editor.request("session/load", sessionId=session, cwd="/project", mcpServers=[])
    assert "user_message_chunk" in editor.kinds()


async def test_the_model_sees_what_a_prompt_embeds_and_links_to(connect: Any) -> None:
    provider = scripted("ok")
    editor = await connect(agents=[Agent("assistant", model="scripted:x")], providers=[provider])
    session = await editor.new("/project", additionalDirectories=["/lib"])

    await editor.request("session/prompt", sessionId=session, prompt=[BLOCKS[3], BLOCKS[5]])

    seen = str(provider.requests[0])
    for part in ("file:///project/a.py", "print()", "[b.py](file:///project/b.py)", "folder /project and in /lib"):
        assert part in seen


@pytest.mark.parametrize(
    "prompt",
    [
        [],
        [{"type": "text", "text": " "}],
        [{"type": "image", "data": "?", "mimeType": "image/png"}],
        [{"type": "image", "data": PNG, "mimeType": "application/x-evil"}],
        [{"type": "video"}],
        [{"type": "text"}],
        "hello",
    ],
)
async def test_a_prompt_of_which_nothing_can_be_used_is_refused(editor: Any, prompt: Any) -> None:
    session = await editor.new()

    with pytest.raises(Exception) as refused:  # noqa: PT011 - its code is looked at
        await editor.request("session/prompt", sessionId=session, prompt=prompt)

    assert refused.value.code == -32602
    assert await editor.prompt(session, "hello") == "end_turn"


async def test_a_run_that_fails_is_an_error_with_its_code(editor: Any) -> None:
    session = await editor.new()

    with pytest.raises(Exception) as refused:  # noqa: PT011 - its code is looked at
        await editor.prompt(session, "fail")

    assert refused.value.code == -32603
    assert refused.value.data["code"]
    assert await editor.prompt(session, "hello") == "end_turn"


@pytest.mark.parametrize(
    ("limits", "stop"), [({"max_steps": 1}, "max_turn_requests"), ({"max_tokens": 1}, "max_tokens")]
)
async def test_a_limit_is_the_reason_why_a_turn_stopped(connect: Any, limits: Any, stop: str) -> None:
    editor = await connect(agents=[Agent("a", model="demo:offline", tools=list(demo_agents()[0].tools), **limits)])

    assert await editor.prompt(await editor.new(), "weather in Paris") == stop


async def test_an_editor_that_does_not_read_holds_nothing_up(connect: Any) -> None:
    slow = await connect(greet=False, room=3)
    slow_lines = slow.lines.from_agent
    await slow.initialize()
    session = await slow.new()

    assert await slow.prompt(session, "count to 500") == "end_turn"

    assert slow_lines.maxsize == 3
    assert "500" in slow.text()
