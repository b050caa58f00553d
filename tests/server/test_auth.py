"""Who may see what: tokens, and the scopes they open."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="session")

TOKENS = {"red": "r3d", "blue": "b1ue", "green": "gr33n", "gold": "g0ld"}
RED = {"authorization": "Bearer r3d"}
BLUE = {"authorization": "Bearer b1ue"}
HELLO = [{"id": "m1", "role": "user", "content": "hello"}]
AI_SDK = {"id": "thread", "runId": "run", "messages": HELLO}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def guarded(serving: Any) -> Any:
    """A server with several scopes; the red one has a thread and a run, both with ids of the client's choice."""
    async with serving(api_tokens=TOKENS) as server:
        response = await server.client.post("/v1/ai-sdk/agents/assistant/runs", json=AI_SDK, headers=RED)
        assert response.status_code == 200
        yield server


GUARDED = [
    ("GET", "/v1/threads"),
    ("POST", "/v1/threads"),
    ("GET", "/v1/runs"),
    ("POST", "/v1/runs"),
    ("GET", "/v1/runs/run"),
    ("GET", "/v1/runs/run/events/stream"),
    ("GET", "/v1/runs/summary"),
    ("POST", "/v1/runs/run/inputs"),
    ("POST", "/v1/runs/run/decision"),
    ("POST", "/v1/runs/run/decisions"),
    ("POST", "/v1/threads/thread/cancel"),
    ("POST", "/v1/threads/thread/interrupt"),
    ("POST", "/v1/threads/thread/decision"),
    ("GET", "/v1/threads/thread/state"),
    ("GET", "/v1/threads/thread/mailbox"),
    ("PUT", "/v1/threads/thread/mailbox/order"),
    ("PATCH", "/v1/threads/thread/mailbox/run"),
    ("DELETE", "/v1/threads/thread/mailbox/run"),
    ("GET", "/v1/dead-letters"),
    ("POST", "/v1/dead-letters/x/retry"),
    ("POST", "/v1/ai-sdk/agents/assistant/runs"),
    ("GET", "/v1/ai-sdk/chat/thread/stream"),
    ("GET", "/v1/ai-sdk/threads/thread/messages"),
    ("POST", "/v1/ag-ui/agents/assistant/runs"),
    ("GET", "/v1/ag-ui/threads/thread/messages"),
]
WRONG: list[list[tuple[str, str]]] = [
    [],
    [("authorization", "Bearer wrong")],
    [("authorization", "Bearer")],
    [("authorization", "Basic r3d")],
    [("authorization", "r3d")],
    [("authorization", "Bearer r3d"), ("authorization", "Bearer r3d")],
    [("authorization", "Bearer r3d"), ("authorization", "Bearer b1ue")],
    [("authorization", "Bearer r3d, Bearer b1ue")],
]


@pytest.mark.proves("H08")
@pytest.mark.parametrize("headers", WRONG)
async def test_credentials_that_are_missing_wrong_or_doubled_are_401(guarded: Any, headers: list[tuple[str, str]]):
    before = await guarded.held("red")

    for method, path in GUARDED:
        # Nobody looks at the body, or this one would be a 400.
        content = b"{" if method in {"POST", "PUT", "PATCH"} else b""
        response = await guarded.client.request(method, path, headers=headers, content=content)

        assert (path, response.status_code) == (path, 401)
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.json()["code"] == "unauthorised"
    assert await guarded.held("red") == before


async def test_health_metrics_and_documentation_need_no_token(guarded: Any):
    for path in ("/health", "/health/live", "/metrics", "/docs", "/openapi.json"):
        assert (await guarded.client.get(path)).status_code == 200


@pytest.mark.proves("H09")
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/threads/thread", None),
        ("PATCH", "/v1/threads/thread", {"title": "mine"}),
        ("DELETE", "/v1/threads/thread", None),
        ("GET", "/v1/threads/thread/messages", None),
        ("POST", "/v1/threads/thread/messages", {"messages": [{"content": "hello"}]}),
        ("GET", "/v1/threads/thread/runs", None),
        ("GET", "/v1/threads/thread/runs/active", None),
        ("GET", "/v1/threads/thread/runs/latest", None),
        ("GET", "/v1/runs/run", None),
        ("GET", "/v1/runs/run/events", None),
        ("GET", "/v1/runs/run/events/stream", None),
        ("POST", "/v1/runs/run/cancel", None),
        ("POST", "/v1/runs/run/inputs", {"messages": [{"content": "hello"}]}),
        ("POST", "/v1/runs/run/inputs", {"decisions": [{"target": "x", "approved": True}]}),
        ("POST", "/v1/runs/run/decision", {"target": "x", "approved": True}),
        ("POST", "/v1/runs/run/decisions", {"decisions": [{"target": "x", "approved": True}]}),
        ("POST", "/v1/threads/thread/decision", {"target": "x", "approved": True}),
        ("POST", "/v1/threads/thread/cancel", None),
        ("POST", "/v1/threads/thread/interrupt", None),
        ("GET", "/v1/threads/thread/mailbox", None),
        ("PUT", "/v1/threads/thread/mailbox/order", {"run_ids": [], "revision": "x"}),
        ("PATCH", "/v1/threads/thread/mailbox/run", {"messages": [{"content": "hello"}], "revision": 1}),
        ("DELETE", "/v1/threads/thread/mailbox/run", None),
        ("GET", "/v1/ai-sdk/threads/thread/messages", None),
        ("GET", "/v1/ag-ui/threads/thread/messages", None),
    ],
)
async def test_the_ids_of_another_scope_do_not_exist(guarded: Any, method: str, path: str, body: Any):
    response = await guarded.client.request(method, path, headers=BLUE, json=body)

    thread = (await guarded.client.get("/v1/threads/thread", headers=RED)).json()
    assert response.status_code == 404
    assert (thread["title"], thread["generation"], thread["message_count"]) == (None, 1, 2)


async def test_lists_and_resumed_streams_show_nothing_of_another_scope(guarded: Any):
    threads = (await guarded.client.get("/v1/threads", headers=BLUE)).json()
    runs = (await guarded.client.get("/v1/runs", headers=BLUE)).json()
    resumed = await guarded.client.get("/v1/ai-sdk/chat/thread/stream", headers=BLUE)

    assert (threads["items"], threads["total"]) == ([], 0)
    assert (runs["items"], runs["total"]) == ([], 0)
    assert resumed.status_code == 204


async def test_a_parent_in_another_scope_does_not_exist(guarded: Any):
    response = await guarded.client.post("/v1/threads", json={"parent_thread_id": "thread"}, headers=BLUE)

    assert response.status_code == 400


@pytest.mark.parametrize(("protocol", "token"), [("ai-sdk", "gr33n"), ("ag-ui", "g0ld")])
async def test_the_same_ids_in_two_scopes_do_not_meet(guarded: Any, protocol: str, token: str):
    body = {**AI_SDK, "threadId": "thread", "messages": [{**HELLO[0], "content": "hello too"}]}
    other = {"authorization": f"Bearer {token}"}

    response = await guarded.client.post(f"/v1/{protocol}/agents/assistant/runs", json=body, headers=other)

    red = (await guarded.client.get("/v1/threads/thread/messages", headers=RED)).json()["messages"]
    theirs = (await guarded.client.get("/v1/threads/thread/messages", headers=other)).json()["messages"]
    assert response.status_code == 200
    assert red[0]["parts"] == [{"type": "text", "text": "hello"}]
    assert theirs[0]["parts"] == [{"type": "text", "text": "hello too"}]
    assert (len(red), len(theirs)) == (2, 2)


async def test_the_scheme_is_read_in_any_case(guarded: Any):
    response = await guarded.client.get("/v1/runs/run", headers={"authorization": "bearer  r3d"})

    assert response.status_code == 200
