"""A client that costs little: one connection, one request at a time, the lines of an event stream as they come."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from typing import Any, Self

END = b"0\r\n"
"""The last chunk of a body."""


class Connection:
    """A connection to a server on this machine; `async with await Connection.open(port) as connection`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
        self._reader = reader
        self._writer = writer
        self._port = port

    @classmethod
    async def open(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port), port)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def stream(self, method: str, path: str, body: Any = None) -> AsyncGenerator[bytes]:
        """The data of each event; read to its end, the connection may be used again."""
        content = b"" if body is None else json.dumps(body).encode()
        self._writer.write(
            f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{self._port}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(content)}\r\n\r\n".encode()
            + content
        )
        status = await self._reader.readline()
        await self._reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in status:
            raise SystemExit(f"{method} {path}: {status.decode().strip()}")
        while (line := await self._reader.readline()) != END:
            if not line:
                raise SystemExit(f"{method} {path}: the server closed the connection")
            if line.startswith(b"data: "):
                yield line[6:]
        await self._reader.readline()


@asynccontextmanager
async def run(connection: Connection, run_id: str, text: str) -> AsyncGenerator[AsyncGenerator[bytes]]:
    """The events of a new run on a thread of its own."""
    request = {"thread_id": run_id, "run_id": run_id, "messages": [{"content": text}]}
    async with aclosing(connection.stream("POST", "/v1/runs", request)) as events:
        yield events
