"""Streams that take all there is starve nobody: the server says how it is, and every lease is renewed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from bench.client import Connection
from bench.model import answering
from bench.served import Metronome, agents
from bench.starve import held_in
from bench.wires import NATIVE

from wakeful.embed import AgentRuntime, AgentServer
from wakeful.providers.openai.provider import OpenAIProvider
from wakeful.server.config import ServerConfig
from wakeful.testing.clock import FakeClock

LEASE_MS = 30_000
RENEWALS = 3
"""In the life of a lease."""
PATIENCE = 120
LOOK_SECONDS = 0.05

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(sys.platform == "win32", reason="opens very many connections"),
]


@pytest.fixture
async def model() -> AsyncIterator[int]:
    """The port of the scripted model."""
    server = await answering()
    async with server:
        yield server.sockets[0].getsockname()[1]


async def renewed(file: Path, until: int) -> Mapping[int, int]:
    """All leases, once each is held until then."""
    while True:
        leases = await asyncio.to_thread(held_in, file)
        if all(end >= until for end in leases.values()):
            return leases
        await asyncio.sleep(LOOK_SECONDS)


async def asked(port: int, path: str) -> Any:
    async with await Connection.open(port) as connection:
        answer = await connection.ask("GET", path)
    assert answer.status == 200, answer.newest
    return answer.json()


@pytest.mark.parametrize("floods", [8, pytest.param(64, marks=pytest.mark.chaos)])
async def test_beside_floods_health_is_answered_and_no_lease_is_lost(
    listen: Any, model: int, tmp_path: Path, floods: int
) -> None:
    file, clock = tmp_path / "starved.db", FakeClock()
    provider = OpenAIProvider(base_url=f"http://127.0.0.1:{model}/v1")
    runtime = AgentRuntime(agents=agents(), providers=[provider, Metronome()], store=f"sqlite:///{file}", clock=clock)
    app = AgentServer(runtime, ServerConfig()).app
    async with asyncio.timeout(PATIENCE), listen(app) as port, AsyncExitStack() as stack:
        stack.callback(runtime.inner.cut_off)
        connections = [await stack.enter_async_context(await Connection.open(port)) for _ in range(floods)]
        asking = (connection.begin("POST", NATIVE.path, NATIVE.body(f"r{n}", f"r{n}", "flood"))
                  for n, connection in enumerate(connections))  # fmt: skip
        answers = await asyncio.gather(*asking)

        for _ in range(RENEWALS + 1):
            clock.advance(LEASE_MS // RENEWALS)
            leases = await renewed(file, clock.now() + LEASE_MS)
            assert len(leases) == floods
            assert (await asked(port, "/health"))["status"] == "healthy"

        runs = [await asked(port, f"/v1/runs/r{n}") for n in range(floods)]
        assert {(run["status"], run["attempt"]) for run in runs} == {("running", 1)}
        assert not any(answer.ended for answer in answers)
