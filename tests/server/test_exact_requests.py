"""The requests a newcomer copies from the documentation, byte for byte."""

from __future__ import annotations

from typing import Any

import pytest

JSON = {"content-type": "application/json"}
HELLO = '"messages":[{"role":"user","content":"hello"}]'


async def test_an_empty_object_creates_a_thread(client: Any):
    response = await client.post("/v1/threads", content="{}", headers=JSON)

    assert response.status_code == 201
    assert response.json()["id"]


@pytest.mark.proves("S01", "S02", "S03")
async def test_an_ai_sdk_run_streams_and_ends_with_done(client: Any, sse: Any):
    body = f'{{"id":"thread-1",{HELLO},"runId":"run-1"}}'

    response = await client.post("/v1/ai-sdk/agents/assistant/runs", content=body, headers=JSON)

    frames = [frame for frame in sse(response.text) if frame.data]
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["x-vercel-ai-ui-message-stream"] == "v1"
    assert frames[0].json["type"] == "start"
    assert response.text.endswith("\n\ndata: [DONE]\n\n")


@pytest.mark.proves("G01", "G02", "G10")
async def test_an_ag_ui_run_begins_with_run_started_and_ends_with_run_finished(client: Any, sse: Any):
    body = f'{{"threadId":"thread-2","runId":"run-2",{HELLO},"tools":[]}}'

    response = await client.post("/v1/ag-ui/agents/assistant/runs", content=body, headers=JSON)

    events = [frame.json for frame in sse(response.text) if frame.data]
    assert response.status_code == 200
    assert (events[0]["type"], events[0]["runId"], events[0]["threadId"]) == ("RUN_STARTED", "run-2", "thread-2")
    assert (events[-1]["type"], events[-1]["runId"]) == ("RUN_FINISHED", "run-2")
    assert "[DONE]" not in response.text
    assert "x-vercel-ai-ui-message-stream" not in response.headers


async def test_what_a_run_left_can_be_read_by_thread_and_by_run(client: Any):
    body = f'{{"id":"thread-1",{HELLO},"runId":"run-1"}}'
    await client.post("/v1/ai-sdk/agents/assistant/runs", content=body, headers=JSON)

    messages = (await client.get("/v1/threads/thread-1/messages?limit=20")).json()
    runs = (await client.get("/v1/runs?thread_id=thread-1&limit=20")).json()
    run = (await client.get("/v1/runs/run-1")).json()

    assert [message["role"] for message in messages["messages"]] == ["user", "assistant"]
    assert messages["messages"][0]["parts"] == [{"type": "text", "text": "hello"}]
    assert [item["run_id"] for item in runs["items"]] == ["run-1"]
    assert run == runs["items"][0]
    assert (run["status"], run["thread_id"], run["origin"]) == ("completed", "thread-1", "ai_sdk")
