"""An agent server inside an app of one's own."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from wakeful import Agent, AgentRuntime, AgentServer, ServerConfig
from wakeful.contracts.errors import ConfigurationError, StoreUnavailable


def agent_server() -> AgentServer:
    return AgentServer(AgentRuntime(agents=[Agent("assistant", model="demo:offline")]), ServerConfig())


def client(port: int) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False, verify=False)


async def home(_: Request) -> PlainTextResponse:
    return PlainTextResponse("home")


def hosts() -> list[Any]:
    fastapi = FastAPI()
    fastapi.add_api_route("/", home)
    return [Starlette(routes=[Route("/", home)]), fastapi]


HELLO = {"thread_id": "t", "run_id": "r", "messages": [{"content": "hello"}]}


@pytest.mark.parametrize("host", hosts(), ids=["starlette", "fastapi"])
async def test_a_mounted_server_stops_with_its_host(host: Any, listen: Any, sse: Any):
    server = agent_server()
    server.mount(host, "/agents")

    async with listen(host) as port, client(port) as http:
        running = server.runtime.inner.running
        run = await http.post("/agents/v1/runs", json=HELLO)
        own = await http.get("/")
        docs = await http.get("/agents/docs")
        missing = await http.get("/agents/v1/nothing")

    assert running
    assert sse(run.text)[-1].json["type"] == "run_finished"
    assert own.text == "home"
    assert "/agents/openapi.json" in docs.text
    assert missing.json()["code"] == "not_found"
    assert not server.runtime.inner.running
    with pytest.raises(StoreUnavailable):
        await server.runtime.inner.store.probe()


async def test_the_lifespan_of_the_host_goes_on_to_work(listen: Any):
    steps: list[str] = []

    @asynccontextmanager
    async def lifespan(_: Any) -> Any:
        steps.append("begin")
        yield {"answer": 42}
        steps.append("end")

    async def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(request.state.answer))

    host = Starlette(routes=[Route("/", answer)], lifespan=lifespan)
    agent_server().mount(host, "/agents")

    async with listen(host) as port, client(port) as http:
        own = await http.get("/")

    assert own.text == "42"
    assert steps == ["begin", "end"]


@pytest.mark.parametrize("host", hosts(), ids=["starlette", "fastapi"])
async def test_a_server_under_a_bare_mount_starts_with_its_first_request(host: Any, listen: Any, sse: Any):
    server = agent_server()
    host.mount("/agents", server.app)

    async with listen(host) as port, client(port) as http:
        before = server.runtime.inner.running
        run = await http.post("/agents/v1/runs", json=HELLO)
        metrics = await http.get("/agents/metrics")
        await server.runtime.inner.stop()

    assert not before
    assert sse(run.text)[-1].json["type"] == "run_finished"
    assert 'route="/v1/runs"' in metrics.text


async def test_one_app_serves_two_servers_that_know_nothing_of_each_other(listen: Any):
    host, first, second = Starlette(), agent_server(), agent_server()
    first.mount(host, "/first")
    second.mount(host, "/second")

    async with listen(host) as port, client(port) as http:
        await http.post("/first/v1/runs", json=HELLO)
        there = await http.get("/first/v1/runs/r")
        elsewhere = await http.get("/second/v1/runs/r")

    assert (there.status_code, elsewhere.status_code) == (200, 404)


def test_settings_of_the_environment_that_make_no_sense_are_a_configuration_error(monkeypatch: Any):
    monkeypatch.setenv("WAKEFUL_HEARTBEAT_SECONDS", "never")

    with pytest.raises(ConfigurationError, match="WAKEFUL_HEARTBEAT_SECONDS"):
        AgentServer(AgentRuntime(agents=[Agent("assistant", model="demo:offline")]))
