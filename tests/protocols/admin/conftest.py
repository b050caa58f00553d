"""A server with three operators; its model gives two answers, the first of which stops at a gate."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from wakeful.providers.scripted import ScriptedProvider
from wakeful.sdk.agent import Agent
from wakeful.sdk.tool import tool

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
OPERATORS = {"ada": f"sha256:{hashlib.sha256(b'of-ada').hexdigest()}", "bob": "of-bob"}


@tool(effect="pure")
def look(city: str) -> str:
    """Look out of the window."""
    return f"sun over {city}"


class Desk:
    """An operator at a server."""

    def __init__(self, server: Any, model: ScriptedProvider, gate: asyncio.Event) -> None:
        self.server = server
        self.model = model
        self.gate = gate
        self.headers = {"authorization": "Bearer of-ada"}

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The response to an operator's request below `/v1`."""
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await self.server.client.request(method, f"/v1{path}", json=body, headers=sent)


@pytest.fixture
async def desk(serve: Callable[..., Awaitable[Any]], monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("WAKEFUL_SECRET_KEY", KEY)
    gate = asyncio.Event()
    model = ScriptedProvider([["I am ", gate, "short."], ["I am long."]])
    assistant = Agent("assistant", model="scripted:any", instructions="Be kind.", tools=[look])
    server = await serve(agents=[assistant], providers=[model], admin_tokens=OPERATORS, admin_token="of-admin")
    return Desk(server, model, gate)
