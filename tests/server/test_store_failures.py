"""What a client sees when the store, or we ourselves, fail."""

from __future__ import annotations

from typing import Any

import pytest

from wakeful.contracts.errors import Damaged, StoreUnavailable

AI_SDK = ("/v1/ai-sdk/agents/assistant/runs", {"id": "t"})
AG_UI = ("/v1/ag-ui/agents/assistant/runs", {"threadId": "t", "runId": "r"})
NATIVE = ("/v1/runs", {"thread_id": "t"})
HELLO = [{"id": "m1", "role": "user", "content": "hello"}]


@pytest.mark.proves("H06")
@pytest.mark.parametrize(
    ("method", "path", "ids"), [("accept", *AI_SDK), ("accept", *AG_UI), ("accept", *NATIVE), ("get_thread", *NATIVE)]
)
async def test_a_store_that_fails_before_the_stream_is_an_http_error(
    serve: Any, faulty: Any, method: str, path: str, ids: dict[str, str]
):
    server = await serve(store=faulty)
    faulty.faults[method] = StoreUnavailable("the disk is gone")

    response = await server.client.post(path, json={**ids, "messages": HELLO})

    faulty.faults.clear()
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    assert response.json() == {"error": "the disk is gone", "code": "store_unavailable"}
    assert await server.held() == (0, 0, 0)


async def test_who_comes_back_after_a_passing_outage_is_served(serve: Any, faulty: Any):
    server = await serve(store=faulty)
    request = {"thread_id": "t", "run_id": "r", "messages": HELLO}
    faulty.faults["accept"] = StoreUnavailable("the server is starting or stopping; try again")
    refused = await server.client.post("/v1/runs", json=request)

    faulty.faults.clear()
    accepted = await server.client.post("/v1/runs", json=request)

    assert (refused.status_code, accepted.status_code) == (503, 200)
    assert await server.held() == (1, 1, 2)


@pytest.mark.parametrize("path", ["/v1/threads/t", "/v1/ai-sdk/threads/t/messages", "/v1/ag-ui/threads/t/messages"])
async def test_what_cannot_be_read_any_more_is_not_worth_asking_for_again(serve: Any, faulty: Any, path: str):
    server = await serve(store=faulty)
    faulty.faults["get_thread"] = Damaged("thread t cannot be read; restore a backup")

    response = await server.client.get(path)

    assert (response.status_code, response.headers.get("retry-after")) == (500, None)
    assert response.json() == {"error": "thread t cannot be read; restore a backup", "code": "damaged"}


@pytest.mark.parametrize("path", ["/v1/threads/t", "/v1/ai-sdk/threads/t/messages", "/v1/ag-ui/threads/t/messages"])
async def test_a_defect_is_a_500_in_the_same_shape_and_shows_no_stack_trace(
    serve: Any, faulty: Any, caplog: Any, path: str
):
    server = await serve(store=faulty)
    faulty.faults["get_thread"] = RuntimeError("the password is hunter2")

    response = await server.client.get(path)

    assert response.status_code == 500
    assert response.json() == {"error": "internal error; the server's log says more", "code": "internal"}
    assert response.headers["x-request-id"]
    assert "hunter2" in caplog.text


@pytest.mark.proves("E15")
async def test_a_store_that_fails_inside_a_stream_ends_it_with_a_hint_to_come_back(serve: Any, faulty: Any, sse: Any):
    server = await serve(store=faulty)
    await server.run("hello", run="r")
    faulty.faults["read_log"] = StoreUnavailable("the disk is gone")

    response = await server.client.get("/v1/runs/r/events/stream")

    assert response.status_code == 200
    assert [frame.retry for frame in sse(response.text)] == [None, 1000]


async def test_a_stream_whose_thread_is_removed_ends(server: Any):
    await server.run("email bob@example.com hi", run="r")

    async with server.stream("GET", "/v1/runs/r/events/stream") as frames:
        async for frame in frames:
            if frame.data and frame.json["type"] == "run_waiting":
                await server.client.delete("/v1/threads/thread")
                await server.client.get("/v1/threads/thread")
                server.runtime.inner.feed.poke(1)
            last = frame

    assert last.retry == 1000
