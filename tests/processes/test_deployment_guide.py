"""The configuration files of docs/deployment.md do what it says, in the real nginx, Caddy and systemd."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.processes.bouncer import listens
from tests.processes.frames import Events, text_of
from tests.processes.guide import block, replaced

pytestmark = pytest.mark.network
PATIENCE = 60
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"
NGINX, CADDY, SYSTEMD = (shutil.which(name, path=PATH) for name in ("nginx", "caddy", "systemd-analyze"))
MAIN = """
daemon off;
pid {folder}/pid;
error_log stderr;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/agents.conf;
}}
"""
"""What a distribution's `nginx.conf` has around files of `conf.d`, without its paths."""
MISSING = "is not installed: apt-get install"
GLOBAL = "{\n    admin off\n    auto_https off\n}\n"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that a proxy without rights may read and write."""
    folder = Path(tempfile.mkdtemp(prefix="wakeful-guide-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


async def ran(*command: str | Path) -> str:
    """What a program that has to succeed says."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(PATIENCE):
        said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    return said


@asynccontextmanager
async def running(command: Sequence[str | Path], port: int, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the proxy that this command starts."""
    homes = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **homes}, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await listens(port)
        base = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=base, timeout=PATIENCE, trust_env=False, verify=False) as client:
            yield client
    finally:
        process.terminate()
        await process.wait()


def nginx_file(port: int, server: str) -> str:
    changes = {"listen 80;": f"listen 127.0.0.1:{port};", "127.0.0.1:3000": server}
    return replaced(block("upstream agents {"), changes)


def caddy_file(port: int, server: str) -> str:
    changes = {"agents.example.com": f"http://127.0.0.1:{port}", "127.0.0.1:3000": server}
    return GLOBAL + replaced(block("agents.example.com {"), changes)


@asynccontextmanager
async def nginx(folder: Path, server: str) -> AsyncIterator[httpx.AsyncClient]:
    port, main = free_port(), folder / "nginx.conf"
    (folder / "agents.conf").write_text(nginx_file(port, server))
    main.write_text(MAIN.format(folder=folder))
    assert NGINX is not None
    await ran(NGINX, "-t", "-p", folder, "-c", main)
    async with running([NGINX, "-p", folder, "-c", main], port, folder) as client:
        yield client


@asynccontextmanager
async def caddy(folder: Path, server: str) -> AsyncIterator[httpx.AsyncClient]:
    port, file = free_port(), folder / "Caddyfile"
    file.write_text(caddy_file(port, server))
    assert CADDY is not None
    how = ("--config", file, "--adapter", "caddyfile")
    await ran(CADDY, "validate", *how)
    async with running([CADDY, "run", *how], port, folder) as client:
        yield client


PROXIES = pytest.mark.parametrize(
    "proxy",
    [
        pytest.param(nginx, marks=pytest.mark.skipif(NGINX is None, reason=f"nginx {MISSING} nginx")),
        pytest.param(caddy, marks=pytest.mark.skipif(CADDY is None, reason=f"Caddy {MISSING} caddy")),
    ],
)
Eventually = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]


@PROXIES
async def test_a_proxy_passes_every_word_on_and_lets_go_of_who_left(
    fleet: Any, eventually: Eventually, folder: Path, proxy: Any
) -> None:
    server = await fleet.serve()
    body = {"agent_id": "stepper", "thread_id": "t", "run_id": "r", "messages": [{"content": "step to 3 as red"}]}

    async def unwatched() -> bool:
        metrics = (await server.client.get("/metrics")).text
        found = re.search(r"^wakeful_sse_connections(?:\{.*\})? (\d+)", metrics, re.MULTILINE)
        assert found, metrics
        return int(float(found[1])) == 0

    async with proxy(folder, server.base.removeprefix("http://")) as client:
        async with Events(client, "POST", "/v1/runs", {"json": body}) as events:
            for number in (1, 2):
                fleet.let_go("red", number)
                await events.until(lambda seen, number=number: f"{number} " in text_of(seen))
            assert not await unwatched()
        await eventually(unwatched)
        fleet.let_go("red", 3)
        async with Events(client, "GET", "/v1/runs/r/events/stream", {}) as again:
            assert text_of(await again.rest()) == "1 2 3 "
        large = await client.post("/v1/threads", json={"id": "large", "title": "x" * 2_000_000})

    assert large.status_code == 201, large.text[:200]


@pytest.mark.skipif(SYSTEMD is None, reason=f"systemd-analyze {MISSING} systemd")
async def test_systemd_understands_the_unit(folder: Path) -> None:
    unit = folder / "wakeful.service"
    unit.write_text(replaced(block("[Service]"), {"/srv/agents/.venv/bin/wakeful": sys.executable}))

    assert SYSTEMD is not None
    said = await ran(SYSTEMD, "verify", unit)

    assert "wakeful.service" not in said, said


async def test_what_the_container_starts_is_a_server(start: Any, tmp_path: Path) -> None:
    (tmp_path / "agents.py").write_text("from wakeful.bootstrap.demo import demo_agents\n\nagents = demo_agents()\n")
    line = next(line for line in block("EXPOSE 3000").splitlines() if line.startswith("CMD "))
    program, *arguments = json.loads(line.removeprefix("CMD "))

    command = await start("-m", program, *arguments, "--host", "127.0.0.1", "--port", "0")

    assert program == "wakeful"
    assert arguments[-2:] == ["--host", "0.0.0.0"]
    await command.base()
