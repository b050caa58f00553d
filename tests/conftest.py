"""A real server on a free port, and a reader of its event streams, for every test that speaks HTTP."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn

from wakeful.bootstrap.demo import demo_agents
from wakeful.contracts.store import RunQuery, Store, ThreadQuery
from wakeful.embed import AgentRuntime, AgentServer
from wakeful.server.config import ServerConfig

PATIENCE = 10
"""Seconds after which a test that still waits has failed."""


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
            agent_server.runtime.inner.drain()


Serve = Callable[..., Awaitable[Live]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts servers: `await serve(agents=..., store=..., sse_buffer_size=1)`; the demo agent without `agents`."""
    async with AsyncExitStack() as stack:

        async def start(
            *, agents: Any = None, providers: Any = (), tools: Any = (), store: Any = None, **config: Any
        ) -> Live:
            runtime = AgentRuntime(agents=agents or demo_agents(), tools=tools, providers=providers, store=store)
            return await stack.enter_async_context(live(AgentServer(runtime, ServerConfig(**config))))

        yield start


@pytest.fixture
async def server(serve: Serve) -> Live:
    """The demo agent, served."""
    return await serve()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared() -> AsyncIterator[Live]:
    """The demo agent, served once for tests that leave nothing behind; they run in the session's loop."""
    async with live(AgentServer(AgentRuntime(agents=demo_agents()), ServerConfig())) as running:
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
