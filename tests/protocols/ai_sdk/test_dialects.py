"""A client says which major version of the AI SDK it speaks, and is answered in it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from wakeful.protocols.ai_sdk.dialects import DIALECTS
from wakeful.providers.scripted import ScriptedProvider, call
from wakeful.sdk.agent import Agent
from wakeful.sdk.tool import tool

CHAT = "/v1/ai-sdk/agents/assistant/runs"
STREAM = "/v1/ai-sdk/threads/t/stream"
HISTORY = "/v1/ai-sdk/threads/t/messages"
ASKED = [{"id": "u", "role": "user", "content": "tidy up"}]
Serve = Callable[..., Awaitable[Any]]


@tool(approval=True)
async def delete(path: str) -> str:
    """Delete a file."""
    return f"deleted {path}"


@pytest.fixture
async def asking(serve: Serve) -> Callable[..., Awaitable[Any]]:
    """Serves an agent that asks for an approval, which each major puts in its own way."""

    async def start(**config: Any) -> Any:
        agent = Agent("assistant", model="scripted:any", tools=[delete])
        model = ScriptedProvider([call("delete", {"path": "a"}), "Done."])
        return await serve(agents=[agent], providers=[model], **config)

    return start


def chunks(text: str) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def spoken(text: str) -> str:
    """Which major a stream is in."""
    (question,) = [chunk for chunk in chunks(text) if chunk["type"].endswith("approval-request")]
    if question["type"] == "data-approval-request":
        return "5"
    return "7" if "reason" in question else "6"


@pytest.mark.parametrize("major", DIALECTS)
@pytest.mark.parametrize("place", ["header", "query", "body", "a number in the body", "setting"])
async def test_a_chat_is_answered_in_the_major_that_was_asked_for(asking: Any, place: str, major: str) -> None:
    server = await asking(**{"ai_sdk_version": major} if place == "setting" else {})
    options: dict[str, Any] = {
        "header": {"headers": {"x-wakeful-ai-sdk": major}},
        "query": {"params": {"ai_sdk": major}},
    }.get(place, {})
    named = {"body": {"aiSdkVersion": major}, "a number in the body": {"aiSdkVersion": int(major)}}.get(place, {})

    answer = await server.client.post(CHAT, json={"id": "t", "messages": ASKED, **named}, **options)

    assert spoken(answer.text) == major


@pytest.mark.parametrize(
    ("headers", "params", "body", "major"),
    [
        ({"x-wakeful-ai-sdk": "5"}, {"ai_sdk": "7"}, {"aiSdkVersion": 7}, "5"),
        ({}, {"ai_sdk": "5"}, {"aiSdkVersion": 7}, "5"),
        ({}, {}, {"aiSdkVersion": None}, "6"),
        ({}, {}, {}, "6"),
    ],
)
async def test_the_header_comes_before_the_query_and_that_before_the_body(
    asking: Any, headers: Any, params: Any, body: Any, major: str
) -> None:
    server = await asking()

    answer = await server.client.post(CHAT, json={"id": "t", "messages": ASKED, **body}, headers=headers, params=params)

    assert spoken(answer.text) == major


@pytest.mark.parametrize("major", DIALECTS)
async def test_a_resumed_stream_and_the_history_are_in_the_major_that_was_asked_for(asking: Any, major: str) -> None:
    server = await asking()
    await server.client.post("/v1/threads", json={"id": "t"})
    await server.client.post("/v1/threads/t/messages", json={"messages": [{"role": "user", "content": "tidy up"}]})

    again = await server.client.get(STREAM, params={"ai_sdk": major})
    history = await server.client.get(HISTORY, headers={"x-wakeful-ai-sdk": major})

    parts = history.json()["messages"][-1]["parts"]
    states = [part["state"] for part in parts if part["type"] == "tool-delete"]
    questions = [part["data"]["toolName"] for part in parts if part["type"] == "data-approval-request"]
    assert spoken(again.text) == major
    assert (states, questions) == ((["input-available"], ["delete"]) if major == "5" else (["approval-requested"], []))


@pytest.mark.parametrize("sent", ["4", "8", "7.0", "seven", ""])
@pytest.mark.parametrize("place", ["header", "query"])
async def test_a_major_nobody_knows_is_400_on_every_route_and_starts_nothing(
    asking: Any, place: str, sent: str
) -> None:
    server = await asking()
    options = {"headers": {"x-wakeful-ai-sdk": sent}} if place == "header" else {"params": {"ai_sdk": sent}}

    answers = [
        await server.client.post(CHAT, json={"id": "t", "messages": ASKED}, **options),
        await server.client.get(STREAM, **options),
        await server.client.get(HISTORY, **options),
    ]

    assert [answer.status_code for answer in answers] == [400, 400, 400]
    assert "one of 5, 6, 7" in answers[0].json()["error"]
    assert await server.held() == (0, 0, 0)


@pytest.mark.parametrize("sent", ["8", 4, 7.5, True, [7], {}])
async def test_a_major_nobody_knows_in_the_body_is_400_and_starts_nothing(asking: Any, sent: Any) -> None:
    server = await asking()

    answer = await server.client.post(CHAT, json={"id": "t", "messages": ASKED, "aiSdkVersion": sent})

    assert answer.status_code == 400
    assert "'aiSdkVersion' to be one of 5, 6, 7" in answer.json()["error"]
    assert await server.held() == (0, 0, 0)


@pytest.mark.parametrize(("approved", "shown"), [(True, "tool-output-available"), (False, "tool-output-error")])
async def test_a_client_of_major_5_learns_what_became_of_its_question(asking: Any, approved: bool, shown: str) -> None:
    server = await asking(ai_sdk_version="5")
    asked = chunks((await server.client.post(CHAT, json={"id": "t", "messages": ASKED})).text)
    (question,) = [chunk for chunk in asked if chunk["type"] == "data-approval-request"]
    run = asked[0]["messageMetadata"]["runId"]
    decision = {"target": question["id"], "approved": approved, "reason": "keep it"}

    await server.client.post(f"/v1/runs/{run}/decision", json=decision)
    found = chunks((await server.client.get(STREAM)).text)

    (result,) = [chunk for chunk in found if chunk.get("toolCallId") and chunk["type"].startswith("tool-output")]
    assert question["data"] == {
        "approvalId": question["id"],
        "toolCallId": result["toolCallId"],
        "toolName": "delete",
        "input": {"path": "a"},
    }
    assert (result["type"], result["providerExecuted"]) == (shown, True)
    assert result.get("errorText") == (None if approved else "The user denied this call: keep it")
