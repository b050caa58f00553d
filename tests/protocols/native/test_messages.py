"""A thread's messages: what is in them, and what is not shown."""

from __future__ import annotations

from typing import Any

import pytest

from wakeful.contracts.codec import entry
from wakeful.contracts.event import RunAccepted
from wakeful.contracts.message import Message, TextPart
from wakeful.contracts.store import ClaimRequest, Submission

PATH = "/v1/threads/thread/messages"


async def seqs(client: Any, query: str = "") -> list[int]:
    response = await client.get(f"{PATH}?{query}")
    assert response.status_code == 200, response.text
    return [message["seq"] for message in response.json()["messages"]]


@pytest.mark.proves("M09")
async def test_a_thread_without_messages_has_an_empty_list(client: Any):
    thread = (await client.post("/v1/threads", json={})).json()["id"]

    page = (await client.get(f"/v1/threads/{thread}/messages")).json()

    assert page == {"messages": [], "total": 0, "has_more": False, "next_cursor": None}


@pytest.mark.proves("M09", "M10")
async def test_tool_results_are_shown_in_order_with_their_call_ids(server: Any):
    await server.run("weather in Paris", run="r")

    messages = (await server.client.get(PATH)).json()["messages"]

    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "assistant"]
    (call,), (result,) = messages[1]["parts"], messages[2]["parts"]
    assert (call["type"], call["name"], call["arguments"]) == ("tool_call", "get_weather", '{"city":"Paris"}')
    assert (result["type"], result["call_id"], result["status"]) == ("tool_result", call["call_id"], "succeeded")
    assert {message["run_id"] for message in messages} == {"r"}


@pytest.mark.proves("M08")
async def test_internal_messages_are_shown_only_on_request(server: Any):
    await server.run("hello")
    await whisper(server)

    assert await seqs(server.client) == await seqs(server.client, "visibility=external") == [1, 2]
    assert await seqs(server.client, "visibility=internal") == [3]
    assert await seqs(server.client, "visibility=all") == [1, 2, 3]
    for path in (PATH, "/v1/ai-sdk/threads/thread/messages", "/v1/ag-ui/threads/thread/messages"):
        assert "whispered" not in (await server.client.get(path)).text


async def whisper(server: Any) -> None:
    """Adds an internal message to the thread, as a plugin would."""
    submission = Submission(
        scope="default",
        thread_id="thread",
        run_id="whisper",
        agent_id="assistant",
        dispatch_id="whispering",
        origin="test",
        messages=(Message("i1", "system", (TextPart("whispered"),), 1, visibility="internal"),),
        entries=(entry(1, 1, RunAccepted("assistant", ("i1",))),),
        digest="",
        at=1,
        claim=ClaimRequest(worker="test", now=1, until=2**53),
    )
    await server.store.accept(submission)


@pytest.mark.proves("M11")
async def test_the_user_message_is_there_before_the_answer_is_and_is_stored_once(server: Any):
    message = {"id": "m1", "role": "user", "content": "count to 3 every 200 ms"}
    body = {"thread_id": "thread", "run_id": "r", "messages": [message]}

    async with server.stream("POST", "/v1/runs", json=body) as frames:
        async for frame in frames:
            if frame.data and frame.json["type"] == "text_delta":
                during = (await server.client.get(PATH)).json()["messages"]
                break
    await server.client.post("/v1/runs", json={**body, "run_id": "r2"})

    stored = (await server.client.get(PATH)).json()["messages"]
    assert [item["id"] for item in during] == ["m1"]
    assert [item["id"] for item in stored if item["role"] == "user"] == ["m1"]
