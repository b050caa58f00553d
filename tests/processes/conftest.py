"""One PostgreSQL for the session, an empty database for each test, and `wakeful` processes on it."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.processes.frames import Events
from tests.processes.served import GATES, STORE
from tests.stores.postgres.conftest import Server, run

TARGET = f"{Path(__file__).with_name('served.py')}:runtime"
PATIENCE = 60
names = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server."""
    folder = Path(tempfile.mkdtemp(prefix="wakeful-processes-"))
    folder.chmod(0o777)
    running = Server(folder)
    running.start()
    try:
        yield running
    finally:
        running.control("stop", "-m", "immediate")
        shutil.rmtree(folder)


@pytest.fixture
async def database(postgres: Server) -> str:
    """The name of an empty database."""
    name = f"test_{next(names)}"
    await run(postgres.url("postgres"), f"create database {name}")
    return name


class Process:
    """One `wakeful serve` and a client of it; `pid` is what its connections are known by."""

    def __init__(self, command: Any, base: str, client: httpx.AsyncClient) -> None:
        self.command = command
        self.base = base
        self.client = client
        self.pid: int = command.process.pid

    async def get(self, path: str) -> Any:
        response = await self.client.get(path)
        assert response.status_code == 200, response.text
        return response.json()

    async def post(self, path: str, body: Any) -> httpx.Response:
        response = await self.client.post(path, json=body)
        assert response.status_code in (200, 201, 202), response.text
        return response

    def events(self, method: str, path: str, **request: Any) -> Events:
        """The events of a stream as they come: `async with server.events(...) as events`."""
        return Events(self.client, method, path, request)


class Fleet:
    """Processes that share a database. `gates` is the folder in which the stepper's words are let go."""

    def __init__(self, launch: Any, stack: AsyncExitStack, url: str, gates: Path) -> None:
        self._launch = launch
        self._stack = stack
        self._gates = gates
        self.url = url

    async def serve(self, *options: str, at: str | None = None, **environment: str) -> Process:
        """Start a server; `at` is another URL of the database."""
        command = await self._start("serve", "--port", "0", *options, at=at, **environment)
        base = await command.base()
        client = httpx.AsyncClient(base_url=base, timeout=PATIENCE, trust_env=False, verify=False, limits=UNLIMITED)
        return Process(command, base, await self._stack.enter_async_context(client))

    async def serve_all(self, number: int, **environment: str) -> list[Process]:
        return list(await asyncio.gather(*(self.serve(**environment) for _ in range(number))))

    async def work(self, *, at: str | None = None, **environment: str) -> Any:
        """Start a worker."""
        command = await self._start("worker", at=at, **environment)
        await command.says("carrying runs")
        return command

    def let_go(self, name: str, number: int) -> None:
        """Let the stepper say this word."""
        (self._gates / f"{name}-{number}").touch()

    def cancelled(self, name: str, command: Any) -> bool:
        """Whether the stepper was cancelled in this process while it waited to say its next word."""
        return (self._gates / f"{name}-cancelled-{command.process.pid}").exists()

    async def sql(self, statement: str, *arguments: object) -> list[Any]:
        return await run(self.url, statement, *arguments)

    async def _start(self, role: str, *options: str, at: str | None, **environment: str) -> Any:
        where = {STORE: at or self.url, GATES: str(self._gates)}
        return await self._launch("-m", "wakeful", role, TARGET, *options, **where, **environment)


UNLIMITED = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=1)
"""A connection at rest is dropped before the server drops it, which it does after 5 s: none is used just then."""
Eventually = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]


@pytest.fixture
async def fleet(postgres: Server, database: str, start: Any, tmp_path: Path) -> AsyncIterator[Fleet]:
    """Starts processes on an empty database: `await fleet.serve()`, `await fleet.work(WAKEFUL_LEASE_SECONDS="2")`."""
    gates = tmp_path / "gates"
    gates.mkdir()
    async with AsyncExitStack() as stack:
        yield Fleet(start, stack, postgres.url(database), gates)


@pytest.fixture
def eventually() -> Eventually:
    """Asks again and again until the answer is yes: `await eventually(asked)`."""

    async def wait(asked: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not await asked():  # noqa: ASYNC110  it happens in another process
                await asyncio.sleep(0.05)

    return wait
