"""Readers of streams that cost the reader little: a socket each, and no HTTP client."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

PATIENCE = 60
SPARE_FILES = 200
"""What a test process has open besides its sockets."""


class Watcher:
    """One stream that was asked for."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def first(self) -> None:
        """Return once the first event has come."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._reader.readuntil(b"\ndata: ")
        except asyncio.IncompleteReadError as error:
            raise AssertionError(f"the stream has no event: {error.partial.decode()}") from error

    async def rest(self) -> bytes:
        """Everything after that, once the server has ended the stream."""
        async with asyncio.timeout(PATIENCE):
            return await self._reader.read()


@asynccontextmanager
async def watching(base: str, path: str) -> AsyncGenerator[Watcher]:
    """Ask for a stream on a connection of its own."""
    address = urlsplit(base)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nhost: {address.netloc}\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        yield Watcher(reader)
    finally:
        writer.close()


def allow_sockets(number: int) -> None:
    """Raise this process's limit of open files so that so many sockets fit; skip the test where it may not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = number + SPARE_FILES
    if soft >= needed:
        return
    if hard < needed:
        pytest.skip(f"needs {needed} open files and this machine allows {hard}: raise `ulimit -Hn`")
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
