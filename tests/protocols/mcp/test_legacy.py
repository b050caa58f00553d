"""MCP 2025-11-25 over HTTP: sessions in the store, streams that can be resumed, questions as requests."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.protocols.mcp.peer import ACCEPT, FORMS, LEGACY, PATH, Peer

from wakeful.providers.scripted import call, say
from wakeful.testing.clock import FakeClock

HOUR_MS = 3600 * 1000
YES = {"action": "accept", "content": {"approved": True}}


def calling(peer: Peer, **meta: Any) -> dict[str, Any]:
    params: dict[str, Any] = {"name": "assistant", "arguments": {"message": "go"}}
    return peer.body("tools/call", {**params, "_meta": meta} if meta else params)


async def only_run(peer: Peer) -> dict[str, Any]:
    (run,) = (await peer.client.get("/v1/runs")).json()["items"]
    return run


@pytest.mark.proves("P01")
async def test_a_session_begins_in_a_version_both_speak(offer: Any) -> None:
    peer = await offer()

    found = [await peer.initialize(version=version) for version in (LEGACY, "2025-06-18", "2099-01-01")]

    assert [one["protocolVersion"] for one in found] == [LEGACY, "2025-06-18", LEGACY]
    assert found[0]["serverInfo"]["name"] == "wakeful"
    assert found[0]["instructions"] == "Ask the assistant."
    assert "extensions" not in found[0]["capabilities"]


@pytest.mark.proves("P01")
async def test_a_session_lists_calls_and_answers_pings(offer: Any) -> None:
    peer = await offer(["Sunny."])
    await peer.initialize()
    await peer.note("notifications/initialized")

    assert (await peer.request("ping"))["result"] == {}
    tools = (await peer.request("tools/list"))["result"]
    assert [one["name"] for one in tools["tools"]] == ["assistant", "add", "erase"]
    assert "ttlMs" not in tools
    found = (await peer.request("tools/call", {"name": "assistant", "arguments": {"message": "hi"}}))["result"]
    assert found["content"] == [{"type": "text", "text": "Sunny."}]
    assert "resultType" not in found


@pytest.mark.proves("P01")
@pytest.mark.parametrize("method", ["server/discover", "tasks/update", "completion/complete", "nothing"])
async def test_methods_a_session_does_not_have_are_not_found(offer: Any, method: str) -> None:
    peer = await offer()
    await peer.initialize()

    response = await peer.send(peer.body(method))

    assert (response.status_code, response.json()["error"]["code"]) == (200, -32601)


@pytest.mark.proves("P01")
async def test_a_session_that_was_deleted_is_gone(offer: Any) -> None:
    peer = await offer()
    await peer.initialize()
    headers = {"mcp-session-id": peer.session}

    assert (await peer.client.delete(PATH)).status_code == 400
    assert (await peer.client.delete(PATH, headers=headers)).status_code == 204
    assert (await peer.client.delete(PATH, headers=headers)).status_code == 404
    assert (await peer.send(peer.body("ping"))).status_code == 404


@pytest.mark.proves("P01")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"mcp_session_id": None}, 400),
        ({"mcp_session_id": "unknown"}, 404),
        ({"mcp_protocol_version": None}, 200),
        ({"mcp_protocol_version": "2025-06-18"}, 400),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://localhost:1234"}, 200),
        ({"content_type": "text/plain"}, 415),
        ({"accept": "text/html"}, 406),
    ],
)
async def test_the_headers_of_a_session(offer: Any, headers: dict[str, str | None], status: int) -> None:
    peer = await offer()
    await peer.initialize()

    assert (await peer.send(peer.body("ping"), **headers)).status_code == status


async def test_initialize_inside_a_session_is_refused(offer: Any) -> None:
    peer = await offer()
    await peer.initialize()

    assert (await peer.send(peer.body("initialize", {"protocolVersion": LEGACY}))).status_code == 400


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b"\xff", -32700),
        (b"[" * 100_000, -32700),
        (b"[]", -32600),
        (b"3", -32600),
        (b'{"id": 1, "method": "ping"}', -32600),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": null, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": true, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1}', -32600),
    ],
)
async def test_what_is_no_message_is_refused(offer: Any, body: bytes, code: int) -> None:
    peer = await offer()
    await peer.initialize()

    response = await peer.client.post(
        PATH,
        content=body,
        headers={"mcp-session-id": peer.session, "content-type": "application/json", "accept": ACCEPT},
    )

    assert response.status_code == 400
    assert response.json()["error"]["code"] == code


async def test_a_body_that_is_too_large_is_refused(offer: Any) -> None:
    peer = await offer(config={"max_body_bytes": 2000})
    await peer.initialize()

    assert (await peer.send(peer.body("ping", {"x": "y" * 3000}))).status_code == 413


async def test_a_session_that_nobody_used_for_a_day_is_over_and_swept_away(offer: Any) -> None:
    clock = FakeClock()
    peer = await offer(["done"], clock=clock)
    await peer.initialize()
    await peer.request("tools/call", {"name": "assistant", "arguments": {"message": "hi"}})
    first = peer.session

    clock.advance(24 * HOUR_MS - 1)
    assert (await peer.send(peer.body("ping"))).status_code == 200
    clock.advance(24 * HOUR_MS - 1)
    assert (await peer.send(peer.body("ping"))).status_code == 200
    clock.advance(24 * HOUR_MS)
    assert (await peer.send(peer.body("ping"))).status_code == 404
    await peer.initialize()

    store = peer.server.runtime.inner.store
    assert await store.get_document("default", "mcp-session", first) is None
    assert not await store.list_documents("default", "mcp-call", prefix=first, after="", limit=9)


async def test_who_has_no_session_has_no_stream_to_get(offer: Any) -> None:
    peer = await offer()

    response = await peer.client.get(PATH, headers={"accept": ACCEPT})

    assert (response.status_code, response.headers["allow"]) == (405, "POST")


async def test_sessions_are_nobody_elses(offer: Any) -> None:
    peer = await offer(config={"api_tokens": {"a": "ta", "b": "tb"}})
    info = {"name": "test", "version": "1"}
    body = peer.body("initialize", {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": info})
    begun = await peer.client.post(PATH, json=body, headers={"accept": ACCEPT, "authorization": "Bearer ta"})
    peer.session = begun.headers["mcp-session-id"]

    assert (await peer.send(peer.body("ping"), authorization="Bearer ta")).status_code == 200
    assert (await peer.send(peer.body("ping"), authorization="Bearer tb")).status_code == 404
    assert (await peer.send(peer.body("ping"))).status_code == 401


@pytest.mark.proves("P01")
async def test_log_messages_come_from_the_level_that_was_set(offer: Any) -> None:
    peer = await offer(["one", "two"])
    await peer.initialize()

    await peer.request("tools/call", {"name": "assistant", "arguments": {"message": "hi"}})
    by_default = [one["params"]["level"] for one in peer.said]
    await peer.request("logging/setLevel", {"level": "notice"})
    await peer.request("tools/call", {"name": "assistant", "arguments": {"message": "hi"}})
    then = [one["params"]["level"] for one in peer.said]

    assert by_default == ["info", "notice"]
    assert then == ["notice"]
    assert (await peer.request("logging/setLevel", {"level": "loud"}))["error"]["code"] == -32602


async def test_calls_of_a_session_go_on_side_by_side(offer: Any) -> None:
    held = asyncio.Event()
    peer = await offer([[held, "first"], "second"])
    await peer.initialize()
    first, second = calling(peer), calling(peer)

    async with asyncio.timeout(10), peer.streaming(first) as frames:
        found = peer.read(second, await peer.send(second))
        held.set()
        last = [message async for _, message in frames if message][-1]

    texts = {found["result"]["content"][0]["text"], last["result"]["content"][0]["text"]}
    assert texts == {"first", "second"}
    assert last["id"] == first["id"]


async def test_a_call_given_up_is_stopped_and_has_no_response(offer: Any) -> None:
    peer = await offer([[say("one "), asyncio.Event()]])
    await peer.initialize()
    body = calling(peer, progressToken=1)

    async with asyncio.timeout(10), peer.streaming(body) as frames:
        async for _, message in frames:
            if message and message["method"] == "notifications/progress":
                break
        peer.traffic.complete = False
        await peer.note("notifications/cancelled", {"requestId": body["id"], "reason": "enough"})
        rest = [message async for _, message in frames if message]

    assert all("method" in message for message in rest)
    assert (await only_run(peer))["status"] == "cancelled"


async def test_a_client_that_only_drops_the_stream_stops_nothing(offer: Any) -> None:
    held = asyncio.Event()
    peer = await offer([[say("one "), held, "two"]])
    await peer.initialize()
    body = calling(peer, progressToken=1)

    seen: list[str] = []
    async with asyncio.timeout(10), peer.streaming(body) as frames:
        async for name, message in frames:
            seen += [name] if name else []
            if message and message["method"] == "notifications/progress":
                break
    held.set()
    async with asyncio.timeout(10), peer.streaming(body, after=seen[-1]) as frames:
        found = [message async for _, message in frames if message]

    assert found[-1]["result"]["content"][0]["text"] == "one two"
    assert found[-1]["id"] == body["id"]


async def test_a_stream_can_be_resumed_before_its_first_event_and_shows_nothing_twice(offer: Any) -> None:
    peer = await offer([call("nothing"), "done"])
    await peer.initialize()
    body = calling(peer, progressToken=1)

    async with asyncio.timeout(10), peer.streaming(body) as frames:
        whole = [frame async for frame in frames]
    again: list[Any] = []
    for name, _ in whole[:-1]:
        assert name
        async with asyncio.timeout(10), peer.streaming(body, after=name) as frames:
            again.append([frame async for frame in frames])

    assert whole[0][1] is None
    for count, rest in enumerate(again, start=1):
        assert [frame for frame in rest if frame[1]] == whole[count:]


# -- questions


async def asked(frames: Any) -> dict[str, Any]:
    async for _, message in frames:
        if message and message.get("method") == "elicitation/create":
            return message
    raise AssertionError("nothing was asked")


@pytest.mark.parametrize(("answer", "ran"), [(YES, True), ({"action": "decline"}, False), (None, False)])
async def test_a_question_is_a_request_on_the_stream_of_its_call(offer: Any, answer: Any, ran: bool) -> None:
    peer = await offer([call("launch", {"name": "x"}), "done"])
    await peer.initialize(can={"elicitation": {}})

    async with asyncio.timeout(10), peer.streaming(calling(peer)) as frames:
        question = await asked(frames)
        failed = {"error": {"code": -32603, "message": "no"}}
        reply = {"jsonrpc": "2.0", "id": question["id"], **(failed if answer is None else {"result": answer})}
        taken = await peer.send(reply)
        rest = [message async for _, message in frames if message]

    assert taken.status_code == 202
    assert rest[-1]["result"]["content"][0]["text"] == "done"
    run = rest[-1]["result"]["structuredContent"]["runId"]
    log = (await peer.client.get(f"/v1/runs/{run}/events?limit=200")).json()["items"]
    statuses = [one["status"] for one in log if one["type"] == "tool_call_finished"]
    assert statuses == (["succeeded"] if ran else ["denied"])


async def test_replies_nobody_waits_for_change_nothing(offer: Any) -> None:
    peer = await offer([call("launch"), "done"])
    await peer.initialize(can=FORMS)

    async with asyncio.timeout(10), peer.streaming(calling(peer)) as frames:
        question = await asked(frames)
        run = question["id"].partition("/")[0]
        for unknown in ("nobody/nothing", f"{run}/other", 7):
            assert (await peer.send({"jsonrpc": "2.0", "id": unknown, "result": YES})).status_code == 202
        before = (await only_run(peer))["status"]
        for _ in range(2):
            await peer.send({"jsonrpc": "2.0", "id": question["id"], "result": YES})
        rest = [message async for _, message in frames if message]

    assert before == "waiting"
    assert not rest[-1]["result"]["isError"]


async def test_a_client_that_cannot_ask_is_told_which_run_waits(offer: Any) -> None:
    peer = await offer([call("launch"), "done"])
    await peer.initialize()

    body = calling(peer)
    found = peer.read(body, await peer.send(body))["result"]

    run = await only_run(peer)
    assert found["isError"]
    assert run["run_id"] in found["content"][0]["text"]
    assert run["status"] == "waiting"


async def test_a_question_asked_before_a_restart_is_answered_after_it(offer: Any, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'store.db'}"
    before = await offer([call("launch", {"name": "x"})], store=store)
    await before.initialize(can=FORMS)
    body = calling(before)
    seen: list[str] = []
    async with asyncio.timeout(10), before.streaming(body) as frames:
        async for name, message in frames:
            seen += [name] if name else []
            if message and message.get("method") == "elicitation/create":
                question = message
                break
    await before.server.runtime.inner.stop()

    after = await offer(["done"], store=store)
    after.session, after.number = before.session, before.number
    async with asyncio.timeout(10), after.streaming(body, after=seen[-1]) as frames:
        await after.send({"jsonrpc": "2.0", "id": question["id"], "result": YES})
        rest = [message async for _, message in frames if message]

    assert rest[-1]["id"] == body["id"]
    assert rest[-1]["result"]["content"][0]["text"] == "done"
