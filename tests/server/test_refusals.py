"""Whatever is wrong with a request, the answer is JSON, says why, and nothing was stored."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

AI_SDK = "/v1/ai-sdk/agents/assistant/runs"
AG_UI = "/v1/ag-ui/agents/assistant/runs"
NATIVE = "/v1/runs"
RUN_ROUTES = [NATIVE, AI_SDK, AG_UI]
UNKNOWN_AGENT = [
    (NATIVE, {"agentId": "nobody"}),
    ("/v1/ai-sdk/agents/nobody/runs", {"id": "t"}),
    ("/v1/ai-sdk/chat", {"id": "t", "agentId": "nobody"}),
    ("/v1/ai-sdk/threads/t/runs", {"agentId": "nobody"}),
    ("/v1/ag-ui/agents/nobody/runs", {"threadId": "t", "runId": "r"}),
    ("/v1/ag-ui/run", {"threadId": "t", "runId": "r", "agentId": "nobody"}),
    ("/v1/ag-ui/threads/t/runs", {"runId": "r", "agentId": "nobody"}),
]
JSON = {"content-type": "application/json"}
HELLO = [{"id": "m1", "role": "user", "content": "hello"}]
FITTING = {NATIVE: {}, AI_SDK: {"id": "t"}, AG_UI: {"threadId": "t", "runId": "r"}}


pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def nothing_is_stored(shared: Any) -> AsyncIterator[None]:
    """No test of this file leaves anything in the shared server's store."""
    before = await shared.held()
    yield
    assert await shared.held() == before


def refused(response: Any, status: int) -> dict[str, Any]:
    """The problem, once the answer has the shape of one."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert {"error", "code"} <= body.keys() <= {"error", "code", "details"}
    assert isinstance(body["error"], str)
    assert "Traceback" not in response.text
    return body


@pytest.mark.proves("H03")
@pytest.mark.parametrize("path", [*RUN_ROUTES, "/v1/threads"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"hello",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe",
        b'{"id":"\xff"}',
        b"{} {}",
        b"\xef\xbb\xbf{}",
        b"NaN",
    ],
)
async def test_a_body_that_is_not_a_json_object_is_400(shared: Any, path: str, body: bytes):
    response = await shared.client.post(path, content=body, headers=JSON)

    problem = refused(response, 400)
    assert problem["code"] == "bad_request"


@pytest.mark.parametrize("path", RUN_ROUTES)
@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "application/jsonp", ""])
async def test_another_content_type_is_415(shared: Any, path: str, kind: str):
    body = json.dumps({**FITTING[path], "messages": HELLO})

    response = await shared.client.post(path, content=body, headers={"content-type": kind} if kind else {})

    problem = refused(response, 415)
    assert problem["code"] == "unsupported_media_type"


@pytest.mark.proves("H05", "S13", "S15", "G09")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        (NATIVE, {"agentId": " ", "messages": HELLO}),
        (NATIVE, {"agent_id": "", "messages": HELLO}),
        (NATIVE, {"runId": "  ", "messages": HELLO}),
        (NATIVE, {"messages": []}),
        (NATIVE, {}),
        (NATIVE, {"messages": [{"content": " \n"}]}),
        (NATIVE, {"messages": [{"content": []}]}),
        (NATIVE, {"messages": [{"content": [{"type": "text", "text": ""}]}]}),
        (NATIVE, {"messages": HELLO, "surprise": 1}),
        (NATIVE, {"messages": [{"role": "robot", "content": "hello"}]}),
        (NATIVE, {"messages": [{"content": 5}]}),
        (NATIVE, {"messages": [{"content": [{"type": "file", "url": "https://example.com/a.png"}]}]}),
        (AI_SDK, {"id": " ", "messages": HELLO}),
        (AI_SDK, {"id": "t", "runId": " ", "messages": HELLO}),
        (AI_SDK, {"id": "t", "messages": []}),
        (AI_SDK, {"id": "t"}),
        ("/v1/ai-sdk/chat", {"id": "t", "agentId": " ", "messages": HELLO}),
        (AG_UI, {"threadId": "", "runId": "r", "messages": HELLO}),
        (AG_UI, {"threadId": "t", "runId": " ", "messages": HELLO}),
        (AG_UI, {"threadId": "t", "messages": HELLO}),
        (AG_UI, {"runId": "r", "messages": HELLO}),
        (AG_UI, {"threadId": "t", "runId": "r", "messages": []}),
        ("/v1/threads", {"id": " "}),
        ("/v1/threads", {"title": 5}),
        ("/v1/threads", {"parentThreadId": "missing"}),
    ],
)
async def test_blank_ids_and_missing_messages_are_400(shared: Any, path: str, body: dict[str, Any]):
    response = await shared.client.post(path, json=body)

    problem = refused(response, 400)
    assert problem["code"] == "bad_request"


@pytest.mark.proves("H04")
@pytest.mark.parametrize(("path", "ids"), UNKNOWN_AGENT)
async def test_an_unknown_agent_is_404_on_every_run_route(shared: Any, path: str, ids: dict[str, Any]):
    response = await shared.client.post(path, json={**ids, "messages": HELLO})

    problem = refused(response, 404)
    assert problem == {
        "error": "agent not found: nobody",
        "code": "not_found",
        "details": {"kind": "agent", "id": "nobody"},
    }


@pytest.mark.proves("R07")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/threads/x"),
        ("PATCH", "/v1/threads/x"),
        ("PATCH", "/v1/threads/x/metadata"),
        ("DELETE", "/v1/threads/x"),
        ("GET", "/v1/threads/x/messages"),
        ("POST", "/v1/threads/x/messages"),
        ("GET", "/v1/threads/x/runs"),
        ("GET", "/v1/threads/x/runs/active"),
        ("GET", "/v1/threads/x/runs/latest"),
        ("GET", "/v1/runs/x"),
        ("GET", "/v1/runs/x/events"),
        ("GET", "/v1/runs/x/events/stream"),
        ("POST", "/v1/runs/x/cancel"),
        ("POST", "/v1/runs/x/decision"),
        ("POST", "/v1/runs/x/decisions"),
        ("POST", "/v1/runs/x/inputs"),
        ("POST", "/v1/threads/x/cancel"),
        ("POST", "/v1/threads/x/interrupt"),
        ("POST", "/v1/threads/x/decision"),
        ("GET", "/v1/threads/x/mailbox"),
        ("PUT", "/v1/threads/x/mailbox/order"),
        ("PATCH", "/v1/threads/x/mailbox/y"),
        ("DELETE", "/v1/threads/x/mailbox/y"),
        ("POST", "/v1/dead-letters/x/retry"),
        ("GET", "/v1/ai-sdk/threads/x/messages"),
        ("GET", "/v1/ai-sdk/chat/x/messages"),
        ("GET", "/v1/ag-ui/threads/x/messages"),
    ],
)
async def test_unknown_threads_and_runs_are_404(shared: Any, method: str, path: str):
    answer = {"target": "x", "approved": True}
    special: dict[str, Any] = {
        "decision": answer,
        "decisions": {"decisions": [answer]},
        "order": {"run_ids": [], "revision": "x"},
        "y": {"messages": HELLO, "revision": 1},
    }
    body = {"PATCH": {}, "POST": {"messages": HELLO}}.get(method)
    if method not in {"GET", "DELETE"}:
        body = special.get(path.rpartition("/")[2], body)

    response = await shared.client.request(method, path, **({"json": body} if body is not None else {}))

    refused(response, 404)


@pytest.mark.proves("H02", "H07")
@pytest.mark.parametrize("path", ["/", "/v1", "/v1/nothing", "/v2/runs", "/v1/runs/", "/v1/a2b/runs", "/api/chat"])
async def test_an_unknown_path_is_404(shared: Any, path: str):
    refused(await shared.client.get(path), 404)


@pytest.mark.proves("H02")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", AI_SDK),
        ("GET", "/v1/ai-sdk/chat"),
        ("GET", AG_UI),
        ("PUT", NATIVE),
        ("POST", "/v1/ag-ui/threads/x/messages"),
        ("POST", "/v1/ai-sdk/threads/x/messages"),
        ("PUT", "/v1/threads/x"),
        ("POST", "/health"),
        ("PROPFIND", "/v1/runs"),
    ],
)
async def test_a_known_path_with_another_method_is_405(shared: Any, method: str, path: str):
    response = await shared.client.request(method, path)

    problem = refused(response, 405)
    assert problem["code"] == "method_not_allowed"
    assert response.headers["allow"]


async def test_the_default_limit_is_16_mib(shared: Any):
    response = await shared.client.post(NATIVE, content=b" " * (16 * 1024 * 1024 + 1), headers=JSON)

    refused(response, 413)


HOSTILE_BODIES = {
    "lone surrogate in an id": b'{"id":"\\ud800","threadId":"\\ud800","thread_id":"\\ud800","runId":"r","messages":%s}',
    "lone surrogate in a text": b'{"id":"t","threadId":"t","runId":"r","messages":[{"content":"\\udfff"}]}',
    "lone surrogate in a key": b'{"\\ud800":1,"id":"t","threadId":"t","runId":"\\ud83d","messages":%s}',
    "NUL in an id": b'{"id":"a\\u0000b","threadId":"a\\u0000b","thread_id":"a\\u0000b","runId":"r","messages":%s}',
    "very long id": b'{"id":"%b","threadId":"%b","thread_id":"%b","runId":"r","messages":%%s}' % ((b"x" * 10_000,) * 3),
    "deeply nested": b'{"id":"t","threadId":"t","runId":"r","messages":%s}' % (b"[" * 100_000 + b"]" * 100_000),
    "huge number": b'{"id":1e999,"threadId":1e999,"thread_id":1e999,"runId":"r","messages":%s}',
    "long number": b'{"id":%b,"threadId":%b,"thread_id":%b,"runId":"r","messages":%%s}' % ((b"9" * 5000,) * 3),
    "slash in an id": b'{"id":"a/b","threadId":"a/b","thread_id":"a/b","runId":"r","messages":%s}',
    "dots as an id": b'{"id":"..","threadId":"..","thread_id":"..","runId":"r","messages":%s}',
}


@pytest.mark.parametrize("path", RUN_ROUTES)
@pytest.mark.parametrize("body", HOSTILE_BODIES.values(), ids=HOSTILE_BODIES.keys())
async def test_hostile_bodies_are_400(shared: Any, path: str, body: bytes):
    messages = json.dumps(HELLO).encode()

    response = await shared.client.post(path, content=body.replace(b"%s", messages), headers=JSON)

    refused(response, 400)


@pytest.mark.parametrize(
    "id",
    [
        "a/b",
        "..",
        "../..",
        "%2F",
        "\x00",
        "🦉",
        "x" * 10_000,
        "a b?c#d",
        "\ud83e".encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
@pytest.mark.parametrize(
    "path", ["/v1/threads/{}", "/v1/runs/{}", "/v1/runs/{}/events/stream", "/v1/ai-sdk/threads/{}/messages"]
)
async def test_any_id_in_a_path_is_looked_up_and_not_found(shared: Any, path: str, id: str):
    response = await shared.client.get(path.format(quote(id, safe="")))

    refused(response, 404)


@pytest.mark.parametrize(
    "query",
    [
        "/v1/threads?offset=-1",
        "/v1/threads?limit=many",
        "/v1/threads?cursor=junk",
        f"/v1/threads?offset={10**30}",
        "/v1/threads?root=true&parent_thread_id=x",
        "/v1/runs?status=sleeping",
        f"/v1/runs?created_at_from={10**30}",
        "/v1/runs?cursor=%00",
        "/v1/runs?cursor=WyJhIixbMSwiYiJdXQ",
    ],
)
async def test_a_query_that_makes_no_sense_is_400(shared: Any, query: str):
    refused(await shared.client.get(query), 400)


async def test_a_client_that_goes_before_its_body_is_complete_leaves_nothing(shared: Any, caplog: Any):
    _, writer = await asyncio.open_connection("127.0.0.1", shared.port)
    head = f"POST {AI_SDK} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n"
    writer.write(head.encode() + b'{"id":"t"')
    await writer.drain()

    writer.close()
    await writer.wait_closed()
    await shared.client.get("/health")

    assert not [record for record in caplog.records if record.levelname == "ERROR"]
