"""A PostgreSQL server of the storm's own, which can be restarted under its clients."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.stores.postgres.conftest import Server, run

NAME = "chaos"
POOL_SIZE = 6
"""Connections of each process, so that those of the killed fit beside them for a moment."""


class Database:
    """An empty database on a server of its own."""

    def __init__(self, server: Server) -> None:
        self._server = server

    @property
    def url(self) -> str:
        """The store's URL."""
        return self._server.url(NAME, pool_size=str(POOL_SIZE))

    async def restart(self, mode: str) -> None:
        """Stop the server (`fast`: cutting all connections; `immediate`: as if it had crashed) and start it."""
        arguments = ("restart", "-m", mode, "-l", str(self._server.folder / "log"))
        await asyncio.to_thread(self._server.control, *arguments)


@asynccontextmanager
async def database() -> AsyncIterator[Database]:
    """A database for one storm."""
    server = await asyncio.to_thread(_started)
    try:
        await run(server.url("postgres"), f"create database {NAME}")
        yield Database(server)
    finally:
        await asyncio.to_thread(server.control, "stop", "-m", "immediate")
        shutil.rmtree(server.folder)


def _started() -> Server:
    folder = Path(tempfile.mkdtemp(prefix="wakeful-chaos-"))
    folder.chmod(0o777)
    server = Server(folder)
    server.start()
    return server
