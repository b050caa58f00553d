"""A real server on a free port, and a reader of its event streams, for every test that speaks HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn

from wakeful.bootstrap.demo import demo_agents
from wakeful.contracts.query import RunQuery, ThreadQuery
from wakeful.contracts.store import Store
from wakeful.embed import AgentRuntime, AgentServer
from wakeful.server.config import ServerConfig

pytest.register_assert_rewrite(
    "wakeful.testing.store_cases", "wakeful.testing.store_machine", "wakeful.testing.store_rules"
)

PATIENCE = 10
"""Seconds after which a test that still waits has failed."""
STARTING = 30
"""The same for what needs a process of its own."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of an event stream; a heartbeat has only a `comment`."""

    id: int | None = None
    data: str | None = None
    comment: str | None = None
    retry: int | None = None

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.data or "null")


def read_frame(text: str) -> Frame:
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        name, colon, value = line.partition(":")
        assert colon, f"not a line of an event stream: {line!r}"
        fields[name or "comment"] = value.removeprefix(" ")
    assert fields.keys() <= {"id", "data", "comment", "retry"}, fields
    numbers = {name: int(fields[name]) if name in fields else None for name in ("id", "retry")}
    return Frame(data=fields.get("data"), comment=fields.get("comment"), **numbers)


def read_frames(text: str) -> list[Frame]:
    """The frames of a complete stream."""
    assert text.endswith("\n\n")
    return [read_frame(part) for part in text[:-2].split("\n\n")]


class Live:
    """A server that runs, and a client of it."""

    def __init__(self, agent_server: AgentServer, client: httpx.AsyncClient, port: int) -> None:
        self.agent_server = agent_server
        self.client = client
        self.port = port

    @property
    def runtime(self) -> AgentRuntime:
        return self.agent_server.runtime

    @property
    def store(self) -> Store:
        return self.runtime.inner.store

    async def run(self, text: str, *, thread: str = "thread", run: str | None = None) -> list[dict[str, Any]]:
        """The native events of a run, from its acceptance until it rests."""
        body = {"agent_id": "assistant", "thread_id": thread, "run_id": run, "messages": [{"content": text}]}
        response = await self.client.post("/v1/runs", json=body)
        assert response.status_code == 200, response.text
        return [frame.json for frame in read_frames(response.text) if frame.data]

    @asynccontextmanager
    async def stream(self, method: str, path: str, **request: Any) -> AsyncIterator[AsyncIterator[Frame]]:
        """The frames of a stream as they come."""
        async with self.client.stream(method, path, **request) as response:
            assert response.status_code == 200, await response.aread()
            yield _frames(response)

    async def held(self, scope: str = "default") -> tuple[int, int, int]:
        """How many threads, runs and messages the store holds."""
        threads = await self.store.list_threads(ThreadQuery(scope=scope, limit=200))
        runs = await self.store.list_runs(RunQuery(scope=scope, limit=1))
        messages = [len(await self.store.history(thread.key)) for thread in threads.items]
        return threads.total, runs.total, sum(messages)


async def _frames(response: httpx.Response) -> AsyncIterator[Frame]:
    rest = ""
    async for text in response.aiter_text():
        *parts, rest = (rest + text).split("\n\n")
        for part in parts:
            yield read_frame(part)
    assert not rest, f"the stream ended inside a frame: {rest!r}"


class Uvicorn(uvicorn.Server):
    """Runs as a task beside the test: no signals, no polling."""

    def __init__(self, app: Any) -> None:
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=PATIENCE
        )
        super().__init__(config)
        self.ready = asyncio.Event()
        self.stopping = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        await self.stopping.wait()


@asynccontextmanager
async def listening(app: Any) -> AsyncIterator[int]:
    """Serves an ASGI app on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Uvicorn(app)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        async with asyncio.timeout(PATIENCE):
            ready = asyncio.create_task(server.ready.wait())
            await asyncio.wait([task, ready], return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        try:
            yield listener.getsockname()[1]
        finally:
            server.stopping.set()
            await task


@asynccontextmanager
async def live(agent_server: AgentServer) -> AsyncIterator[Live]:
    """A running server with its client."""
    async with listening(agent_server.app) as port:
        client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE, trust_env=False, verify=False)
        async with client:
            yield Live(agent_server, client, port)
            agent_server.runtime.inner.cut_off()


Serve = Callable[..., Awaitable[Live]]
Serving = Callable[..., AbstractAsyncContextManager[Live]]


@pytest.fixture(scope="session")
def serving() -> Serving:
    """Serves for as long as a block: `async with serving(agents=..., store=..., sse_buffer_size=1) as server`.

    Without `agents` there is the demo agent.
    """

    def block(
        *, agents: Any = None, providers: Any = (), tools: Any = (), store: Any = None, **config: Any
    ) -> AbstractAsyncContextManager[Live]:
        runtime = AgentRuntime(agents=agents or demo_agents(), tools=tools, providers=providers, store=store)
        return live(AgentServer(runtime, ServerConfig(**config)))

    return block


@pytest.fixture
async def serve(serving: Serving) -> AsyncIterator[Serve]:
    """Serves for as long as a test: `await serve(sse_buffer_size=1)`."""
    async with AsyncExitStack() as stack:

        async def start(**parts: Any) -> Live:
            return await stack.enter_async_context(serving(**parts))

        yield start


@pytest.fixture
async def server(serve: Serve) -> Live:
    """The demo agent, served."""
    return await serve()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared(serving: Serving) -> AsyncIterator[Live]:
    """The demo agent, served once for tests that leave nothing behind; they run in the session's loop."""
    async with serving() as running:
        yield running


@pytest.fixture
async def client(server: Live) -> httpx.AsyncClient:
    """A client of `server`."""
    return server.client


@pytest.fixture(scope="session")
def sse() -> Callable[[str], list[Frame]]:
    """Reads the frames of a complete stream."""
    return read_frames


@pytest.fixture(scope="session")
def listen() -> Callable[[Any], Any]:
    """Serves any ASGI app: `async with listen(app) as port`."""
    return listening


class Command:
    """A running Python program; its two outputs are read as one."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said = ""

    async def says(self, pattern: str) -> re.Match[str]:
        """The first match in what it prints from now on."""
        assert self.process.stdout is not None
        async with asyncio.timeout(STARTING):
            while line := (await self.process.stdout.readline()).decode():
                self.said += line
                if found := re.search(pattern, line):
                    return found
        raise AssertionError(f"it never said {pattern!r} but:\n{self.said}")

    async def base(self) -> str:
        """Where it listens."""
        return (await self.says(r"running on (http://\S+)"))[1]

    async def ends(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code after a signal."""
        self.process.send_signal(number)
        return await self.code()

    async def code(self) -> int:
        """Its exit code, once it ends by itself."""
        assert self.process.stdout is not None
        async with asyncio.timeout(STARTING):
            self.said += (await self.process.stdout.read()).decode()
            return await self.process.wait()


Start = Callable[..., Awaitable[Command]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts `python` with these arguments in an empty folder."""
    running: list[Command] = []

    async def launch(*arguments: str, **environment: str) -> Command:
        settings: Any = {name: value for name, value in os.environ.items() if not name.startswith("WAKEFUL_")}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            cwd=tmp_path,
            env={**settings, **environment, "PYTHONUNBUFFERED": "1"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        running.append(Command(process))
        return running[-1]

    yield launch
    for command in running:
        if command.process.returncode is None:
            command.process.kill()
        await command.code()
