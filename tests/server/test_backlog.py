"""A thread with too much behind it, over every protocol."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from wakeful.contracts.errors import Backlogged

HELLO = [{"id": "m1", "role": "user", "content": "hello"}]


@pytest.mark.proves("R18")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/runs", {"thread_id": "t"}),
        ("/v1/ai-sdk/agents/assistant/runs", {"id": "t"}),
        ("/v1/ag-ui/agents/assistant/runs", {"threadId": "t", "runId": "r"}),
    ],
)
async def test_a_full_queue_is_429_with_a_hint_before_any_stream(
    serve: Any, faulty: Any, path: str, body: dict[str, str]
):
    server = await serve(store=faulty)
    faulty.faults["accept"] = Backlogged("256 runs wait already", retry_after=7)

    response = await server.client.post(path, json={**body, "messages": HELLO})

    assert response.status_code == 429
    assert response.headers["retry-after"] == "7"
    assert response.json() == {"error": "256 runs wait already", "code": "backlogged"}


@pytest.mark.proves("R05")
@pytest.mark.parametrize("rounds", range(5))
async def test_foreground_requests_that_collide_supersede_each_other_and_never_mix(server: Any, rounds: int):
    async def submit(number: int) -> int:
        text = f"count to {5 * number} every 1 ms"
        body = {"thread_id": "thread", "run_id": f"r{number}", "messages": [{"content": text}]}
        return (await server.client.post("/v1/runs", json=body)).status_code

    async with asyncio.timeout(10):
        statuses = await asyncio.gather(*(submit(number) for number in range(1, 3 + rounds)))

    messages = (await server.client.get("/v1/threads/thread/messages?limit=200")).json()["messages"]
    spoken = [message["run_id"] for message in messages]
    blocks = [run for index, run in enumerate(spoken) if index == 0 or spoken[index - 1] != run]
    runs = (await server.client.get("/v1/runs?thread_id=thread")).json()["items"]
    assert set(statuses) == {200}
    assert len(blocks) == len(set(blocks))
    assert {run["stop_reason"] for run in runs} <= {"answered", "superseded"}
    assert "answered" in {run["stop_reason"] for run in runs}
