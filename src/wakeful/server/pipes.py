"""Lines over the pipes of a process that another program started: standard input and output, apart from what prints."""

from __future__ import annotations

import asyncio
import os
import queue
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

from wakeful.contracts.errors import BadRequest

LONGEST_LINE = 48 * 1024 * 1024
"""Bytes of the longest message: four files of eight megabytes together, as base64, and some words."""
CHUNK = 64 * 1024
AHEAD = 16
"""How many chunks are read before somebody wants them."""
MOST_UNSENT = 256 * 1024
"""Bytes that may wait for the client to read; whoever wants to send more waits too."""


@contextmanager
def private_pipes() -> Generator[tuple[int, int]]:
    """Descriptors of the process's input and output, which nobody else has any more.

    Meanwhile what prints, prints to standard error, and who reads standard input is at its end: tools, and the
    programs they start, cannot come between the protocol's lines.
    """
    source, sink = os.dup(0), os.dup(1)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(source, os.O_BINARY)
        msvcrt.setmode(sink, os.O_BINARY)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    try:
        yield source, sink
    finally:
        os.dup2(sink, 1)
        os.dup2(source, 0)


class Lines(Protocol):
    """A pipe in both directions. Lines come and go without their ends."""

    async def read(self) -> bytes | None:
        """The next line, None at the end. Raises `BadRequest` for one that is too long, of which nothing is kept."""
        ...

    async def write(self, line: bytes) -> None:
        """Hand over a line; waits while the other side does not read. Raises `OSError` when nobody is there."""
        ...


class Pipes:
    """Lines over two descriptors. Two threads do what blocks; a process may end while they do.

    Use it in one event loop, between `start` and the end of the process.
    """

    def __init__(self, source: int, sink: int) -> None:
        self._source = source
        self._sink = sink
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue(AHEAD)
        self._rest = b""
        self._ended = False
        self._unsent = bytearray()
        self._room = asyncio.Event()
        self._wanted: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._writing = False
        self._broken: OSError | None = None
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        """Begin to read and write."""
        for work in (self._feed, self._drain):
            threading.Thread(target=work, name=f"pipes {work.__name__}", daemon=True).start()
        self._room.set()

    def end(self) -> None:
        """Read no more: as if the client had closed its side. Call it in the loop."""
        self._ended = True
        while not self._chunks.empty():
            self._chunks.get_nowait()
        self._chunks.put_nowait(b"")

    async def read(self) -> bytes | None:
        """The next line; raises `BadRequest` for one of more than 48 MiB."""
        pieces: list[bytes] = []
        size = 0
        while True:
            line, newline, rest = self._rest.partition(b"\n")
            self._rest = rest if newline else b""
            size += len(line)
            if size <= LONGEST_LINE:
                pieces.append(line)
            if newline and size > LONGEST_LINE:
                raise BadRequest(f"a message has at most {LONGEST_LINE} bytes, found {size}")
            if newline:
                return b"".join(pieces)
            if self._ended or not (chunk := await self._chunks.get()):
                self._ended = True
                return b"".join(pieces) or None
            self._rest = chunk

    async def write(self, line: bytes) -> None:
        """Hand over a line, in the order of the calls; waits while more than 256 KiB are unsent."""
        if self._broken is not None:
            raise self._broken
        self._unsent += line
        self._unsent += b"\n"
        self._send()
        if len(self._unsent) > MOST_UNSENT:
            self._room.clear()
        await self._room.wait()
        if self._broken is not None:
            raise self._broken

    async def flushed(self) -> None:
        """Return when everything is sent."""
        while (self._writing or self._unsent) and self._broken is None:
            self._room.clear()
            await self._room.wait()

    def _send(self) -> None:
        """Give the writing thread what waits, unless it is busy; runs in the loop."""
        if self._unsent and not self._writing:
            self._writing = True
            data, self._unsent = bytes(self._unsent), bytearray()
            self._wanted.put(data)

    def _sent(self, error: OSError | None) -> None:
        self._writing = False
        self._broken = error
        if error is not None:
            self._unsent.clear()
            self.end()
        self._send()
        if len(self._unsent) <= MOST_UNSENT:
            self._room.set()

    def _feed(self) -> None:
        """The reading thread."""
        while True:
            try:
                chunk = os.read(self._source, CHUNK)
            except OSError:
                chunk = b""
            put = asyncio.run_coroutine_threadsafe(self._chunks.put(chunk), self._loop)
            try:
                put.result()
            except Exception:
                return
            if not chunk:
                return

    def _drain(self) -> None:
        """The writing thread."""
        while True:
            data, error = memoryview(self._wanted.get()), None
            try:
                while data:
                    data = data[os.write(self._sink, data) :]
            except OSError as broken:
                error = broken
            try:
                self._loop.call_soon_threadsafe(self._sent, error)
            except RuntimeError:  # the loop is over
                return
