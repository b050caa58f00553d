"""Runs an app with uvicorn, handing runs back before the sockets close."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import signal
import socket
from types import FrameType

import uvicorn

from wakeful.runtime.runtime import Runtime
from wakeful.server.app import App
from wakeful.server.config import ServerConfig

GRACE_SECONDS = 30
log = logging.getLogger("wakeful")


class _Server(uvicorn.Server):
    """Ends event streams when asked to exit; uvicorn itself would wait for them."""

    def __init__(self, config: uvicorn.Config, runtime: Runtime) -> None:
        super().__init__(config)
        self._runtime = runtime
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until asked to exit."""
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal arrived; this runs outside the loop. A second Ctrl-C does not wait.

        Without a call of the overridden method uvicorn does not raise the signal again when it is done: being asked
        to stop is no failure.
        """
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._runtime.drain)
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def serve(app: App, runtime: Runtime, config: ServerConfig, *, log_level: str = "info") -> None:
    """Serve on the configured address until interrupted."""
    warn_if_exposed(config)
    settings = uvicorn.Config(
        app,
        host=config.host,
        port=config.port,
        log_level=log_level,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
    )
    _Server(settings, runtime).run()


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
