"""`wakeful serve` when it is asked to stop: what it finishes, what it hands on, and when it does not wait."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

STORE = ("--port", "0", "--store", "sqlite:///wakeful.db")
FOREVER = {"WAKEFUL_SHUTDOWN_GRACE_SECONDS": "3600"}
AGENT = """
import asyncio
import time
from pathlib import Path

from wakeful import Agent, tool


@tool
async def pause() -> str:
    "Wait for the file `go`."
    with Path("calls").open("a") as calls:
        calls.write("called\\n")
    while not Path("go").exists():
        await asyncio.sleep(0.01)
    return "went"


@tool
def hang() -> str:
    "Never come back, in a thread that nobody can stop."
    time.sleep(3600)
    return "never"


@tool
async def block() -> str:
    "Keep the whole process from doing anything else."
    print("blocked")
    time.sleep(3600)
    return "never"


agent = Agent("assistant", model="demo:offline", tools=[pause, hang, block])
"""
pytestmark = [pytest.mark.network, pytest.mark.proves("R22")]


def client(base: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=base, timeout=30, trust_env=False, verify=False)


async def draining(http: httpx.AsyncClient) -> httpx.Response:
    """The answer of `/health` once the server was reached by a signal."""
    async with asyncio.timeout(10):
        while True:
            response = await http.get("/health")
            if response.status_code == 503:
                return response


async def goes_on_answering(http: httpx.AsyncClient) -> None:
    """Return once the server, which answers all the while, says that it is a second later."""
    first = await http.get("/health/live")
    async with asyncio.timeout(10):
        while (await http.get("/health/live")).headers["date"] == first.headers["date"]:
            pass


async def stream(http: httpx.AsyncClient, tool: str, seen: asyncio.Event) -> str:
    """The stream of run `r`, which uses this tool, to its end; `seen` is set once the tool runs."""
    body = {"thread_id": "t", "run_id": "r", "messages": [{"content": f"use {tool} {{}}"}]}
    text = ""
    async with http.stream("POST", "/v1/runs", json=body) as response:
        async for part in response.aiter_text():
            text += part
            if "tool_call_started" in text:
                seen.set()
    return text


async def refused(http: httpx.AsyncClient, text: str) -> None:
    """A run whose process ends without an answer."""
    with suppress(httpx.TransportError):
        await http.post("/v1/runs", json={"messages": [{"content": text}]})


async def finished(http: httpx.AsyncClient, run: str) -> dict[str, Any]:
    """A run, once its stream of events has ended."""
    await http.get(f"/v1/runs/{run}/events/stream")
    return (await http.get(f"/v1/runs/{run}")).json()


@pytest.fixture(autouse=True)
def target(tmp_path: Path) -> None:
    """An agent with a tool that can be told to go on, and two that cannot."""
    (tmp_path / "mine.py").write_text(AGENT, "utf-8")


async def test_a_step_that_has_begun_is_finished_and_the_next_process_does_the_rest(
    wakeful: Any, sse: Any, tmp_path: Path
):
    first = await wakeful("serve", "mine.py:agent", *STORE, **FOREVER)
    seen = asyncio.Event()
    async with client(await first.base()) as http, asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(stream(http, "pause", seen))
        await seen.wait()
        first.process.send_signal(signal.SIGTERM)
        health = await draining(http)
        await goes_on_answering(http)
        late = {"run_id": "late", "messages": [{"content": "hello"}]}
        accepted = await http.post("/v1/threads/t/messages", json=late)
        (tmp_path / "go").touch()
        code = await first.code()
    shown = sse(watching.result())

    second = await wakeful("serve", "mine.py:agent", *STORE)
    async with client(await second.base()) as http:
        runs = [await finished(http, run) for run in ("r", "late")]
        log = (await http.get("/v1/runs/r/events?limit=200")).json()["items"]

    types = [event["type"] for event in log]
    assert code == 0
    assert health.json()["components"] == {"store": "ok", "runtime": "ok", "shutdown": "draining"}
    assert (accepted.status_code, accepted.json()["effect"]) == (202, "queued")
    assert [frame.json["type"] for frame in shown if frame.data][-1] == "step_finished"
    assert shown[-1].retry == 1000
    assert [run["status"] for run in runs] == ["completed", "completed"]
    assert [run["attempt"] for run in runs] == [1, 1]
    assert (types.count("tool_call_started"), types.count("step_restarted")) == (1, 0)
    assert (tmp_path / "calls").read_text() == "called\n"


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (signal.SIGTERM, signal.SIGTERM),
        (signal.SIGTERM, signal.SIGINT),
        (signal.SIGINT, signal.SIGTERM),
        (signal.SIGINT, signal.SIGINT),
    ],
)
async def test_a_second_signal_does_not_wait_for_the_step(
    wakeful: Any, sse: Any, tmp_path: Path, one: signal.Signals, two: signal.Signals
):
    first = await wakeful("serve", "mine.py:agent", *STORE, **FOREVER)
    seen = asyncio.Event()
    async with client(await first.base()) as http, asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(stream(http, "pause", seen))
        await seen.wait()
        first.process.send_signal(one)
        await draining(http)
        code = await first.ends(two)
    (tmp_path / "go").touch()

    second = await wakeful("serve", "mine.py:agent", *STORE)
    async with client(await second.base()) as http:
        run = await finished(http, "r")
        messages = (await http.get("/v1/threads/t/messages")).json()["messages"]

    assert code == 0
    assert sse(watching.result())[-1].retry == 1000
    assert run["status"] == "completed"
    assert (tmp_path / "calls").read_text() == "called\n"
    assert "unknown" in messages[2]["parts"][0]["output"]


async def test_a_server_without_runs_stops_at_once(wakeful: Any):
    server = await wakeful("serve", *STORE, **FOREVER)
    await server.base()

    assert await server.ends() == 0
    assert "Traceback" not in server.said


@pytest.mark.parametrize("hurried", [False, True], ids=["after its grace", "at the second signal"])
async def test_a_tool_that_hangs_in_a_thread_does_not_keep_the_process(wakeful: Any, hurried: bool):
    grace = FOREVER if hurried else {"WAKEFUL_SHUTDOWN_GRACE_SECONDS": "0"}
    server = await wakeful("serve", "mine.py:agent", *STORE, **grace)
    seen = asyncio.Event()
    async with client(await server.base()) as http, asyncio.TaskGroup() as tasks:
        tasks.create_task(stream(http, "hang", seen))
        await seen.wait()
        server.process.send_signal(signal.SIGTERM)
        if hurried:
            await draining(http)
            server.process.send_signal(signal.SIGTERM)
        code = await server.code()

    assert code == 0
    assert "ends without it" not in server.said


async def test_a_process_in_which_nothing_works_any_more_ends_at_a_second_signal(wakeful: Any):
    """Of two signals sent at once the system may give one to a thread that cannot act on it, so it is repeated."""
    server = await wakeful("serve", "mine.py:agent", *STORE, **FOREVER)
    async with client(await server.base()) as http, asyncio.TaskGroup() as tasks:
        tasks.create_task(refused(http, "use block {}"))
        await server.says("blocked")
        ending = tasks.create_task(server.code())
        while not ending.done():
            with suppress(ProcessLookupError):
                server.process.send_signal(signal.SIGTERM)
            await asyncio.wait([ending], timeout=0.2)

    assert ending.result() == 0
    assert "ends without it" in server.said
