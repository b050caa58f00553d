"""A pgbouncer in transaction mode, set up as docs/deployment.md says."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.processes.guide import block, replaced

BOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
CONNECTIONS = 3
"""Those to the database that all processes share."""
PATIENCE = 10


@asynccontextmanager
async def pooled(server: Any, database: str) -> AsyncGenerator[str]:
    """The store's URL through a pgbouncer with few connections; the listening one goes past it."""
    folder = _folder()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = folder / "pgbouncer.ini"
    file.write_text(_settings(server, database, port, folder))
    assert BOUNCER is not None
    bouncer = await asyncio.create_subprocess_exec(BOUNCER, "-q", str(file))
    try:
        await listens(port)
        direct = quote(server.url(database), safe="")
        yield f"postgresql://postgres@127.0.0.1:{port}/wakeful?sslmode=disable&pgbouncer=true&listen_url={direct}"
    finally:
        bouncer.kill()
        await bouncer.wait()
        shutil.rmtree(folder)


def _folder() -> Path:
    """Where a user without rights may read and write, which is who runs both servers for root."""
    folder = Path(tempfile.mkdtemp(prefix="wakeful-pgbouncer-"))
    folder.chmod(0o777)
    return folder


def _settings(server: Any, database: str, port: int, folder: Path) -> str:
    """The guide's file with this machine's addresses, and without passwords."""
    here = replaced(
        block("[pgbouncer]"),
        {
            "host=10.0.0.5 port=5432": f"host={server.url(database).partition('host=')[2]} user=postgres",
            "dbname=wakeful": f"dbname={database}",
            "pool_size=20": f"pool_size={CONNECTIONS}",
            "6432": str(port),
            "scram-sha-256": "any",
            "auth_file = /etc/pgbouncer/userlist.txt\n": "",
        },
    )
    files = f"unix_socket_dir =\nlogfile = {folder}/log\npidfile = {folder}/pid\n"
    return here + files + (f"user = {server.system_user}\n" if server.system_user else "")


async def listens(port: int) -> None:
    """Return once somebody accepts connections on this port of the loopback."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
