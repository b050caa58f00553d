"""A real process of Wakeful that can be killed, paused or stopped at any moment, and started again."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from os import environ
from pathlib import Path
from typing import Protocol

ROOT = Path(__file__).parents[2]
STARTING = 60
"""Seconds a start may take on a busy machine."""
READY = re.compile(r"running on (http://\S+)|carrying runs, up to")
LOST = "the lease is lost"


class Served(Protocol):
    """Somewhere to send a request."""

    async def base(self) -> str:
        """An address, once there is one."""
        ...


class Stillborn(AssertionError):
    """It ended while it started."""


class Mortal:
    """`python` with these arguments, which must end up saying where it listens, or that it carries runs.

    Each start is on a port of its own. `losses`: how often it said that another process took over a run.
    """

    def __init__(self, *arguments: str, environment: Mapping[str, str]) -> None:
        self._arguments = arguments
        inherited = {name: value for name, value in environ.items() if not name.startswith("WAKEFUL_")}
        self._environment = {**inherited, **environment, "PYTHONUNBUFFERED": "1"}
        self._listening = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._base = ""
        self.said: deque[str] = deque(maxlen=200)
        self.losses = 0

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The present process."""
        assert self._process is not None
        return self._process

    @property
    def listening(self) -> bool:
        """Whether it started and was not killed."""
        return self._listening.is_set()

    async def base(self) -> str:
        """Its address, once it listens; a worker's is empty."""
        await self._listening.wait()
        return self._base

    async def start(self) -> str:
        """Start it and return its address; raises `Stillborn`."""
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
        if not self._listening.is_set():
            raise Stillborn("it ended while it started:\n" + "".join(self.said))
        return self._base

    async def kill(self) -> None:
        """Kill it; nobody is sent there any more."""
        self._listening.clear()
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        if self._reader is not None:
            await self._reader

    async def stop(self) -> None:
        """Ask it to end; return when it has."""
        self._listening.clear()
        self.process.terminate()
        await self.process.wait()

    def pause(self) -> None:
        """Let it do nothing; it does not know, and neither do those who send to it."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on where it was."""
        self.process.send_signal(signal.SIGCONT)

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            text = line.decode(errors="replace")
            self.said.append(text)
            self.losses += LOST in text
            if found := READY.search(text):
                self._base = found[1] or ""
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
