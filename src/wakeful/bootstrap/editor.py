"""Runs an ACP agent for the editor that started this process, until the editor closes its side or goes away."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from types import FrameType

from wakeful.bootstrap.editor_servers import EditorServers
from wakeful.bootstrap.redaction import RedactingFormatter, Redaction
from wakeful.protocols.acp.client import Client
from wakeful.protocols.acp.connection import Connection
from wakeful.protocols.acp.methods import Methods
from wakeful.protocols.acp.servers import NoServers, Opener, Servers
from wakeful.runtime.runtime import Runtime
from wakeful.server.auth import Principal
from wakeful.server.config import ServerConfig
from wakeful.server.metrics import Metrics
from wakeful.server.operations import Operations
from wakeful.server.pipes import Pipes, private_pipes

FLUSH_SECONDS = 2
"""How long the last lines may take to be read."""
HURRY_SECONDS = 10
"""How long the process takes to end when the editor is gone, whatever hangs in it; an MCP server is killed before."""


def serve_editor(load: Callable[[], tuple[Runtime, ServerConfig]], *, scope: str, context_size: int) -> None:
    """Speak ACP over standard input and output, which what `load` loads can neither read nor write.

    In the end runs that still go on are handed back, not stopped.
    """
    with private_pipes() as (source, sink):
        runtime, config = load()
        _serve(runtime, config, source, sink, scope=scope, context_size=context_size)


def _serve(runtime: Runtime, config: ServerConfig, source: int, sink: int, *, scope: str, context_size: int) -> None:
    last_resort = threading.Timer(HURRY_SECONDS, os._exit, args=(0,))
    last_resort.daemon = True
    operations = Operations(runtime, config, Metrics(runtime))
    servers = Servers(operations, _opener(runtime))

    def methods(client: Client) -> Methods:
        return Methods(
            operations,
            client,
            principal=Principal(scope),
            agents=list(runtime.catalog.agents.values()),
            servers=servers,
            context_size=context_size,
        )

    async def serve() -> None:
        pipes, loop = Pipes(source, sink), asyncio.get_running_loop()

        def end() -> None:
            pipes.end()
            if not last_resort.is_alive():
                last_resort.start()

        def hear(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(end)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, hear)
        async with runtime.lifespan():
            pipes.start()
            async with servers.running():
                await Connection(pipes, methods).run()
                end()
                with suppress(TimeoutError):
                    async with asyncio.timeout(FLUSH_SECONDS):
                        await pipes.flushed()
                runtime.cut_off()  # who is gone does not wait for an answer

    asyncio.run(serve())
    last_resort.cancel()


def _opener(runtime: Runtime) -> Opener:
    """What connects the editor's MCP servers: it may start what it names, being the user's own program."""
    if runtime.config.worker_capacity == 0:
        return NoServers("other processes carry this agent's runs, and have no way to the editor's servers")
    if find_spec("mcp") is None:
        return NoServers('the agent needs the MCP SDK for it: pip install "wakeful[mcp]"')
    redaction = Redaction()
    for handler in logging.getLogger().handlers:
        handler.setFormatter(RedactingFormatter(redaction, handler.formatter or logging.Formatter()))
    return EditorServers(runtime.clock, redaction)
