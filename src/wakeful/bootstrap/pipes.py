"""Serves one MCP client over two descriptors, until it closes its side or the process is asked to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from wakeful.protocols.mcp.stdio import Connection
from wakeful.runtime.runtime import Runtime
from wakeful.server.auth import DEFAULT_SCOPE, Principal
from wakeful.server.config import ServerConfig
from wakeful.server.metrics import Metrics
from wakeful.server.operations import Operations
from wakeful.server.pipes import Pipes, private_pipes

FLUSH_SECONDS = 2
"""How long the last lines may take to be read."""
HURRY_SECONDS = 15
"""How long the process takes to end after a signal, whatever hangs in it."""


def speak_mcp(load: Callable[[], tuple[Runtime, ServerConfig]]) -> None:
    """Speak MCP over standard input and output for what `load` gives; whatever else prints goes to standard error.

    In the end runs that still go on are handed back to the store, not stopped.
    """
    with private_pipes() as (source, sink):
        _speak(*load(), source=source, sink=sink)


def _speak(runtime: Runtime, config: ServerConfig, *, source: int, sink: int) -> None:
    last_resort = threading.Timer(HURRY_SECONDS, os._exit, args=(0,))
    last_resort.daemon = True

    async def speak() -> None:
        pipes, loop = Pipes(source, sink), asyncio.get_running_loop()

        def hear(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(pipes.end)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, hear)
        async with runtime.lifespan():
            pipes.start()
            operations = Operations(runtime, config, Metrics(runtime))
            await Connection(operations, Principal(DEFAULT_SCOPE), pipes).serve()
            last_resort.start()
            with suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_SECONDS):
                    await pipes.flushed()
            runtime.cut_off()

    asyncio.run(speak())
    last_resort.cancel()
