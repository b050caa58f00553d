"""A client of MCP that says exactly what a test wants said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from tests.protocols.mcp.judge import LEGACY, META, MODERN, judge_answer, judge_told, version_of
from tests.protocols.mcp.traffic import PATH, Traffic, messages

from wakeful.embed import AgentServer

TASKS = "io.modelcontextprotocol/tasks"
FORMS: dict[str, Any] = {"elicitation": {"form": {}}}
WITH_TASKS: dict[str, Any] = {**FORMS, "extensions": {TASKS: {}}}
NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
ACCEPT = "application/json, text/event-stream"


class Peer:
    """One client of one server. `said` are the messages before the last answer, `traffic` is all there was."""

    def __init__(self, server: AgentServer, client: httpx.AsyncClient, traffic: Traffic | None = None) -> None:
        self.server = server
        self.traffic = traffic or Traffic()
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
        return self.read(body, await self.post(body))

    async def call(self, name: str = "assistant", *, can: Any = None, **params: Any) -> dict[str, Any]:
        """The result of a call."""
        params.setdefault("arguments", {"message": "go"})
        meta = params.pop("meta", {})
        return (await self.ask("tools/call", {"name": name, **params}, can=can, **meta))["result"]

    def read(self, body: dict[str, Any], response: httpx.Response) -> dict[str, Any]:
        if response.headers["content-type"].startswith("text/event-stream"):
            found = [message for _, message in messages(response.text) if message is not None]
        else:
            found = [response.json()]
        *self.said, answer = found
        for message in self.said:
            judge_told(version_of(body), message)
        judge_answer(version_of(body), body, answer)
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
        return self.read(body, response)["result"]

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
        return self.read(body, await self.send(body))

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
            yield _frames(response)


async def _frames(response: httpx.Response) -> AsyncIterator[tuple[str | None, dict[str, Any] | None]]:
    rest = ""
    async for text in response.aiter_text():
        *parts, rest = (rest + text).split("\n\n")
        for part in parts:
            for frame in messages(part + "\n\n"):
                yield frame
