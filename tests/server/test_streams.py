"""Streams over real sockets: what a reader sees when it leaves, returns, joins late or only watches."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from typing import Any

import pytest

COUNT = "count to 40 every 50 ms"
COUNTED = " ".join(str(number) for number in range(1, 41))
RESUME = "/v1/ai-sdk/chat/thread/stream"


def ai_sdk(text: str = COUNT) -> dict[str, Any]:
    return {"id": "thread", "runId": "r", "messages": [{"role": "user", "parts": [{"type": "text", "text": text}]}]}


def texts(frames: list[Any]) -> str:
    """What the text deltas of AI SDK frames say."""
    found = [frame.json for frame in frames if frame.data and frame.data != "[DONE]"]
    return "".join(event["delta"] for event in found if event["type"] == "text-delta")


def head(path: str, body: bytes) -> bytes:
    """The head of a request over a socket of one's own, which the server closes after its answer."""
    fields = ["host: x", "content-type: application/json", f"content-length: {len(body)}", "connection: close"]
    return "\r\n".join([f"POST {path} HTTP/1.1", *fields, "", ""]).encode()


async def leave_after_three_deltas(server: Any) -> None:
    """Starts a run by a socket of its own and closes that after the third delta."""
    body = json.dumps(ai_sdk()).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(head("/v1/ai-sdk/agents/assistant/runs", body) + body)
    for _ in range(3):
        await reader.readuntil(b'"text-delta"')
    writer.transport.abort()


async def finished(server: Any) -> dict[str, Any]:
    """The run, once it is finished: its event stream ends then."""
    await server.client.get("/v1/runs/r/events/stream")
    return (await server.client.get("/v1/runs/r")).json()


async def logged(client: Any, run: str = "r") -> list[dict[str, Any]]:
    """All events of a run, page by page."""
    events: list[dict[str, Any]] = []
    after = 0
    while True:
        page = (await client.get(f"/v1/runs/{run}/events?after={after}&limit=20")).json()
        events += page["items"]
        if not page["has_more"]:
            assert page["next_cursor"] is None
            return events
        after = page["next_cursor"]


async def watched(server: Any, after: int | None = None) -> list[dict[str, Any]]:
    """Every event a reader of the native stream is shown after a point."""
    headers = {"last-event-id": str(after)} if after is not None else {}
    async with server.stream("GET", "/v1/runs/r/events/stream", headers=headers) as frames:
        shown = [frame async for frame in frames if frame.data]
    assert [frame.id for frame in shown] == [frame.json["seq"] for frame in shown]
    return [frame.json for frame in shown]


@pytest.mark.proves("E03", "E09", "E08")
async def test_a_run_goes_on_after_its_client_left_and_is_shown_whole_to_the_one_that_returns(server: Any, sse: Any):
    await leave_after_three_deltas(server)

    during = await server.client.get(RESUME)
    run = (await server.client.get("/v1/runs/r")).json()
    messages = (await server.client.get("/v1/threads/thread/messages")).json()["messages"]
    again = await server.client.get(RESUME)

    assert during.status_code == 200
    assert during.headers["x-vercel-ai-ui-message-stream"] == "v1"
    assert sse(during.text)[1].json["type"] == "start"
    assert texts(sse(during.text)) == COUNTED
    assert during.text.endswith("data: [DONE]\n\n")
    assert run["status"] == "completed"
    assert [part["text"] for message in messages for part in message["parts"]] == [COUNT, COUNTED]
    assert again.status_code == 204


@pytest.mark.proves("E08")
async def test_an_answer_nobody_saw_the_end_of_is_replayed_once(serve: Any, faulty: Any, sse: Any):
    server = await serve(store=faulty)
    faulty.done["settle"] = asyncio.Event()
    await leave_after_three_deltas(server)
    await faulty.done["settle"].wait()

    first = await server.client.get(RESUME)
    second = await server.client.get(RESUME)

    assert texts(sse(first.text)) == COUNTED
    assert (second.status_code, second.content) == (204, b"")


@pytest.mark.parametrize(
    "path", ["chat/nobody/stream", "threads/nobody/stream", "agents/assistant/chats/nobody/stream"]
)
async def test_there_is_nothing_to_resume_on_a_thread_without_runs(client: Any, path: str):
    response = await client.get(f"/v1/ai-sdk/{path}")

    assert response.status_code == 204


@pytest.mark.proves("E06", "E07", "E12")
async def test_readers_of_any_start_see_every_later_event_once(server: Any):
    await leave_after_three_deltas(server)

    async with asyncio.timeout(10):
        whole, resumed, twin = await asyncio.gather(watched(server), watched(server, 7), watched(server, 7))
    afterwards = await watched(server, 0)
    log = await logged(server.client)

    assert whole == afterwards == log
    assert resumed == twin == [event for event in log if event["seq"] > 7]
    assert [event["seq"] for event in log] == list(range(1, len(log) + 1))
    assert (log[0]["type"], log[-1]["type"]) == ("run_accepted", "run_finished")


@pytest.mark.proves("E12")
async def test_a_query_says_where_to_begin_and_wins_over_the_header(server: Any):
    await server.run("hello", run="r")
    log = await logged(server.client)

    response = await server.client.get("/v1/runs/r/events/stream?after=5", headers={"last-event-id": "2"})

    assert response.text.count("data: ") == len(log) - 5


@pytest.mark.parametrize("header", ["nonsense", "-1", "1e3", "9" * 40, "٣"])
async def test_an_event_id_that_is_not_ours_means_the_beginning(server: Any, header: str):
    await server.run("hello", run="r")
    log = await logged(server.client)

    response = await server.client.get("/v1/runs/r/events/stream", headers=[(b"last-event-id", header.encode())])

    assert response.text.count("data: ") == len(log)


@pytest.mark.proves("E10")
@pytest.mark.parametrize("after", ["nonsense", "-1", str(10**30)])
@pytest.mark.parametrize("path", ["events", "events/stream"])
async def test_a_point_that_makes_no_sense_is_400(server: Any, path: str, after: str):
    await server.run("hello", run="r")

    response = await server.client.get(f"/v1/runs/r/{path}?after={after}")

    assert response.status_code == 400


async def test_a_point_beyond_the_end_of_a_finished_run_shows_nothing(server: Any, sse: Any):
    await server.run("hello", run="r")

    response = await server.client.get("/v1/runs/r/events/stream?after=9999")

    assert [frame.comment for frame in sse(response.text)] == ["heartbeat"]


@pytest.mark.proves("E04", "E05")
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/runs", {"thread_id": "t", "messages": [{"content": "hello"}]}),
        ("POST", "/v1/ai-sdk/chat", ai_sdk("hello")),
        ("POST", "/v1/ag-ui/run", {"messages": [{"id": "m", "role": "user", "content": "hello"}]}),
    ],
)
async def test_every_stream_forbids_caching_and_opens_with_a_comment(
    client: Any, sse: Any, method: str, path: str, body: dict[str, Any]
):
    response = await client.request(method, path, json=body)

    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache, no-transform"
    assert response.headers["x-accel-buffering"] == "no"
    assert sse(response.text)[0].comment == "heartbeat"


@pytest.mark.proves("E05")
@pytest.mark.parametrize("path", ["/v1/runs", "/v1/ai-sdk/chat", "/v1/ag-ui/run"])
async def test_silence_is_filled_with_heartbeats(serve: Any, sse: Any, path: str):
    server = await serve(heartbeat_seconds=0.02)
    message = {"role": "user", "content": "count to 3 every 200 ms", **({} if path == "/v1/runs" else {"id": "m"})}

    response = await server.client.post(path, json={"messages": [message]})

    beats = [index for index, frame in enumerate(sse(response.text)) if frame.comment == "heartbeat"]
    assert len(beats) > 5


@pytest.mark.proves("E02")
async def test_a_buffer_of_one_loses_nothing_and_keeps_order(serve: Any, sse: Any):
    server = await serve(sse_buffer_size=1)

    shown = await server.run("count to 2000", run="r")

    assert [event["seq"] for event in shown] == list(range(1, len(shown) + 1))
    assert "".join(event.get("delta", "") for event in shown) == " ".join(str(number) for number in range(1, 2001))
    assert await watched(server) == shown


@pytest.mark.proves("E14", "E03")
async def test_a_reader_that_stalls_delays_nothing_and_misses_nothing(server: Any):
    loop = asyncio.get_running_loop()
    body = b'{"run_id":"r","thread_id":"thread","messages":[{"content":"count to 3000"}]}'
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.setblocking(False)
        await loop.sock_connect(slow, ("127.0.0.1", server.port))
        await loop.sock_sendall(slow, head("/v1/runs", body) + body)
        stream = await loop.sock_recv(slow, 1)

        run = await finished(server)
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**20)
        while part := await loop.sock_recv(slow, 2**16):
            stream += part

    assert run["status"] == "completed"
    shown = [int(number) for number in re.findall(rb'"seq":(\d+)', stream)]
    assert shown == list(range(1, shown[-1] + 1))
    assert len(shown) > 3000
    assert stream.count(b"run_finished") == 1


async def test_text_arrives_byte_for_byte(server: Any):
    text = '  é \u2028 \x00 \r\n\r\ndata: fake "quoted" 🦉 \\ud800 \n'

    shown = await server.run(text, thread="t", run="r")

    stored = (await server.client.get("/v1/threads/t/messages")).json()["messages"]
    answer = "".join(event.get("delta", "") for event in shown if event["type"] == "text_delta")
    assert stored[0]["parts"] == [{"type": "text", "text": text}]
    assert stored[1]["parts"] == [{"type": "text", "text": answer}]
    assert text.strip() in answer
