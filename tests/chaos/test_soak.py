"""After traffic of every kind nothing is left over: no file handle, no task, no channel, no reader."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from bench.mix import KINDS, Mix, at_rest
from bench.model import answering
from bench.served import Metronome, agents

from wakeful.providers.openai.provider import OpenAIProvider
from wakeful.runtime.channel import Channel, Waiter
from wakeful.runtime.recorder import Recorder

ROUNDS = 3
PATIENCE = 60
LOOK_SECONDS = 0.05
KEPT = (Channel, Waiter, Recorder)
"""What a run or a reader of it needs while it goes on."""

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


@pytest.fixture
async def model() -> AsyncIterator[int]:
    """The port of the scripted model."""
    server = await answering()
    async with server:
        yield server.sockets[0].getsockname()[1]


def open_handles(besides: int) -> int:
    """File handles of this process, without connections to this port: the provider keeps those for later."""
    return sum(not _is_to(handle, besides) for handle in Path("/proc/self/fd").iterdir())


def _is_to(handle: Path, port: int) -> bool:
    with suppress(OSError):
        if handle.readlink().name.startswith("socket:"):
            with socket.socket(fileno=os.dup(int(handle.name))) as copy:
                return copy.family == socket.AF_INET and port in (copy.getsockname()[1], copy.getpeername()[1])
    return False


def held(model: int) -> dict[str, int]:
    """How many there are of everything that a run or a request needs for a time."""
    gc.collect()
    kinds = [type(one) for one in gc.get_objects() if isinstance(one, KEPT)]
    counted = {kind.__name__: kinds.count(kind) for kind in KEPT}
    return counted | {"handles": open_handles(model), "tasks": len(asyncio.all_tasks())}


async def at_most(before: dict[str, int], model: int) -> dict[str, int]:
    """What is held once it is no more than before, or, where that never comes, at the end of all patience."""
    now = held(model)
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while any(now[name] > before[name] for name in before):
                await asyncio.sleep(LOOK_SECONDS)
                now = held(model)
    return now


async def test_traffic_of_every_kind_leaves_nothing_behind(serve: Any, model: int, tmp_path: Path) -> None:
    provider = OpenAIProvider(base_url=f"http://127.0.0.1:{model}/v1")
    server = await serve(agents=agents(), providers=[provider, Metronome()], store=f"sqlite:///{tmp_path / 'soak.db'}")
    mix = Mix(server.port)
    await mix.round()
    await at_rest(server.port)
    before = held(model)

    for _ in range(ROUNDS):
        await mix.round()
    gauges = await at_rest(server.port)

    after = await at_most(before, model)
    assert {name: after[name] - before[name] for name in before if after[name] > before[name]} == {}
    assert gauges["wakeful_sse_connections"] == gauges["wakeful_active_runs"] == 0
    assert set(mix.visits) == set(KINDS)
