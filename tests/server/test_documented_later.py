"""The documented API costs nothing until it is asked for."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import httpx

from wakeful.bootstrap.demo import demo_agents
from wakeful.embed import AgentRuntime
from wakeful.server.app import App
from wakeful.server.config import ServerConfig
from wakeful.server.metrics import Metrics

PROGRAM = """
import asyncio, json, sys
import httpx
from wakeful import Agent, AgentRuntime, AgentServer

server = AgentServer(AgentRuntime(agents=[Agent("assistant", model="demo:offline")]))

async def ask():
    loaded = {}
    async with server.runtime, httpx.AsyncClient(
        transport=httpx.ASGITransport(server.app), base_url="http://test"
    ) as client:
        for path in ("/health", "/v1/ag-ui/capabilities", "/v1/threads"):
            response = await client.get(path)
            assert response.status_code == 200, response.text
            loaded[path] = "fastapi" in sys.modules
    print(json.dumps(loaded))

asyncio.run(ask())
"""


def test_fastapi_is_loaded_by_the_first_request_for_what_it_documents():
    finished = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)

    assert json.loads(finished.stdout) == {"/health": False, "/v1/ag-ui/capabilities": False, "/v1/threads": True}


async def test_of_requests_that_come_together_one_makes_it():
    runtime = AgentRuntime(agents=demo_agents()).inner
    app = App(runtime, ServerConfig(), Metrics(runtime))
    asked: list[str] = []

    def routes() -> Any:
        asked.append("routes")
        return []

    app.document(routes)

    async with runtime.lifespan():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            answers = await asyncio.gather(*(client.get("/nothing") for _ in range(4)))

    assert [answer.status_code for answer in answers] == [404] * 4
    assert {answer.json()["code"] for answer in answers} == {"not_found"}
    assert asked == ["routes"]
