"""Readers that are a burden: one that opens a stream and never reads it, and many that come and go."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from tests.chaos.frames import Frame, frames

SMALL_BUFFER = 4096
"""Bytes the kernel may keep for the reader that does not read."""


def resident(pid: int) -> int:
    """Bytes of memory a process has resident (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))


class Stalled:
    """A stream that was asked for and is not read."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def read(self) -> list[bytes]:
        """Read it after all; its lines of data."""
        return [line.strip() async for line in self._reader if line.startswith(b"data: ")]


@asynccontextmanager
async def stalled(base: str, path: str) -> AsyncIterator[Stalled]:
    """Asks for a stream over a socket of its own; reading of it stops after a few kilobytes."""
    address = urlsplit(base)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, (address.hostname, address.port))
    reader, writer = await asyncio.open_connection(sock=connection, limit=SMALL_BUFFER * 8)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nhost: {address.netloc}\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        yield Stalled(reader)
    finally:
        writer.close()


async def come_and_go(http: httpx.AsyncClient, path: str, *, times: int, done: asyncio.Event) -> list[Frame]:
    """Open a stream so many times, or until `done`; from each take one frame, the next of those not seen yet."""
    seen: list[Frame] = []
    for _ in range(times):
        if done.is_set():
            break
        last = str(seen[-1].id) if seen else "0"
        async with http.stream("GET", path, headers={"last-event-id": last}) as response:
            async for frame in frames(response):
                seen.append(frame)
                break
    return seen
