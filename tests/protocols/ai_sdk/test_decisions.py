"""Approvals and front-end tools over the AI SDK's own route, as its clients answer them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from wakeful.providers.scripted import ScriptedProvider, call
from wakeful.sdk.agent import Agent
from wakeful.sdk.tool import tool

CHAT = "/v1/ai-sdk/agents/assistant/runs"
HISTORY = "/v1/ai-sdk/threads/t/messages"
ASKED = {"id": "u", "role": "user", "parts": [{"type": "text", "text": "tidy up"}]}
CONTROLS = [
    call("delete", {"path": "a"}, call_id="call-a"),
    call("delete", {"path": "b"}, call_id="call-b"),
    call("pick", {}, call_id="call-c"),
]
Serve = Callable[..., Awaitable[Any]]
Message = dict[str, Any]


@tool(frontend=True)
def pick() -> Any:
    """Let the user pick something."""


class Chat:
    """A client that keeps the thread's messages as the server's history gives them, and sends all of them."""

    def __init__(self, server: Any, deleted: list[str]) -> None:
        self.server = server
        self.deleted = deleted

    async def send(self, messages: list[Message], **options: Any) -> list[dict[str, Any]]:
        answer = await self.server.client.post(CHAT, json={"id": "t", "messages": messages}, **options)
        assert answer.status_code == 200, answer.text
        lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
        return [json.loads(line) for line in lines if line != "[DONE]"]

    async def messages(self) -> list[Message]:
        return (await self.server.client.get(HISTORY)).json()["messages"]

    async def answer(self, *changes: dict[str, Any]) -> list[dict[str, Any]]:
        """Answers calls of the last message as a client does after a reload; `changes` have `toolCallId`."""
        return await self.send(answered(await self.messages(), *changes))


def answered(messages: list[Message], *changes: dict[str, Any]) -> list[Message]:
    """The messages with some tool parts of the last one changed."""
    by_id = {change["toolCallId"]: change for change in changes}
    *before, last = messages
    parts = [part | by_id.get(part.get("toolCallId", ""), {}) for part in last["parts"]]
    return [*before, last | {"parts": parts}]


def approval(part: dict[str, Any], **answer: Any) -> dict[str, Any]:
    """A tool part whose question is answered."""
    return {
        "toolCallId": part["toolCallId"],
        "state": "approval-responded",
        "approval": {"id": part["approval"]["id"], **answer},
    }


def tools(messages: list[Message]) -> dict[str, dict[str, Any]]:
    return {part["toolCallId"]: part for part in messages[-1]["parts"] if "toolCallId" in part}


def parts_for(replies: list[Any], **more: Any) -> tuple[dict[str, Any], list[str]]:
    """What to serve, and the paths its tool deletes."""
    deleted: list[str] = []

    @tool(approval=True)
    async def delete(path: str) -> str:
        """Delete a file."""
        deleted.append(path)
        return f"deleted {path}"

    agent = Agent("assistant", model="scripted:any", tools=[delete, pick])
    return {"agents": [agent], "providers": [ScriptedProvider(replies)], **more}, deleted


@pytest.fixture
def chatting(serve: Serve) -> Callable[..., Awaitable[Chat]]:
    """A chat whose model gives these replies; the first request is already answered."""

    async def start(*replies: Any) -> Chat:
        serving, deleted = parts_for(list(replies))
        chat = Chat(await serve(**serving), deleted)
        await chat.send([ASKED])
        return chat

    return start


@pytest.mark.proves("S23", "S27")
async def test_three_open_questions_are_answered_one_after_the_other_each_after_a_reload(chatting: Any) -> None:
    chat = await chatting(CONTROLS, "Done.")
    asked = tools(await chat.messages())

    first = await chat.answer(approval(asked["call-a"], approved=True))
    after_first = tools(await chat.messages())
    second = await chat.answer({"toolCallId": "call-c", "state": "output-available", "output": 0})
    none_yet = list(chat.deleted)
    last = await chat.answer(approval(asked["call-b"], approved=False, reason="keep it"))

    assert [asked[name]["state"] for name in asked] == ["approval-requested", "approval-requested", "input-available"]
    assert after_first["call-a"]["state"] == "approval-responded"
    assert after_first["call-a"]["approval"] == {"id": asked["call-a"]["approval"]["id"], "approved": True}
    assert after_first["call-b"]["state"] == "approval-requested"
    assert [found[-1]["finishReason"] for found in (first, second, last)] == ["tool-calls", "tool-calls", "stop"]
    assert (none_yet, chat.deleted) == ([], ["a"])
    results = {chunk["toolCallId"]: chunk["type"] for chunk in last if chunk["type"].startswith("tool-output")}
    assert results == {
        "call-a": "tool-output-available",
        "call-b": "tool-output-denied",
        "call-c": "tool-output-available",
    }


async def test_the_continuation_goes_on_with_the_clients_message_and_says_what_the_whole_run_took(
    chatting: Any,
) -> None:
    chat = await chatting([call("delete", {"path": "a"}, call_id="call-a")], "Done.")
    (before,) = (message for message in await chat.messages() if message["role"] == "assistant")

    found = await chat.answer(approval(tools(await chat.messages())["call-a"], approved=True))

    (after,) = (message for message in await chat.messages() if message["role"] == "assistant")
    start, end = found[0]["messageMetadata"], found[-1]["messageMetadata"]
    assert "messageId" not in found[0]
    assert before["id"] == after["id"]
    assert start["createdAt"] == end.get("createdAt", start["createdAt"]) <= after["metadata"]["createdAt"]
    assert end["usage"] == after["metadata"]["usage"]
    assert end["usage"]["totalTokens"] > before["metadata"]["usage"]["totalTokens"]
    assert (end["model"], end["stopReason"]) == (after["metadata"]["model"], "answered")
    assert end["durationMs"] >= 0


@pytest.mark.proves("S08", "S20")
@pytest.mark.parametrize("answer", [{}, *({"approved": odd} for odd in (None, False, "true", "yes", 1, [True], {}))])
@pytest.mark.parametrize("shape", ["tool", "dynamic-tool", "tool-approval-response", "output-denied"])
async def test_only_an_explicit_yes_runs_the_tool(chatting: Any, shape: str, answer: dict[str, Any]) -> None:
    chat = await chatting([call("delete", {"path": "a"}, call_id="call-a")], "Fine.")
    messages = await chat.messages()
    part = tools(messages)["call-a"]
    reply = approval(part, **answer)
    sent = {
        "tool": part | reply,
        "dynamic-tool": part | reply | {"type": "dynamic-tool", "toolName": "delete"},
        "tool-approval-response": {"type": shape, "approvalId": part["approval"]["id"], **answer},
        "output-denied": part | reply | {"state": "output-denied"},
    }[shape]

    found = await chat.send([*messages[:-1], messages[-1] | {"parts": [sent]}])

    assert chat.deleted == []
    assert "tool-output-denied" in [chunk["type"] for chunk in found]
    assert tools(await chat.messages())["call-a"]["state"] == "output-denied"


@pytest.mark.proves("S25")
@pytest.mark.parametrize("shape", ["tool-pick", "dynamic-tool"])
@pytest.mark.parametrize("value", [0, [], None, "no", False, "", {"approved": False}])
async def test_a_front_end_tools_value_is_its_result_whatever_it_is(serve: Serve, shape: str, value: Any) -> None:
    seen: list[Any] = []

    def reply(request: Any) -> str:
        seen.extend(part for message in request.messages for part in message.parts if hasattr(part, "output"))
        return "Thanks."

    serving, _ = parts_for([[call("pick", {}, call_id="call-c")], reply])
    chat = Chat(await serve(**serving), [])
    await chat.send([ASKED])

    found = await chat.answer(
        {"toolCallId": "call-c", "type": shape, "toolName": "pick", "state": "output-available", "output": value}
    )

    (result,) = [chunk for chunk in found if chunk["type"].startswith("tool-output")]
    assert result == {"type": "tool-output-available", "toolCallId": "call-c", "output": value}
    assert [(part.status, part.output) for part in seen] == [("succeeded", value)]
    assert tools(await chat.messages())["call-c"]["output"] == value
    assert found[-1]["finishReason"] == "stop"


async def test_a_front_end_tools_error_reaches_the_model_as_a_failure(chatting: Any) -> None:
    chat = await chatting([call("pick", {}, call_id="call-c")], "Pity.")

    found = await chat.answer({"toolCallId": "call-c", "state": "output-error", "errorText": "no camera"})

    (result,) = [chunk for chunk in found if chunk["type"].startswith("tool-output")]
    assert result == {"type": "tool-output-error", "toolCallId": "call-c", "errorText": "no camera"}
    assert tools(await chat.messages())["call-c"]["errorText"] == "no camera"


async def test_the_same_answer_again_changes_nothing_while_others_are_open_and_after_the_run_went_on(
    chatting: Any,
) -> None:
    chat = await chatting(CONTROLS[:2], "Done.")
    messages = await chat.messages()
    asked = tools(messages)
    one = answered(messages, approval(asked["call-a"], approved=True))
    both = answered(one, approval(asked["call-b"], approved=True))

    first, again = [await chat.send(one) for _ in range(2)]
    last = await chat.send(both)
    before = await chat.messages()
    late = await chat.send(both)

    assert first == again
    assert last[-1]["finishReason"] == "stop"
    assert late == last
    assert await chat.messages() == before
    assert chat.deleted == ["a", "b"]


async def test_another_answer_to_an_answered_question_is_409_and_the_first_one_stands(chatting: Any) -> None:
    chat = await chatting(CONTROLS[:2], "Done.")
    messages = await chat.messages()
    asked = tools(messages)
    await chat.send(answered(messages, approval(asked["call-a"], approved=True)))

    changed = answered(messages, approval(asked["call-a"], approved=False))
    other = await chat.server.client.post(CHAT, json={"id": "t", "messages": changed})

    assert other.status_code == 409
    assert tools(await chat.messages())["call-a"]["approval"]["approved"] is True


@pytest.mark.parametrize("control", ["approval", "front-end tool"])
async def test_a_question_is_answered_after_the_server_was_restarted(
    serving: Any, tmp_path: Path, control: str
) -> None:
    store = f"sqlite:///{tmp_path / 'runs.db'}"
    asking = [CONTROLS[0] if control == "approval" else CONTROLS[2]]
    before, _ = parts_for([asking], store=store)
    after, deleted = parts_for(["Done."], store=store)

    async with serving(**before) as server:
        await Chat(server, []).send([ASKED])
    async with serving(**after) as server:
        chat = Chat(server, deleted)
        (part,) = tools(await chat.messages()).values()
        given = {"toolCallId": part["toolCallId"], "state": "output-available", "output": None}
        found = await chat.answer(approval(part, approved=True) if control == "approval" else given)

    assert "tool-output-available" in [chunk["type"] for chunk in found]
    assert found[-1]["finishReason"] == "stop"
    assert deleted == (["a"] if control == "approval" else [])


@pytest.mark.proves("S19")
async def test_a_finished_turn_sent_again_with_its_results_is_no_answer_to_anything(chatting: Any) -> None:
    chat = await chatting([call("delete", {"path": "a"}, call_id="call-a")], "Done.", "You are welcome.")
    await chat.answer(approval(tools(await chat.messages())["call-a"], approved=True))
    thanks = {"id": "u2", "role": "user", "parts": [{"type": "text", "text": "thanks"}]}

    resent = await chat.server.client.post(CHAT, json={"id": "t", "messages": await chat.messages()})
    more = await chat.send([*await chat.messages(), thanks])

    assert resent.status_code == 400
    assert chat.deleted == ["a"]
    assert more[-1]["finishReason"] == "stop"
    assert [message["role"] for message in await chat.messages()] == ["user", "assistant", "user", "assistant"]


async def test_a_message_without_an_id_is_not_brought_along_when_an_answer_is_given_again(chatting: Any) -> None:
    chat = await chatting("One.", "Two.")
    again = {"id": "t", "trigger": "regenerate-message", "messages": [{"role": "user", "content": "delete it"}]}

    answer = await chat.server.client.post(CHAT, json=again)

    assert answer.status_code == 200
    assert [message["role"] for message in await chat.messages()] == ["user", "assistant"]


@pytest.mark.parametrize("part", [{"state": "output-available", "output": True}, {"state": "output-error"}])
async def test_an_output_is_no_answer_to_an_approval(chatting: Any, part: dict[str, Any]) -> None:
    chat = await chatting(CONTROLS[:1], "Done.")
    before = await chat.messages()
    (call_id,) = tools(before)
    sent = {"type": "tool-delete", "toolCallId": call_id, "input": {}, **part}

    answer = await chat.server.client.post(
        CHAT, json={"id": "t", "messages": [{"id": "a", "role": "assistant", "parts": [sent]}]}
    )

    assert answer.status_code == 400
    assert "'approved'" in answer.json()["error"]
    assert await chat.messages() == before
