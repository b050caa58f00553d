"""A real server in a process of its own that can be killed at any moment and started again."""

from __future__ import annotations

import asyncio
import re
import sys
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from os import environ
from pathlib import Path

ROOT = Path(__file__).parents[2]
STARTING = 60
"""Seconds a start may take on a busy machine."""


class Mortal:
    """`python` with these arguments, which must end up saying where it listens. Each start is on a port of its own."""

    def __init__(self, *arguments: str, environment: Mapping[str, str]) -> None:
        self._arguments = arguments
        inherited = {name: value for name, value in environ.items() if not name.startswith("WAKEFUL_")}
        self._environment = {**inherited, **environment, "PYTHONUNBUFFERED": "1"}
        self._listening = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._base = ""
        self.said: deque[str] = deque(maxlen=200)

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The present process."""
        assert self._process is not None
        return self._process

    async def base(self) -> str:
        """Its address, once it listens."""
        await self._listening.wait()
        return self._base

    async def start(self) -> str:
        """Start it and return its address."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self._arguments,
            cwd=ROOT,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self._reader = asyncio.create_task(self._listen(self._process), name="output of the server")
        async with asyncio.timeout(STARTING):
            started = asyncio.create_task(self._listening.wait())
            await asyncio.wait([started, self._reader], return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        assert self._listening.is_set(), "the server ended while it started:\n" + "".join(self.said)
        return self._base

    async def kill(self) -> None:
        """Kill it; nobody is sent there any more."""
        self._listening.clear()
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        if self._reader is not None:
            await self._reader

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            text = line.decode(errors="replace")
            self.said.append(text)
            if found := re.search(r"running on (http://\S+)", text):
                self._base = found[1]
                self._listening.set()
        await process.wait()


@asynccontextmanager
async def serving(target: str, **environment: str) -> AsyncIterator[Mortal]:
    """`wakeful serve` of a target; whatever runs in the end is killed."""
    server = Mortal("-m", "wakeful", "serve", target, "--port", "0", environment=environment)
    try:
        await server.start()
        yield server
    finally:
        await server.kill()
