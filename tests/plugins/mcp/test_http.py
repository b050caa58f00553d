"""What is different over HTTP: credentials, long answers, a server that goes and comes back."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tests.plugins.mcp.conftest import SERVERS, Host, called, connected, over_http, until

from wakeful.contracts.errors import ToolError
from wakeful.plugins.mcp.spec import HttpSpec, McpServerSpec, OAuthSpec

TOOLS = [{"name": "good", "description": "Good.", "inputSchema": {"type": "object"}}]


def by_hand(call: Any, seen: list[dict[str, str]] | None = None, refuse: bool = False) -> Host:
    """A server of revision 2025-11-25 without sessions; `call` answers calls."""

    async def serve(request: Request) -> Response:
        if request.method != "POST":
            return Response(status_code=405)
        if seen is not None:
            seen.append(dict(request.headers))
        if refuse:
            return Response(status_code=401)
        message = json.loads(await request.body())
        served = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}}
        match message["method"]:
            case "initialize":
                result: Any = {**served, "serverInfo": {"name": "h", "version": "1"}}
            case "tools/list":
                result = {"tools": TOOLS}
            case "tools/call":
                return call(message)
            case _ if "id" not in message:
                return Response(status_code=202)
            case _:
                error = {"code": -32601, "message": "Method not found"}
                return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "error": error})
        return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "result": result})

    return Host(lambda: Starlette(routes=[Route("/mcp", serve, methods=["GET", "POST", "DELETE"])]))


def told(message: dict[str, Any], words: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": message["id"], "result": {"content": [{"type": "text", "text": words}]}}


@asynccontextmanager
async def process(port: int) -> AsyncIterator[None]:
    """The friendly server as a process, killed at the end."""
    server = await asyncio.create_subprocess_exec(sys.executable, str(SERVERS / "friendly.py"), str(port))
    try:
        yield
    finally:
        server.kill()
        await server.wait()


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_server_that_goes_away_and_comes_back_is_found_again(era: str, free_port: int):
    spec = McpServerSpec(id="nice", http=HttpSpec(url=f"http://127.0.0.1:{free_port}/mcp"), era=era)
    async with connected(spec) as source:
        async with process(free_port):
            await until(lambda: source.health.state == "connected")
            tool = source.tools["mcp__nice__greet"]
            assert await called(tool, {"name": "Ada"}) == "Hello Ada"

        with pytest.raises(ToolError):
            await called(tool, {"name": "Ada"})
        await until(lambda: source.health.state == "disconnected")
        assert "mcp__nice__greet" in source.tools

        async with process(free_port):
            await until(lambda: source.health.state == "connected")
            assert await called(tool, {"name": "Ada"}) == "Hello Ada"


async def test_a_json_answer_is_bounded_while_it_is_read_and_fails_its_call_only():
    def call(message: dict[str, Any]) -> Response:
        size = 200_000 if message["params"]["arguments"].get("large") else 10
        return JSONResponse(told(message, "z" * size))

    async with by_hand(call).up() as host, connected(over_http(host, max_message_bytes=100_000)) as source:
        tool = source.tools["mcp__nice__good"]
        with pytest.raises(ToolError, match="the answer has more than 100000 bytes"):
            await called(tool, {"large": True})

        assert await called(tool, {}) == "z" * 10
        assert source.health.state == "connected"


async def test_a_compressed_answer_nobody_asked_for_is_not_unpacked():
    def call(message: dict[str, Any]) -> Response:
        return Response(b"\x1f\x8b", headers={"content-encoding": "gzip", "content-type": "application/json"})

    async with by_hand(call).up() as host, connected(over_http(host)) as source:
        with pytest.raises(ToolError, match="compressed"):
            await called(source.tools["mcp__nice__good"], {})


async def test_a_redirect_to_another_place_is_not_followed():
    def call(message: dict[str, Any]) -> Response:
        return Response(status_code=307, headers={"location": "http://127.0.0.1:9/stolen"})

    async with by_hand(call).up() as host, connected(over_http(host)) as source:
        with pytest.raises(ToolError, match="not followed"):
            await called(source.tools["mcp__nice__good"], {})


async def test_credentials_come_from_the_environment_and_are_told_to_nobody_else(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TOKEN", "t0p")
    monkeypatch.setenv("TEAM", "blue")
    seen: list[dict[str, str]] = []
    async with by_hand(None, seen).up() as host:
        spec = HttpSpec(url=host.url, token_env="TOKEN", headers_env={"x-team": "TEAM"})
        async with connected(McpServerSpec(id="nice", http=spec)) as source:
            assert source.health.state == "connected"

    assert {(headers["authorization"], headers["x-team"]) for headers in seen} == {("Bearer t0p", "blue")}


async def test_a_missing_credential_is_told_by_the_name_of_its_variable():
    spec = HttpSpec(url="http://127.0.0.1:9/mcp", token_env="NOT_SET_ANYWHERE")
    async with connected(McpServerSpec(id="nice", http=spec)) as source:
        assert "NOT_SET_ANYWHERE" in (source.health.problem or "")


async def test_a_server_that_refuses_us_is_away(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TOKEN", "t0p")
    async with by_hand(None, refuse=True).up() as host:
        spec = HttpSpec(url=host.url, token_env="TOKEN")
        async with connected(McpServerSpec(id="nice", http=spec)) as source:
            assert source.health.state == "disconnected"
            assert "t0p" not in (source.health.problem or "")


async def test_nobody_at_the_address_is_told_in_words():
    spec = McpServerSpec(id="nice", http=HttpSpec(url="http://127.0.0.1:9/mcp"))
    async with connected(spec) as source:
        assert "cannot be reached" in (source.health.problem or "")


async def test_oauth_gets_a_token_and_the_secret_goes_to_the_configured_issuer_only(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OAUTH_SECRET", "s3cret")
    granted: list[dict[str, str]] = []
    seen: list[str | None] = []

    async def metadata(request: Request) -> Response:
        base = str(request.base_url).rstrip("/")
        return JSONResponse({
            "issuer": base,
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            "response_types_supported": ["code"],
        })  # fmt: skip

    async def resource(request: Request) -> Response:
        base = str(request.base_url).rstrip("/")
        return JSONResponse({"resource": f"{base}/mcp", "authorization_servers": [base]})

    async def token(request: Request) -> Response:
        granted.append({"authorization": request.headers.get("authorization", "")})
        return JSONResponse({"access_token": "fresh", "token_type": "Bearer", "expires_in": 3600})

    async def serve(request: Request) -> Response:
        seen.append(request.headers.get("authorization"))
        if seen[-1] != "Bearer fresh":
            return Response(status_code=401)
        message = json.loads(await request.body())
        if message["method"] == "tools/list":
            result: Any = {"tools": TOOLS}
        elif message["method"] == "initialize":
            result = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}}
            result["serverInfo"] = {"name": "h", "version": "1"}
        else:
            return Response(status_code=202 if "id" not in message else 400)
        return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "result": result})

    routes = [
        Route("/mcp", serve, methods=["POST"]),
        Route("/token", token, methods=["POST"]),
        Route("/.well-known/oauth-protected-resource/mcp", resource),
        Route("/.well-known/oauth-protected-resource", resource),
        Route("/.well-known/oauth-authorization-server", metadata),
    ]
    async with Host(lambda: Starlette(routes=routes)).up() as host:
        issuer = host.url.removesuffix("/mcp")
        oauth = OAuthSpec(issuer=issuer, client_id="me", client_secret_env="OAUTH_SECRET")
        async with connected(McpServerSpec(id="nice", http=HttpSpec(url=host.url, oauth=oauth))) as source:
            assert source.health.state == "connected", source.health
        tokens = len(granted)

        elsewhere = OAuthSpec(issuer="https://login.example", client_id="me", client_secret_env="OAUTH_SECRET")
        async with connected(McpServerSpec(id="nice", http=HttpSpec(url=host.url, oauth=elsewhere))) as source:
            assert source.health.state == "disconnected"

    assert tokens == len(granted) == 1
    assert granted[0]["authorization"].startswith("Basic ")
