"""Pages of other origins: only those the operator names may call the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Serve

PAGE = "http://localhost:5173"
CHAT = "/v1/ai-sdk/agents/assistant/runs"
BODY = {"id": "thread", "messages": [{"role": "user", "content": "hello"}]}
PREFLIGHT = {
    "origin": PAGE,
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-type, authorization, x-wakeful-ai-sdk",
}


async def test_by_default_no_other_origin_is_named(serve: Serve):
    client = (await serve()).client

    answer = await client.post(CHAT, json=BODY, headers={"origin": PAGE})
    preflight = await client.options(CHAT, headers=PREFLIGHT)

    assert "access-control-allow-origin" not in answer.headers
    assert preflight.status_code == 405


@pytest.mark.parametrize(("origins", "named"), [((PAGE,), PAGE), (("*",), "*")])
async def test_an_allowed_origin_may_ask_and_stream(serve: Serve, origins: tuple[str, ...], named: str):
    client = (await serve(cors_origins=origins)).client

    preflight = await client.options(CHAT, headers=PREFLIGHT)
    answer = await client.post(CHAT, json=BODY, headers={"origin": PAGE})

    assert preflight.status_code == 200
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    assert answer.headers["access-control-allow-origin"] == named
    assert "x-vercel-ai-ui-message-stream" in answer.headers["access-control-expose-headers"]
    assert answer.text.endswith("data: [DONE]\n\n")


async def test_another_origin_is_refused_and_cookies_never_count(serve: Serve):
    client = (await serve(cors_origins=(PAGE,))).client

    other = await client.options(CHAT, headers={**PREFLIGHT, "origin": "http://evil.example"})
    allowed = await client.options(CHAT, headers=PREFLIGHT)

    assert other.status_code == 400
    assert "access-control-allow-origin" not in other.headers
    assert "access-control-allow-credentials" not in allowed.headers


async def test_errors_are_readable_for_an_allowed_origin_too(serve: Serve):
    client = (await serve(cors_origins=(PAGE,))).client

    answer: Any = await client.post(CHAT, content=b"x" * (17 * 1024 * 1024), headers={"origin": PAGE})

    assert answer.status_code == 413
    assert answer.headers["access-control-allow-origin"] == PAGE
