"""Runs an app with uvicorn; when asked to stop, runs are handed back before the sockets close."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import socket
import threading
from types import FrameType

import uvicorn

from wakeful.bootstrap import garbage
from wakeful.runtime.runtime import Runtime
from wakeful.server.app import App
from wakeful.server.config import ServerConfig

CONNECTION_SECONDS = 5
"""How long requests that still go on when the runs are handed back may take to end."""
HURRY_SECONDS = 2
"""How long a process takes to end after the second signal, whatever hangs in it."""

log = logging.getLogger("wakeful")


class _Server(uvicorn.Server):
    """Goes on answering after the first signal until the runs are handed back; uvicorn itself would stop at once."""

    def __init__(self, config: uvicorn.Config, runtime: Runtime) -> None:
        super().__init__(config)
        self._runtime = runtime
        self._last_resort = threading.Timer(HURRY_SECONDS, _give_up)
        self._last_resort.daemon = True
        self._asked = asyncio.Event()
        self._told = False
        self._hurried = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until asked to exit. What keeps the runtime from starting is raised before anything listens."""
        self._loop = asyncio.get_running_loop()
        await self._runtime.start()
        garbage.let_go()
        async with asyncio.TaskGroup() as tasks:
            ending = tasks.create_task(self._end_when_asked(), name="ending")
            await super().serve(sockets)
            ending.cancel()
        self._last_resort.cancel()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal arrived; this runs outside the loop. The first one asks, the second does not wait.

        Without a call of the overridden method uvicorn does not raise the signal again when it is done: being asked
        to stop is no failure.
        """
        if self._loop is None:
            return
        again, self._told = self._told, True  # first, because the other signal may interrupt this function
        self._loop.call_soon_threadsafe(self._runtime.cut_off if again else self._asked.set)
        if again and not self._hurried:
            self._hurried = True
            self._last_resort.start()

    async def _end_when_asked(self) -> None:
        await self._asked.wait()
        grace = self._runtime.config.shutdown_grace_seconds
        log.info("asked to stop: running steps have %g s; a second signal does not wait for them", grace)
        self._runtime.begin_drain()
        await self._runtime.drained()
        self.should_exit = True


def _give_up() -> None:
    log.warning("something does not stop, so the process ends without it; its runs go on in the next one")
    os._exit(0)


def serve(
    app: App,
    runtime: Runtime,
    config: ServerConfig,
    *,
    shared: socket.socket | None = None,
    log_level: str = "info",
) -> None:
    """Serve on the configured address, or on a socket shared with other processes, until interrupted.

    The first SIGTERM or SIGINT lets running steps go on for the runtime's `shutdown_grace_seconds` while the server
    answers, with 503 on `/health`; then runs are handed back, streams end, and the process ends. The second does not
    wait.
    """
    if shared is None:  # else the parent, which bound the socket, knows who can reach it
        warn_if_exposed(config)
    settings = uvicorn.Config(
        app,
        host=config.host,
        port=config.port,
        log_level=log_level,
        access_log=False,
        timeout_graceful_shutdown=CONNECTION_SECONDS,
        server_header=False,
    )
    _Server(settings, runtime).run(None if shared is None else [shared])


def warn_if_exposed(config: ServerConfig) -> None:
    """Warn loudly when other machines can reach a server that asks nobody for a token."""
    if config.api_tokens or _is_loopback(config.host):
        return
    log.warning(
        "\n!!! %s is reachable from other machines and asks nobody for a token.\n"
        "!!! Everybody who can connect can use every agent and read every thread.\n"
        '!!! Set WAKEFUL_API_TOKENS=\'{"default": "<secret>"}\' or bind to 127.0.0.1.\n',
        config.address,
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
