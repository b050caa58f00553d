"""A network in front of PostgreSQL's socket that a test can cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Wire:
    """Bridges TCP connections to a socket file. While it is cut nothing passes, and nobody is told."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._open = asyncio.Event()
        self._open.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    def cut(self) -> None:
        """Swallow everything from now on, as a broken switch does."""
        self._open.clear()

    def mend(self) -> None:
        """Let what is still there, and everything new, pass."""
        self._open.set()

    def accept(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Carry one connection until either side ends it."""
        task = asyncio.create_task(self._bridge(client, back))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """End all connections."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _bridge(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        ends = [back]
        try:
            await self._open.wait()
            server, forth = await asyncio.open_unix_connection(self._path)
            ends.append(forth)
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._carry(client, forth))
                ways.create_task(self._carry(server, back))
        finally:
            for end in ends:
                end.transport.abort()
                with suppress(ConnectionError):
                    await end.wait_closed()

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65_536):
                await self._open.wait()
                target.write(data)
                await target.drain()
        target.close()


@asynccontextmanager
async def wire(path: str) -> AsyncIterator[Wire]:
    """A wire to a socket file on a free port of the loopback."""
    bridge = Wire(path)
    async with await asyncio.start_server(bridge.accept, "127.0.0.1", 0) as listener:
        bridge.port = listener.sockets[0].getsockname()[1]
        try:
            yield bridge
        finally:
            await bridge.aclose()
