"""What a stream on which nothing happens takes of memory: `python -m bench.idle --streams 1000`.

One process on a PostgreSQL. First so many readers of one run, then so many runs with a reader each.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing

from bench.client import Connection
from bench.machine import Served, cpu_seconds, memory_bytes, postgres, serving, state_of_machine

AT_ONCE = 16
QUIET_SECONDS = 20
"""Two heartbeats of every stream."""
SPARE_FILES = 200


class Readers:
    """Streams that are open until the stack is closed."""

    def __init__(self, stack: AsyncExitStack, server: Served) -> None:
        self._stack = stack
        self._server = server
        self._room = asyncio.Semaphore(AT_ONCE)

    async def watch(self, run_id: str, many: int) -> None:
        """So many readers of one run."""
        path = f"/v1/runs/{run_id}/events/stream"
        await asyncio.gather(*(self._open("GET", path, None) for _ in range(many)))

    async def start(self, first: int, many: int) -> None:
        """So many runs, each with the reader that asked for it."""
        await asyncio.gather(*(self._open("POST", "/v1/runs", _hold(number)) for number in range(first, first + many)))

    async def _open(self, method: str, path: str, body: object) -> None:
        """Open a stream and wait for its first event."""
        async with self._room:
            connection = await self._stack.enter_async_context(await Connection.open(self._server.port))
            events: AsyncGenerator[bytes] = connection.stream(method, path, body)
            await self._stack.enter_async_context(aclosing(events))
            await anext(events)


def _hold(number: int) -> object:
    run_id = f"r{number}"
    return {"thread_id": run_id, "run_id": run_id, "messages": [{"content": "hold"}]}


async def measure(streams: int) -> None:
    """Print what each kind of stream takes."""
    with postgres() as database:
        await database.sql("postgres", "create database idle")
        async with serving(1, database.url("idle")) as (server,), AsyncExitStack() as stack:
            readers = Readers(stack, server)
            await readers.start(0, 50)
            alone = memory_bytes(server.pid)
            await readers.watch("r0", streams)
            crowd = memory_bytes(server.pid)
            await readers.start(50, streams)
            runs = memory_bytes(server.pid)
            took = cpu_seconds(server.pid)
            await asyncio.sleep(QUIET_SECONDS)
            took = cpu_seconds(server.pid) - took
        reader, run = (crowd - alone) / streams / 1024, (runs - crowd) / streams / 1024
        sys.stdout.write(
            f"{state_of_machine()}\n"
            f"process {alone / 2**20:.0f} MiB; a reader more {reader:.1f} KiB; a run and its reader {run:.1f} KiB; "
            f"{2 * streams} streams with their heartbeats: {100 * took / QUIET_SECONDS:.1f} % of a core\n"
        )


def main() -> None:
    """Read the command line, allow enough open files to this process and its children, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=1000)
    streams = parser.parse_args().streams
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 2 * streams + SPARE_FILES)), hard))
    asyncio.run(measure(streams))


if __name__ == "__main__":
    main()
