"""Two servers, each with a SQLite file of its own, whose agents hand work to one another over A2A."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.processes.conftest import UNLIMITED
from tests.processes.relaying import GATE, HERE, OTHER, STORE, THERE

TARGET = f"{Path(__file__).with_name('relaying.py')}:runtime"
PATIENCE = 120
FINISHED = ("completed", "failed", "cancelled")
pytestmark = pytest.mark.network


class Pair:
    """`first` has the agents alice and carol, `second` has bob. Each knows the other's by their names."""

    def __init__(self, launch: Any, stack: AsyncExitStack, folder: Path) -> None:
        self._launch = launch
        self._stack = stack
        self._folder = folder
        self._ports = dict(zip(("first", "second"), free_ports(2), strict=True))
        self._commands: dict[str, Any] = {}
        self._clients: dict[str, httpx.AsyncClient] = {}
        self.gate = folder / "gate"

    async def start(self, name: str) -> None:
        other = "second" if name == "first" else "first"
        names = {"first": "alice carol", "second": "bob"}
        self._commands[name] = await self._launch(
            "-m",
            "wakeful",
            "serve",
            TARGET,
            "--port",
            str(self._ports[name]),
            **{
                STORE: f"sqlite:///{self._folder / name}.db",
                GATE: str(self.gate),
                OTHER: f"http://127.0.0.1:{self._ports[other]}",
                HERE: names[name],
                THERE: names[other],
                "WAKEFUL_MAX_ATTEMPTS": "50",
            },
        )
        await self._commands[name].says("running on")
        if name not in self._clients:
            base = f"http://127.0.0.1:{self._ports[name]}"
            client = httpx.AsyncClient(base_url=base, timeout=PATIENCE, trust_env=False, limits=UNLIMITED)
            self._clients[name] = await self._stack.enter_async_context(client)

    async def kill(self, name: str) -> None:
        assert await self._commands[name].ends(signal.SIGKILL) == -signal.SIGKILL

    async def send(self, text: str) -> None:
        """Begin a run of alice."""
        body = {"agent_id": "alice", "thread_id": "t", "run_id": "r", "messages": [{"content": text}]}
        async with self._clients["first"].stream("POST", "/v1/runs", json=body) as response:
            assert response.status_code == 200, await response.aread()

    async def answer(self) -> str:
        """What alice says in the end; servers may be down while it is waited for."""
        client = self._clients["first"]
        async with asyncio.timeout(PATIENCE):
            while (run := (await client.get("/v1/runs/r")).json())["status"] not in FINISHED:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert run["status"] == "completed", run
        messages = (await client.get("/v1/threads/t/messages")).json()["messages"]
        return messages[-1]["parts"][0]["text"]

    async def statuses(self, name: str) -> list[tuple[str, str]]:
        """The agents and statuses of a server's runs, oldest first."""
        found = (await self._clients[name].get("/v1/runs")).json()["items"]
        return sorted((run["agent_id"], run["status"]) for run in found)

    async def reached(self) -> None:
        """Return when the agent that was told to wait does."""
        async with asyncio.timeout(PATIENCE):
            while not self.gate.with_suffix(".reached").exists():  # noqa: ASYNC110  it happens in another process
                await asyncio.sleep(0.05)


def free_ports(number: int) -> list[int]:
    """Ports nobody has; a server has to come back to its own, so the system cannot choose one each time."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [probe.getsockname()[1] for probe in probes]


@pytest.fixture
async def pair(start: Any, tmp_path: Path) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        pair = Pair(start, stack, tmp_path)
        for name in ("first", "second"):
            await pair.start(name)
        yield pair


async def test_work_goes_from_server_to_server_and_back(pair: Pair):
    await pair.send("ask bob: ask carol: hello")

    assert await pair.answer() == "alice was told: bob was told: carol heard hello"


async def test_a_circle_is_refused_with_clear_words(pair: Pair):
    await pair.send("ask bob: ask alice: hello")

    answer = await pair.answer()

    assert "agent alice handed this work on itself, and it came back: alice -> bob -> alice" in answer
    assert await pair.statuses("first") == [("alice", "completed"), ("alice", "failed"), ("bob", "completed")]


@pytest.mark.parametrize("name", ["first", "second"])
async def test_a_killed_server_finishes_the_conversation_once_it_is_back(pair: Pair, name: str):
    await pair.send("ask bob: ask carol: wait")
    await pair.reached()

    await pair.kill(name)
    await pair.start(name)
    pair.gate.touch()

    assert await pair.answer() == "alice was told: bob was told: carol heard wait"
    done = "completed"
    assert await pair.statuses("first") == [("alice", done), ("bob", done), ("carol", done)]
    assert await pair.statuses("second") == [("bob", done), ("carol", done)]
