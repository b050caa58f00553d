"""`wakeful serve` and `wakeful dev` as an operator meets them: start, warn, reload, stop, start again."""

from __future__ import annotations

import asyncio
import signal
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

AGENT = "from wakeful import Agent\nagent = Agent({!r}, model='demo:offline')\n"
SLOW = {"thread_id": "t", "run_id": "r", "messages": [{"content": "count to 40 every 50 ms"}]}


def client(base: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=base, timeout=30, trust_env=False, verify=False)


async def three_deltas_of(http: httpx.AsyncClient, seen: asyncio.Event) -> str:
    """A slow run's stream, to its end; `seen` is set after three deltas."""
    text = ""
    async with http.stream("POST", "/v1/runs", json=SLOW) as response:
        async for part in response.aiter_text():
            text += part
            if text.count("text_delta") >= 3:
                seen.set()
    return text


@pytest.mark.network
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_a_server_without_grace_ends_streams_at_once_and_continues_their_runs_when_it_is_back(
    wakeful: Any, sse: Any, number: signal.Signals
):
    hasty = {"WAKEFUL_SHUTDOWN_GRACE_SECONDS": "0"}
    first = await wakeful("serve", "--port", "0", "--store", "sqlite:///wakeful.db", **hasty)
    seen = asyncio.Event()
    async with client(await first.base()) as http, asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(three_deltas_of(http, seen))
        await seen.wait()
        code = await first.ends(number)
    cut = [frame.json for frame in sse(watching.result()) if frame.data]

    second = await wakeful("serve", "--port", "0", "--store", "sqlite:///wakeful.db")
    async with client(await second.base()) as http:
        rest = await http.get("/v1/runs/r/events/stream", headers={"last-event-id": str(cut[-1]["seq"])})
        run = (await http.get("/v1/runs/r")).json()
        log = (await http.get("/v1/runs/r/events?limit=200")).json()["items"]
        messages = (await http.get("/v1/threads/t/messages")).json()["messages"]

    resumed = [frame.json for frame in sse(rest.text) if frame.data]
    assert code == 0
    assert sse(watching.result())[-1].retry == 1000
    assert sum(event["type"] == "text_delta" for event in cut) < 40
    assert run["status"] == "completed"
    assert "step_restarted" in [event["type"] for event in log]
    assert cut + resumed == log
    assert [part["text"] for part in messages[-1]["parts"]] == [" ".join(str(n) for n in range(1, 41))]


CODE = """
from wakeful import AgentRequest, agent

@agent("mine")
async def agent(request: AgentRequest) -> str:
    return request.text
"""


@pytest.mark.network
@pytest.mark.parametrize("source", [AGENT.format("mine"), CODE], ids=["model", "code"])
async def test_a_file_is_served_by_its_attribute(wakeful: Any, tmp_path: Path, source: str):
    (tmp_path / "mine.py").write_text(source)

    server = await wakeful("serve", "mine.py:agent", "--port", "0")

    async with client(await server.base()) as http:
        response = await http.post("/v1/runs", json={"agent_id": "mine", "messages": [{"content": "hello"}]})
    assert response.status_code == 200
    assert await server.ends() == 0


@pytest.mark.network
async def test_listening_to_the_world_without_tokens_is_warned_about_loudly(wakeful: Any):
    server = await wakeful("serve", "--host", "0.0.0.0", "--port", "0")
    await server.base()
    assert await server.ends() == 0

    assert "!!! 0.0.0.0:0 is reachable from other machines and asks nobody for a token." in server.said


@pytest.mark.network
async def test_listening_to_the_world_with_tokens_is_not(wakeful: Any):
    server = await wakeful("serve", "--host", "0.0.0.0", "--port", "0", WAKEFUL_API_TOKENS='{"team": "secret"}')
    await server.base()
    assert await server.ends() == 0

    assert "!!!" not in server.said
    assert "secret" not in server.said


@pytest.mark.network
async def test_a_port_in_use_is_told_without_a_stack_trace(wakeful: Any):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = await wakeful("serve", "--port", str(taken.getsockname()[1]))
        code = await server.code()

    assert code != 0
    assert "address already in use" in server.said
    assert "Traceback" not in server.said


@pytest.mark.network
async def test_dev_restarts_when_a_file_changes(wakeful: Any, tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    (tmp_path / "mine.py").write_text(AGENT.format("before"))
    server = await wakeful("dev", "mine.py:agent", "--port", str(port))
    await server.says("Application startup complete")

    (tmp_path / "mine.py").write_text(AGENT.format("afterwards"))
    await server.says("Application startup complete")

    async with client(f"http://127.0.0.1:{port}") as http:
        response = await http.post("/v1/runs", json={"agent_id": "afterwards", "messages": [{"content": "hello"}]})
    assert response.status_code == 200
    assert await server.ends(signal.SIGINT) == 0
