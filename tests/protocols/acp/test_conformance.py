"""What every conforming agent of ACP version 1 does, one test for each rule; more of each is in the other files."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.protocols.acp.judge import Judge

from wakeful import Agent, agent, tool
from wakeful.bootstrap.demo import demo_agents
from wakeful.providers.scripted import ScriptedProvider, call, think

DEFINED = {"end_turn", "max_tokens", "max_turn_requests", "refusal", "cancelled"}
TEXT = [{"type": "text", "text": "hello"}]
EVERYTHING = {
    "fs": {"readTextFile": True, "writeTextFile": True},
    "terminal": True,
    "auth": {"terminal": True},
    "elicitation": {"form": {}, "url": {}},
    "session": {"configOptions": {"boolean": {}}, "notices": {}},
}


def methods(editor: Any) -> set[str]:
    return {message["method"] for message in editor.heard if "method" in message}


@tool(frontend=True)
def ask_page(question: str) -> Any:
    """Ask.

    Args:
        question: What.
    """


@agent("coder")
async def coder(request: Any) -> Any:
    """Says something."""
    yield "Said."


# -- mandatory: JSON-RPC


async def test_whatever_is_said_is_one_line_of_json_in_utf_8(connect: Any) -> None:
    words = "naïve 日本 \U0001f600 \u2028 line\nline\r\nline\x00"
    editor = await connect(agents=[Agent("a", model="scripted:x")], providers=[ScriptedProvider([words])])
    lines: list[bytes] = []
    put = editor.lines.from_agent.put

    async def noted(line: bytes) -> None:
        lines.append(line)
        await put(line)

    editor.lines.from_agent.put = noted
    await editor.prompt(await editor.new(), words)

    assert editor.text() == words
    assert len(lines) >= 3
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert editor.judge.judged == len(editor.heard)


@pytest.mark.parametrize("id", [0, -1, 7, 2**53, "seven", ""])
async def test_the_id_of_an_answer_is_the_id_of_the_request(editor: Any, id: Any) -> None:
    await editor.begin("session/list", {}, id=id)

    assert editor.heard[-1]["id"] == id
    assert type(editor.heard[-1]["id"]) is type(id)


async def test_an_error_has_a_code_and_a_message_of_one_line_and_no_result(editor: Any) -> None:
    with pytest.raises(Exception, match="absolute"):
        await editor.new("relative\npath")

    answer = editor.heard[-1]
    assert answer.keys() == {"jsonrpc", "id", "error"}
    assert type(answer["error"]["code"]) is int
    assert "\n" not in answer["error"]["message"]


async def test_notifications_known_or_not_are_never_answered(editor: Any) -> None:
    session = await editor.new()
    before = len(editor.heard)

    for method in ("session/cancel", "session/prompt", "initialize", "nothing", "_own/note", "$/whatever"):
        editor.notify(method, sessionId=session)
    await editor.request("session/list")

    assert len(editor.heard) == before + 1


CHUNK = {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "x"}}


@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "1.0", "id": 1, "result": {"sessions": []}},
        {"jsonrpc": "2.0", "id": 1, "result": {"sessions": []}, "error": {"code": 1, "message": "x"}},
        {"jsonrpc": "2.0", "id": 1, "result": {"sessions": None}},
        {"jsonrpc": "2.0", "id": 1, "result": {"sessions": [], "more": 1}},
        {"jsonrpc": "2.0", "id": 2, "result": {}},
        {"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": "two\nlines"}},
        {"jsonrpc": "2.0", "method": "session/updates", "params": {}},
        {"jsonrpc": "2.0", "method": "fs/read_text_file", "id": 1, "params": {}},
        {"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": "s", "update": {**CHUNK, "extra": 1}}},
        {"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": "s", "update": CHUNK}, "extra": 1},
    ],
)
def test_the_judge_of_all_these_tests_refuses_what_the_protocol_does_not_know(message: Any) -> None:
    judge = Judge()
    judge.announce(1, "session/list")
    judge.hear({"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": "s", "update": CHUNK}})

    with pytest.raises((AssertionError, KeyError, ValueError)):
        judge.hear(message)


# -- mandatory: initialize and sessions


async def test_initialize_agrees_on_version_1(connect: Any) -> None:
    editor = await connect(greet=False)

    assert (await editor.initialize(EVERYTHING, version=1))["protocolVersion"] == 1


async def test_initialize_with_a_version_of_the_future_succeeds_with_one_that_is_known(connect: Any) -> None:
    editor = await connect(greet=False)

    assert (await editor.initialize(version=65535))["protocolVersion"] == 1


async def test_new_sessions_with_no_servers_have_ids_of_their_own(editor: Any) -> None:
    made = [await editor.new("/project", servers=[]) for _ in range(3)]

    assert all(made)
    assert len(set(made)) == 3


# -- mandatory: prompts


async def test_a_text_prompt_ends_with_a_defined_stop_reason(editor: Any) -> None:
    assert await editor.prompt(await editor.new(), "hello") in DEFINED


async def test_updates_of_turns_at_the_same_time_carry_the_id_of_their_own_session(editor: Any) -> None:
    first, second = await editor.new(), await editor.new()

    await asyncio.gather(editor.prompt(first, "say first"), editor.prompt(second, "say second"))

    said = {first: "", second: ""}
    for session, update in zip(editor.sessions, editor.updates, strict=True):
        said[session] += update.get("content", {}).get("text", "")
    assert "first" in said[first]
    assert "second" not in said[first]
    assert "second" in said[second]
    assert "first" not in said[second]


async def test_a_cancelled_prompt_succeeds_as_cancelled_after_all_its_updates(editor: Any) -> None:
    session = await editor.new()
    prompt = editor.start_prompt(session, "count to 1000 every 20 ms")
    await editor.until(editor.text)

    editor.notify("session/cancel", sessionId=session)
    async with asyncio.timeout(10):
        assert await prompt == {"stopReason": "cancelled"}
    heard = len(editor.heard)
    for _ in range(3):
        await editor.request("session/list")

    assert len(editor.heard) == heard + 3


async def test_a_turn_that_was_cancelled_ends_as_cancelled_whatever_became_of_its_run(connect: Any) -> None:
    gate = asyncio.Event()
    editor = await connect(agents=[Agent("a", model="scripted:x")], providers=[ScriptedProvider([["One.", gate]])])
    session = await editor.new()
    prompt = editor.start_prompt(session, "go")
    await editor.until(editor.text)

    editor.notify("session/cancel", sessionId=session)
    gate.set()

    async with asyncio.timeout(10):
        assert (await prompt)["stopReason"] == "cancelled"


# -- mandatory: nothing the client did not ask for


@pytest.mark.parametrize("capabilities", [{}, EVERYTHING])
async def test_there_is_no_option_that_is_on_or_off(connect: Any, capabilities: Any) -> None:
    editor = await connect(capabilities=capabilities, agents=[*demo_agents(), coder])

    opened = await editor.request("session/new", cwd="/project", mcpServers=[])

    assert {option["type"] for option in opened["configOptions"]} == {"select"}


@pytest.mark.parametrize("capabilities", [{}, EVERYTHING])
async def test_there_is_no_way_to_authenticate_in_a_terminal(connect: Any, capabilities: Any) -> None:
    editor = await connect(greet=False)

    assert (await editor.initialize(capabilities))["authMethods"] == []


@pytest.mark.parametrize("capabilities", [{}, EVERYTHING])
async def test_nothing_is_called_that_the_client_did_not_advertise_and_no_file_or_terminal_ever(
    connect: Any, allowing: Any, capabilities: Any
) -> None:
    script = ScriptedProvider([call("ask_page", {"question": "Red?"}), "Thanks."])
    editor = await connect(
        capabilities=capabilities, agents=[Agent("a", model="scripted:x", tools=[ask_page])], providers=[script]
    )
    editor.answers["elicitation/create"] = lambda _: {"action": "decline"}

    assert await editor.prompt(await editor.new(), "go") == "end_turn"

    asked = {"elicitation/create"} if capabilities else set()
    assert methods(editor) - {"session/update"} == asked


async def test_an_extension_method_nobody_knows_gets_an_answer(editor: Any) -> None:
    with pytest.raises(Exception, match="no method") as refused:
        await editor.request("_someone/extension", anything=1)

    assert refused.value.code == -32601


# -- what is advertised


async def test_the_capabilities_are_these(editor: Any) -> None:
    about = await editor.initialize()

    assert about["agentCapabilities"] == {
        "loadSession": True,
        "promptCapabilities": {"image": True, "audio": True, "embeddedContext": True},
        "mcpCapabilities": {"http": True, "sse": False},
        "sessionCapabilities": {"list": {}, "resume": {}, "close": {}, "delete": {}, "additionalDirectories": {}},
    }


async def test_loading_replays_everything_before_its_answer_and_nothing_after(editor: Any, connect: Any) -> None:
    session = await editor.new()
    await editor.prompt(session, "weather in Paris")
    again = await connect(runtime=editor.runtime)

    loaded = await again.request("session/load", sessionId=session, cwd="/project", mcpServers=[])
    await again.request("session/list")

    assert loaded == {}
    assert "user_message_chunk" in again.kinds()
    assert [("method" in message) for message in again.heard[-2:]] == [False, False]


async def test_resuming_sends_nothing_of_the_past(editor: Any, connect: Any) -> None:
    session = await editor.new()
    await editor.prompt(session, "weather in Paris")
    again = await connect(runtime=editor.runtime)

    assert await again.request("session/resume", sessionId=session, cwd="/project", mcpServers=[]) == {}
    await again.request("session/list")

    assert again.updates == []


async def test_listing_an_unknown_folder_finds_an_empty_list(editor: Any) -> None:
    await editor.new("/here")

    assert await editor.request("session/list", cwd="/nowhere") == {"sessions": []}


async def test_closing_and_deleting_answer_with_an_empty_object(editor: Any) -> None:
    for method in ("session/close", "session/delete"):
        assert await editor.request(method, sessionId=await editor.new()) == {}


async def test_closing_in_mid_prompt_ends_the_prompt_as_cancelled(editor: Any) -> None:
    session = await editor.new()
    prompt = editor.start_prompt(session, "count to 1000 every 20 ms")
    await editor.until(editor.text)

    closing = editor.begin("session/close", {"sessionId": session})

    async with asyncio.timeout(10):
        assert (await prompt, await closing) == ({"stopReason": "cancelled"}, {})


@pytest.mark.parametrize("folders", [["/lib"], [], None])
async def test_more_folders_are_accepted(editor: Any, folders: Any) -> None:
    session = await editor.new("/project", additionalDirectories=folders)

    (found,) = (await editor.request("session/list"))["sessions"]
    assert (found["sessionId"], found.get("additionalDirectories")) == (session, folders or None)


async def test_the_mode_is_one_of_those_there_are_and_can_be_set(connect: Any) -> None:
    editor = await connect(agents=[*demo_agents(), coder])
    opened = await editor.request("session/new", cwd="/project", mcpServers=[])
    modes = opened["modes"]

    assert modes["currentModeId"] in [mode["id"] for mode in modes["availableModes"]]
    assert await editor.request("session/set_mode", sessionId=opened["sessionId"], modeId="coder") == {}
    assert await editor.prompt(opened["sessionId"], "go") == "end_turn"
    assert editor.text() == "Said."


async def test_setting_an_option_answers_with_all_options(connect: Any) -> None:
    editor = await connect(agents=[*demo_agents(), coder])
    opened = await editor.request("session/new", cwd="/project", mcpServers=[])

    answer = await editor.request(
        "session/set_config_option", sessionId=opened["sessionId"], configId="agent", value="coder"
    )

    ids = [option["id"] for option in opened["configOptions"]]
    assert [option["id"] for option in answer["configOptions"]] == ids
    assert {value["value"] for value in answer["configOptions"][0]["options"]} == {"assistant", "coder"}


@pytest.mark.parametrize("kind", ["image", "audio", "resource", "resource_link"])
async def test_images_sound_resources_and_links_are_accepted(editor: Any, kind: str) -> None:
    blocks = {
        "image": {"type": "image", "data": "iVBORw0KGgo=", "mimeType": "image/png", "uri": None},
        "audio": {"type": "audio", "data": "iVBORw0KGgo=", "mimeType": "audio/wav"},
        "resource": {"type": "resource", "resource": {"uri": "file:///a.py", "text": "x"}},
        "resource_link": {"type": "resource_link", "uri": "file:///a.py", "name": "a.py"},
    }

    answer = await editor.request("session/prompt", sessionId=await editor.new(), prompt=[blocks[kind]])

    assert answer == {"stopReason": "end_turn"}


async def test_nobody_has_to_authenticate_and_whoever_tries_can_go_on(editor: Any) -> None:
    for method, params in (("authenticate", {"methodId": "x"}), ("logout", {})):
        with pytest.raises(Exception, match="method") as refused:
            await editor.request(method, **params)
        assert refused.value.code != -32000

    assert await editor.new()


# -- advice


async def test_an_unknown_method_is_told_and_the_connection_stays_usable(editor: Any) -> None:
    with pytest.raises(Exception, match="no method") as refused:
        await editor.request("session/fly")

    assert refused.value.code == -32601
    assert await editor.prompt(await editor.new(), "hello") == "end_turn"


async def test_the_agent_says_who_it_is(editor: Any) -> None:
    about = (await editor.initialize())["agentInfo"]

    assert (about["name"], about["title"]) == ("wakeful", "Wakeful")
    assert about["version"]


async def test_meta_is_accepted_everywhere(connect: Any) -> None:
    editor = await connect(greet=False)
    meta = {"_meta": {"traceparent": "x", "nested": {"a": [1]}}}

    await editor.request(
        "initialize", protocolVersion=1, clientCapabilities=meta, clientInfo=meta | {"name": "e"}, **meta
    )
    session = await editor.new("/project", **meta)
    prompt = [{**TEXT[0], **meta}]
    answer = await editor.request("session/prompt", sessionId=session, prompt=prompt, **meta)
    await editor.request("session/load", sessionId=session, cwd="/project", mcpServers=[], **meta)
    await editor.request("session/list", **meta)
    await editor.request("session/close", sessionId=session, **meta)

    assert answer == {"stopReason": "end_turn"}


async def test_deleting_a_session_nobody_knows_succeeds(editor: Any) -> None:
    assert await editor.request("session/delete", sessionId="never-was") == {}


async def test_the_answer_to_loading_is_an_object_even_when_there_is_nothing_to_say(editor: Any) -> None:
    session = await editor.new()

    await editor.request("session/load", sessionId=session, cwd="/project", mcpServers=None)

    assert editor.heard[-1]["result"] == {}


# -- the order of a replay


async def test_a_replay_keeps_the_order_of_words_thoughts_calls_and_files(connect: Any) -> None:
    @tool
    def draw() -> Any:
        """Draw."""
        return {"path": "a.py", "newText": "x"}

    replies = [[think("Hm."), "First.", call("draw")], [think("So."), "Then."]]
    editor = await connect(agents=[Agent("a", model="scripted:x", tools=[draw])], providers=[ScriptedProvider(replies)])
    session = await editor.new()
    image = {"type": "image", "data": "iVBORw0KGgo=", "mimeType": "image/png"}
    await editor.request("session/prompt", sessionId=session, prompt=[*TEXT, image])
    again = await connect(runtime=editor.runtime)

    await again.request("session/load", sessionId=session, cwd="/project", mcpServers=[])

    assert "completed" in again.statuses()
    assert told(again) == [
        ("user_message_chunk", "text"),
        ("user_message_chunk", "image"),
        ("agent_thought_chunk", "text"),
        ("agent_message_chunk", "text"),
        ("tool_call", None),
        ("tool_call_update", None),
        ("agent_thought_chunk", "text"),
        ("agent_message_chunk", "text"),
        ("session_info_update", None),
    ]


def told(editor: Any) -> list[tuple[str, str | None]]:
    """The kind of each update, and of the block in it."""
    return [
        (kind, update["content"]["type"] if kind.endswith("_chunk") else None)
        for kind, update in zip(editor.kinds(), editor.updates, strict=True)
    ]
