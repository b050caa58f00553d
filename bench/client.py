"""A client that costs little: one connection, one request at a time, events counted as they come and not kept."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self, cast

EVENT = b"\ndata: "
END = b"\r\n0\r\n\r\n"
"""The last chunk of a body."""
REMEMBERED = 2048
"""Bytes of a body's end that are kept."""
AHEAD = 1 << 20
"""Bytes that may wait for whoever reads the events one by one."""
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Answer:
    """What is known of an answer so far. Times are seconds of the monotonic clock, `first` 0 until the first event."""

    began: float
    status: int = 0
    first: float = 0.0
    ended: float = 0.0
    events: int = 0
    size: int = 0
    newest: bytes = b"\n"
    """The end of a stream, with the sizes of its chunks; a body whose length was said is all there."""

    @property
    def first_ms(self) -> float:
        """Milliseconds from the request to its first event."""
        return 1000 * (self.first - self.began)

    @property
    def whole_ms(self) -> float:
        """Milliseconds from the request to the end of its answer."""
        return 1000 * (self.ended - self.began)

    def json(self) -> Any:
        """The body of an answer that is no stream."""
        return json.loads(self.newest)


class Connection(asyncio.Protocol):
    """A connection to a server on this machine; `async with await Connection.open(port) as connection`.

    Raises `ConnectionError` when the server closes it in the middle of an answer.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._answer: Answer | None = None
        self._head = b""
        self._length: int | None = None
        self._first: asyncio.Future[None] = self._loop.create_future()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._lines: bytearray | None = None
        self._more = asyncio.Event()
        self._lost = False

    @classmethod
    async def open(cls, port: int) -> Self:
        _, connection = await asyncio.get_running_loop().create_connection(lambda: cls(port), "127.0.0.1", port)
        return connection

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.vanish()

    # -- what it is for

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request and wait for the end of its answer."""
        answer = self._send(method, path, body, headers)
        await self._ended
        return answer

    async def begin(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request and wait for its first event; it goes on being read."""
        answer = self._send(method, path, body, headers)
        await self._first
        return answer

    async def rest(self) -> None:
        """Wait for the end of what was begun."""
        await self._ended

    async def stream(self, method: str, path: str, body: Any = None, **headers: str) -> AsyncGenerator[bytes]:
        """The data of each event; read to its end, the connection may be used again."""
        self._lines = bytearray()
        answer = self._send(method, path, body, headers)
        try:
            while not answer.ended or b"\n" in self._lines:
                *lines, rest = self._lines.split(b"\n")
                self._lines[:] = rest
                self._transport.resume_reading()
                for line in lines:
                    if line.startswith(b"data: "):
                        yield bytes(line[6:])
                if not answer.ended and b"\n" not in self._lines:
                    self._more.clear()
                    await self._more.wait()
                    self._check_connected(answer)
        finally:
            self._lines = None
        if answer.status != 200:
            raise SystemExit(f"{method} {path}: {answer.status} {answer.newest.decode()}")

    def stall(self) -> None:
        """Read nothing more."""
        self._transport.pause_reading()

    def go_on(self) -> None:
        """Read again."""
        self._transport.resume_reading()

    def vanish(self) -> None:
        """Close at once, whatever is under way."""
        self._transport.abort()

    # -- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one without saying so

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        if answer is None:
            return
        if answer.status:
            self._take(answer, data)
            return
        self._head += data
        head, found, rest = self._head.partition(b"\r\n\r\n")
        if found:
            answer.status = int(head[9:12])
            length = LENGTH.search(head)
            self._length = 0 if answer.status in {204, 304} else int(length[1]) if length else None
            answer.newest = b"\r\n" if self._length is None else b""
            self._take(answer, rest)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        self._more.set()
        for future in (self._first, self._ended):
            if not future.done():
                future.set_exception(
                    ConnectionResetError("the server closed the connection in the middle of an answer")
                )
                future.exception()  # nobody may be waiting for it any more

    # -- its own

    def _send(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Answer:
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        named = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        self._head, self._length = b"", None
        self._first, self._ended = self._loop.create_future(), self._loop.create_future()
        self._answer = answer = Answer(time.monotonic())
        self._transport.write(
            f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{self._port}\r\ncontent-type: application/json\r\n"
            f"{named}content-length: {len(content)}\r\n\r\n".encode()
            + content
        )
        return answer

    def _take(self, answer: Answer, data: bytes) -> None:
        """A piece of the body: count its events, and look whether it is the last."""
        answer.size += len(data)
        seen = answer.newest[-len(EVENT) + 1 :] + data
        events = seen.count(EVENT)
        if events:
            answer.events += events
            if not answer.first:
                answer.first = time.monotonic()
                self._resolve(self._first)
        answer.newest += data
        if self._length is None and len(answer.newest) > 2 * REMEMBERED:
            answer.newest = answer.newest[-REMEMBERED:]
        if self._lines is not None:
            self._lines += data
            self._more.set()
            if len(self._lines) > AHEAD:
                self._transport.pause_reading()
        if answer.newest.endswith(END) if self._length is None else answer.size >= self._length:
            answer.ended = time.monotonic()
            self._more.set()
            self._resolve(self._first)
            self._resolve(self._ended)

    def _resolve(self, future: asyncio.Future[None]) -> None:
        if not future.done():
            future.set_result(None)

    def _check_connected(self, answer: Answer) -> None:
        if self._lost and not answer.ended:
            raise ConnectionResetError("the server closed the connection in the middle of an answer")


@asynccontextmanager
async def run(connection: Connection, run_id: str, text: str, agent: str) -> AsyncGenerator[AsyncGenerator[bytes]]:
    """The events of a new run on a thread of its own."""
    request = {"agent_id": agent, "thread_id": run_id, "run_id": run_id, "messages": [{"content": text}]}
    async with aclosing(connection.stream("POST", "/v1/runs", request)) as events:
        yield events
