"""What is left of a run whose log was removed because it was old."""

from __future__ import annotations

from typing import Any

import pytest

HELLO = [{"id": "m1", "role": "user", "content": "hello"}]
NATIVE = {"thread_id": "thread", "run_id": "r", "messages": HELLO}
AI_SDK = {"id": "thread", "runId": "r", "messages": HELLO}
AG_UI = {"threadId": "thread", "runId": "r", "messages": HELLO}
pytestmark = pytest.mark.proves("E18")


@pytest.fixture
async def pruned(serve: Any) -> Any:
    """A server that removed the log of run `r`, which came to its end unwatched."""
    server = await serve()
    await server.client.post("/v1/threads", json={"id": "thread"})
    body = {"run_id": "r", "messages": HELLO}
    await server.client.post("/v1/threads/thread/messages", json=body)
    await server.client.post("/v1/runs/r/cancel?wait=5")
    assert await server.store.prune(2**53, 10) == 1
    return server


@pytest.mark.parametrize(
    "path",
    [
        "/v1/runs/r/events",
        "/v1/runs/r/events/stream",
        "/v1/runs/r/events/stream?after=9999",
        "/v1/ai-sdk/chat/thread/stream",
    ],
)
async def test_its_events_are_gone_on_every_route(pruned: Any, path: str):
    response = await pruned.client.get(path)

    assert response.status_code == 410
    assert response.headers["content-type"] == "application/json"
    assert response.json()["code"] == "gone"


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/runs", NATIVE), ("/v1/ai-sdk/agents/assistant/runs", AI_SDK), ("/v1/ag-ui/agents/assistant/runs", AG_UI)],
)
async def test_a_request_sent_again_is_gone_too_and_runs_nothing(server: Any, path: str, body: dict[str, Any]):
    first = await server.client.post(path, json=body)
    await server.store.prune(2**53, 10)

    again = await server.client.post(path, json=body)

    assert (first.status_code, again.status_code) == (200, 410)
    assert again.json()["code"] == "gone"
    assert (await server.client.get("/v1/runs")).json()["total"] == 1


async def test_the_run_and_its_messages_stay(pruned: Any):
    run = await pruned.client.get("/v1/runs/r")
    messages = (await pruned.client.get("/v1/threads/thread/messages")).json()["messages"]

    assert run.status_code == 200
    assert messages[0]["parts"] == [{"type": "text", "text": "hello"}]
