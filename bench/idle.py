"""The case `idle`: what open streams take on which nothing happens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack

from bench.client import Connection
from bench.lab import Lab, laboratory
from bench.machine import allow_open_files, memory_bytes
from bench.measured import Measured
from bench.plan import Ids, Plan
from bench.wires import Wire

AT_ONCE = 16
WARM = 50
FILES_PER_STREAM = 2
"""In the server: the reader's connection and the model's."""


class Streams:
    """Streams that stay open until the stack is closed."""

    def __init__(self, stack: AsyncExitStack, lab: Lab, wire: Wire) -> None:
        self._stack = stack
        self._lab = lab
        self._wire = wire
        self._room = asyncio.Semaphore(AT_ONCE)
        self._ids = Ids.fresh()

    async def watch(self, run: str, many: int) -> None:
        """So many readers of one run."""
        await self._all(lambda: self._open("GET", self._wire.again(run, run)) for _ in range(many))

    async def start(self, many: int) -> list[str]:
        """So many runs whose model says nothing, each with the reader that asked for it; their ids."""
        runs = [self._ids.next() for _ in range(many)]
        await self._all(lambda run=run: self._hang(run) for run in runs)
        return runs

    async def _all(self, opening: Iterable[Callable[[], Coroutine[None, None, None]]]) -> None:
        async with asyncio.TaskGroup() as tasks:
            for one in opening:
                await self._room.acquire()
                tasks.create_task(one()).add_done_callback(lambda _: self._room.release())

    async def _hang(self, run: str) -> None:
        await self._open("POST", self._wire.path, self._wire.body(run, run, "hang"))

    async def _open(self, method: str, path: str, body: object = None) -> None:
        connection = await self._stack.enter_async_context(await Connection.open(self._lab.port))
        await connection.begin(method, path, body)


async def idle(plan: Plan) -> Sequence[Measured]:
    """Memory of a stream, CPU of opening one, and CPU of a second in which nothing happens."""
    streams = min(plan.streams, allow_open_files(FILES_PER_STREAM * (2 * plan.streams + WARM)) // FILES_PER_STREAM)
    async with laboratory(plan.store) as lab, AsyncExitStack() as stack:
        opened = Streams(stack, lab, plan.wire)
        first, *_ = await opened.start(WARM)
        readers = await opening(
            lab, f"{streams} readers of one run, {plan.wire.name}", streams, opened.watch(first, streams)
        )
        runs = await opening(lab, f"{streams} runs with a reader, {plan.wire.name}", streams, opened.start(streams))
        return [readers, runs, await quiet(lab, 2 * streams + WARM, plan.quiet)]


async def opening(lab: Lab, what: str, streams: int, opened: Awaitable[object]) -> Measured:
    """What so many streams more take."""
    before, clock = memory_bytes(lab.server.pid), lab.spent()
    await opened
    spent, after = clock.spent(), memory_bytes(lab.server.pid)
    memory = None if before is None or after is None else after - before
    return Measured(case="idle", what=what, unit="stream", units=streams, spent=spent, memory=memory)


async def quiet(lab: Lab, streams: int, seconds: float) -> Measured:
    """What so many open streams take while nothing happens but their heartbeats."""
    clock = lab.spent()
    await asyncio.sleep(seconds)
    spent = clock.spent()
    units = round(streams * spent.seconds)
    what = f"{streams} streams in which nothing happens"
    return Measured(case="idle", what=what, unit="stream second", units=units, spent=spent, rated=False)
