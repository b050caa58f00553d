"""What operators look at: health, metrics and the documentation."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from wakeful.bootstrap.demo import demo_agents
from wakeful.contracts.errors import ConfigurationError, StoreUnavailable
from wakeful.embed import AgentRuntime, AgentServer
from wakeful.server.config import ServerConfig


@pytest.mark.proves("H01")
async def test_a_healthy_server_says_so_component_by_component(client: Any):
    response = await client.get("/health")

    assert response.status_code == 200
    assert response.json() == {"status": "healthy", "components": {"store": "ok", "runtime": "ok"}}


@pytest.mark.proves("H01")
@pytest.mark.parametrize("fault", [StoreUnavailable("gone"), RuntimeError("a defect")])
async def test_a_store_that_fails_makes_it_503_while_the_process_lives(serve: Any, faulty: Any, fault: Exception):
    server = await serve(store=faulty)
    faulty.faults["probe"] = fault

    health = await server.client.get("/health")
    live = await server.client.get("/health/live")

    assert health.status_code == 503
    assert health.json() == {"status": "unhealthy", "components": {"store": "error", "runtime": "ok"}}
    assert (live.status_code, live.content) == (200, b"")


@pytest.mark.proves("H01")
async def test_a_store_that_hangs_is_a_timeout(serve: Any, faulty: Any):
    server = await serve(store=faulty, health_timeout_seconds=0.01)
    faulty.faults["probe"] = asyncio.Event()

    health = await server.client.get("/health")
    live = await server.client.get("/health/live")

    assert health.status_code == 503
    assert health.json()["components"]["store"] == "timeout"
    assert live.status_code == 200


def samples(text: str, name: str) -> dict[tuple[str, ...], float]:
    """The values of one metric by its labels' values."""
    return {
        tuple(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


@pytest.mark.proves("H12")
async def test_requests_are_counted_by_route_template(server: Any):
    await server.run("hello", thread="secret-thread")
    body = {"id": "secret-thread", "messages": [{"role": "user", "content": "hello"}]}
    await server.client.post("/v1/ai-sdk/agents/assistant/runs", json=body)
    await server.client.get("/v1/threads/secret-thread/messages")
    await server.client.get("/secret-path")
    # Clients may invent methods without end.
    await server.client.request("PROPFIND", "/v1/threads/secret-thread")

    text = (await server.client.get("/metrics")).text

    counted = samples(text, "wakeful_http_requests_total")
    assert counted["POST", "/v1/runs", "200"] == 1
    assert counted["POST", "/v1/ai-sdk/agents/{agent}/runs", "200"] == 1
    assert counted["GET", "/v1/threads/{thread_id}/messages", "200"] == 1
    assert counted["GET", "unmatched", "404"] == 1
    assert counted["other", "/v1/threads/{thread_id}", "405"] == 1
    assert "secret" not in text


async def test_metrics_show_runs_and_open_streams(server: Any):
    await server.run("email bob@example.com hi", thread="a", run="waiting")
    await server.run("hello", thread="b")

    async with server.stream("GET", "/v1/runs/waiting/events/stream") as frames:
        await anext(frames)
        response = await server.client.get("/metrics")

    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert samples(response.text, "wakeful_runs_total") == {("completed",): 1, ("waiting",): 1}
    assert samples(response.text, "wakeful_active_runs") == {(): 0}
    assert samples(response.text, "wakeful_sse_connections") == {(): 1}


async def test_the_documentation_describes_every_native_operation(client: Any):
    document = (await client.get("/openapi.json")).json()

    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) > 20
    for operation in operations:
        assert operation["summary"]
        assert operation["tags"]
        assert "422" not in operation["responses"]
        schema = operation["responses"]["default"]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Problem"}
    ids = [operation["operationId"] for operation in operations]
    assert len(set(ids)) == len(ids)
    assert "/v1/threads/{thread_id}/messages" in document["paths"]
    assert (await client.get("/docs")).status_code == 200


@pytest.mark.proves("H11")
def test_settings_have_their_documented_defaults_and_survive_a_round_trip():
    config = ServerConfig()

    assert (config.sse_buffer_size, config.heartbeat_seconds, config.max_body_bytes) == (64, 10, 16 * 1024 * 1024)
    assert (config.host, config.port, config.api_tokens) == ("0.0.0.0", 3000, {})
    assert ServerConfig(**config.model_dump()) == config


def test_settings_come_from_the_environment(monkeypatch: Any):
    monkeypatch.setenv("WAKEFUL_SSE_BUFFER_SIZE", "7")
    monkeypatch.setenv("WAKEFUL_API_TOKENS", '{"team": "secret"}')

    config = ServerConfig()

    assert config.sse_buffer_size == 7
    assert config.api_tokens["team"].get_secret_value() == "secret"
    assert "secret" not in repr(config)


@pytest.mark.parametrize(
    "setting",
    [
        {"address": "nowhere"},
        {"address": "127.0.0.1:99999"},
        {"sse_buffer_size": 0},
        {"max_body_bytes": 1},
        {"api_tokens": {"team": ""}},
        {"api_tokens": {"team": "two words"}},
        {"api_tokens": {"a": "same", "b": "same"}},
        {"surprise": 1},
    ],
)
def test_settings_that_make_no_sense_are_refused(setting: dict[str, Any]):
    with pytest.raises(ValueError, match=next(iter(setting))):
        ServerConfig(**setting)


@pytest.mark.parametrize(("address", "host", "port"), [("[::1]:80", "::1", 80), ("localhost:0", "localhost", 0)])
def test_an_address_is_a_host_and_a_port(address: str, host: str, port: int):
    config = ServerConfig(address=address)

    assert (config.host, config.port) == (host, port)


async def test_a_request_id_is_kept_or_made(client: Any):
    kept = await client.get("/health", headers={"x-request-id": "abc"})
    made = await client.get("/health", headers={"x-request-id": "no spaces"})

    assert kept.headers["x-request-id"] == "abc"
    assert made.headers["x-request-id"] != "no spaces"


async def test_a_runtime_that_cannot_start_leaves_the_process_answering(faulty: Any, listen: Any, caplog: Any):
    faulty.faults["open"] = ConfigurationError("a newer Wakeful wrote this database")
    host = Starlette()
    server = AgentServer(AgentRuntime(agents=demo_agents(), store=faulty), ServerConfig())
    host.mount("/agents", server.app)

    async with (
        listen(host) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/agents", verify=False) as client,
    ):
        live = await client.get("/health/live")
        health = await client.get("/health")
        thread = await client.post("/v1/threads", json={})
        faulty.faults.clear()
        recovered = await client.get("/health")

    await server.runtime.inner.stop()
    assert live.status_code == 200
    assert health.json()["components"] == {"store": "error", "runtime": "error"}
    assert (thread.status_code, thread.json()["code"]) == (500, "configuration")
    assert recovered.status_code == 200
    assert "a newer Wakeful wrote this database" in caplog.text
