"""The command line as a process of its own."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 30


class Command:
    """A running `python -m wakeful …`; its two outputs are read as one."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said = ""

    async def says(self, pattern: str) -> re.Match[str]:
        """The first match in what it prints from now on."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while line := (await self.process.stdout.readline()).decode():
                self.said += line
                if found := re.search(pattern, line):
                    return found
        raise AssertionError(f"it never said {pattern!r} but:\n{self.said}")

    async def base(self) -> str:
        """Where it listens."""
        return (await self.says(r"running on (http://\S+)"))[1]

    async def ends(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code after a signal."""
        self.process.send_signal(number)
        return await self.code()

    async def code(self) -> int:
        """Its exit code, once it ends by itself."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            self.said += (await self.process.stdout.read()).decode()
            return await self.process.wait()


Start = Callable[..., Awaitable[Command]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts `python -m wakeful` with these arguments in an empty folder."""
    running: list[Command] = []

    async def launch(*arguments: str, **environment: str) -> Command:
        settings: Any = {name: value for name, value in os.environ.items() if not name.startswith("WAKEFUL_")}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "wakeful",
            *arguments,
            cwd=tmp_path,
            env={**settings, **environment, "PYTHONUNBUFFERED": "1"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        running.append(Command(process))
        return running[-1]

    yield launch
    for command in running:
        if command.process.returncode is None:
            command.process.kill()
        await command.code()
