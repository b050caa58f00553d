"""A client of MCP that says exactly what a test wants said, and judges all it is told by the SDK's types."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import mcp_types as types
from mcp_types import methods

from wakeful.embed import AgentServer

PATH = "/v1/mcp"
MODERN = "2026-07-28"
LEGACY = "2025-11-25"
TASKS = "io.modelcontextprotocol/tasks"
META = "io.modelcontextprotocol/"
FORMS: dict[str, Any] = {"elicitation": {"form": {}}}
WITH_TASKS: dict[str, Any] = {**FORMS, "extensions": {TASKS: {}}}
NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
ACCEPT = "application/json, text/event-stream"
NO_TYPES = ("tasks/", "notifications/tasks", "notifications/elicitation")


def judge(version: str, method: str, message: dict[str, Any]) -> dict[str, Any]:
    """One message of the server, checked: the answer to `method`, or one that came before it."""
    assert message["jsonrpc"] == "2.0"
    if "method" in message:
        _judge_unasked(version, message)
    elif "error" in message:
        types.JSONRPCError.model_validate(message)
        assert message["error"]["message"]
    else:
        types.JSONRPCResponse.model_validate(message)
        _judge_result(version, method, message["result"])
    return message


def _judge_unasked(version: str, message: dict[str, Any]) -> None:
    params = message.get("params")
    if message["method"].startswith(NO_TYPES):
        return
    if "id" in message:
        assert version != MODERN, "this version has no requests of the server"
        methods.parse_server_request(message["method"], version, params)
    else:
        methods.parse_server_notification(message["method"], version, params)


def _judge_result(version: str, method: str, result: dict[str, Any]) -> None:
    if version == MODERN:
        assert result["resultType"] in ("complete", "input_required", "task")
        assert result["_meta"][f"{META}serverInfo"]["name"] == "wakeful"
    if result.get("resultType") == "task" or method.startswith("tasks/"):
        return
    if result.get("resultType") == "input_required":
        types.InputRequiredResult.model_validate(result)
    else:
        methods.validate_server_result(method, version, result)


def messages(text: str) -> list[tuple[str | None, dict[str, Any] | None]]:
    """The frames of a stream: their ids and what they say; None is a frame that only has an id."""
    found: list[tuple[str | None, dict[str, Any] | None]] = []
    for part in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in part.split("\n") if line and not line.startswith(":"))
        if "data" in fields:
            found.append((fields.get("id"), json.loads(fields["data"]) if fields["data"].strip() else None))
    return found


class Peer:
    """One client of one server. `said` are the messages that came before the last answer."""

    def __init__(self, server: AgentServer, client: httpx.AsyncClient) -> None:
        self.server = server
        self.client = client
        self.said: list[dict[str, Any]] = []
        self.number = 0
        self.session: str | None = None

    # -- 2026-07-28

    def asking(
        self, method: str, params: dict[str, Any] | None = None, *, can: Any = None, **meta: Any
    ) -> dict[str, Any]:
        """The body of a request."""
        self.number += 1
        envelope = {
            f"{META}protocolVersion": MODERN,
            f"{META}clientCapabilities": {} if can is None else can,
            f"{META}clientInfo": {"name": "test", "version": "1"},
        }
        return {
            "jsonrpc": "2.0",
            "id": self.number,
            "method": method,
            "params": {**(params or {}), "_meta": {**envelope, **meta}},
        }

    def headers(self, body: dict[str, Any]) -> dict[str, str]:
        named = "taskId" if body["method"].startswith("tasks/") else NAMED.get(body["method"])
        name = {"mcp-name": body["params"][named]} if named and named in body["params"] else {}
        return {"accept": ACCEPT, "mcp-protocol-version": MODERN, "mcp-method": body["method"], **name}

    async def post(self, body: Any, **headers: str | None) -> httpx.Response:
        """A body with the headers it needs, some changed or (None) left out."""
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {**self.headers(body), **changed}
        return await self.client.post(
            PATH, json=body, headers={name: value for name, value in given.items() if value is not None}
        )

    async def ask(
        self, method: str, params: dict[str, Any] | None = None, *, can: Any = None, **meta: Any
    ) -> dict[str, Any]:
        """The response of a modern request, whole."""
        body = self.asking(method, params, can=can, **meta)
        return self.read(MODERN, body, await self.post(body))

    async def call(self, name: str = "assistant", *, can: Any = None, **params: Any) -> dict[str, Any]:
        """The result of a call."""
        params.setdefault("arguments", {"message": "go"})
        meta = params.pop("meta", {})
        return (await self.ask("tools/call", {"name": name, **params}, can=can, **meta))["result"]

    def read(self, version: str, body: dict[str, Any], response: httpx.Response) -> dict[str, Any]:
        if response.headers["content-type"].startswith("text/event-stream"):
            found = [message for _, message in messages(response.text) if message is not None]
        else:
            found = [response.json()]
        judged = [judge(version, body["method"], message) for message in found]
        *self.said, answer = judged
        assert answer["id"] == body["id"]
        return answer

    # -- 2025-11-25

    async def initialize(self, can: Any = None, version: str = LEGACY) -> dict[str, Any]:
        """Begin a session."""
        info = {"name": "test", "version": "1"}
        params = {"protocolVersion": version, "capabilities": {} if can is None else can, "clientInfo": info}
        body = self.body("initialize", params)
        response = await self.client.post(PATH, json=body, headers={"accept": ACCEPT})
        self.session = response.headers["mcp-session-id"]
        return self.read(LEGACY, body, response)["result"]

    def body(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        self.number += 1
        return {"jsonrpc": "2.0", "id": self.number, "method": method, "params": params or {}}

    async def send(self, body: Any, **headers: str | None) -> httpx.Response:
        """A body in the session, some headers changed or left out."""
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"accept": ACCEPT, "mcp-session-id": self.session, "mcp-protocol-version": LEGACY, **changed}
        return await self.client.post(
            PATH, json=body, headers={name: value for name, value in given.items() if value is not None}
        )

    async def request(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """The response of a request in the session, whole."""
        body = self.body(method, params)
        return self.read(LEGACY, body, await self.send(body))

    async def note(self, method: str, params: dict[str, Any] | None = None) -> None:
        response = await self.send({"jsonrpc": "2.0", "method": method, "params": params or {}})
        assert response.status_code == 202

    @asynccontextmanager
    async def streaming(
        self, body: Any, version: str = LEGACY, *, after: str | None = None
    ) -> AsyncIterator[AsyncIterator[tuple[str | None, dict[str, Any] | None]]]:
        """A call's frames as they come; with `after` those that come after a frame's id."""
        if version == MODERN:
            request: dict[str, Any] = {"method": "POST", "json": body, "headers": self.headers(body)}
        else:
            headers = {"accept": ACCEPT, "mcp-session-id": self.session or "", "mcp-protocol-version": LEGACY}
            request = {"method": "POST", "json": body, "headers": headers}
            if after is not None:
                request = {"method": "GET", "headers": {**headers, "last-event-id": after}}
        async with self.client.stream(url=PATH, **request) as response:
            assert response.status_code == 200, await response.aread()
            yield _frames(response, version, body["method"])


async def _frames(
    response: httpx.Response, version: str, method: str
) -> AsyncIterator[tuple[str | None, dict[str, Any] | None]]:
    rest = ""
    async for text in response.aiter_text():
        *parts, rest = (rest + text).split("\n\n")
        for part in parts:
            for name, message in messages(part + "\n\n"):
                yield name, message if message is None else judge(version, method, message)
