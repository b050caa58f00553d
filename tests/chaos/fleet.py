"""Several servers and workers on one PostgreSQL database: killed, paused, stopped, cut off from it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.chaos.database import Database, database
from tests.chaos.mortal import Mortal, Stillborn
from tests.chaos.storm import TARGET, Plan

LEASE_SECONDS = 2
PAUSE = (1.2 * LEASE_SECONDS, 2.5 * LEASE_SECONDS)
"""Seconds for which a process stands still: others carry its runs by then."""
GONE = (0.0, 2 * LEASE_SECONDS)
"""Seconds until a killed process is started again."""
MOST_HARMED = 3
"""Processes that are harmed at a time."""
STARTS = 20
"""Times that a process is started which does not find the database, one second apart."""
RESTARTS = ("fast", "immediate")


class Fleet:
    """Processes on one database. Who asks is sent to a random server, whether it stands still or not."""

    def __init__(self, servers: Sequence[Mortal], workers: Sequence[Mortal], shared: Database, seed: int) -> None:
        self._servers = servers
        self._all = [*servers, *workers]
        self._whole = list(self._all)
        self._database = shared
        self._routes = random.Random(f"routes {seed}")
        self._room = asyncio.Semaphore(MOST_HARMED)

    async def base(self) -> str:
        """The address of a server, once one listens."""
        listening = [server for server in self._servers if server.listening]
        return await self._routes.choice(listening or self._servers).base()

    async def suffer(self, plan: Plan, note: Callable[[str], None]) -> None:
        """Kill, pause and stop random processes and restart the database, some of it at the same time."""
        rng = random.Random(plan.seed)
        modes = iter(RESTARTS * plan.restarts)
        async with asyncio.TaskGroup() as tasks:
            for harm in _harms(plan, rng):
                await asyncio.sleep(rng.uniform(*plan.life))
                match harm:
                    case "restarts":
                        work = self._database.restart(next(modes))
                    case "kills":
                        work = self._kill(await self._victim(rng), rng.uniform(*GONE))
                    case "stops":
                        work = self._stop(await self._victim(rng))
                    case _:
                        work = self._pause(await self._victim(rng), rng.uniform(*PAUSE))
                note(harm)
                tasks.create_task(work, name=harm)

    @property
    def losses(self) -> int:
        """How often a process said that another one took over a run."""
        return sum(process.losses for process in self._all)

    def last_words(self) -> str:
        """What all said, one after the other."""
        return "".join(line for process in self._all for line in ["---\n", *process.said])

    async def start(self) -> None:
        """Start all at once."""
        async with asyncio.TaskGroup() as tasks:
            for process in self._all:
                tasks.create_task(process.start())

    async def aclose(self) -> None:
        """Kill all."""
        for process in self._all:
            await process.kill()

    async def _victim(self, rng: random.Random) -> Mortal:
        """A process that nobody harms yet."""
        await self._room.acquire()
        return self._whole.pop(rng.randrange(len(self._whole)))

    def _mended(self, process: Mortal) -> None:
        self._whole.append(process)
        self._room.release()

    async def _kill(self, process: Mortal, gone: float) -> None:
        self._check_alive(process)
        await process.kill()
        await asyncio.sleep(gone)
        await self._start_again(process)
        self._mended(process)

    async def _stop(self, process: Mortal) -> None:
        self._check_alive(process)
        await process.stop()
        await self._start_again(process)
        self._mended(process)

    async def _pause(self, process: Mortal, pause: float) -> None:
        self._check_alive(process)
        process.pause()
        await asyncio.sleep(pause)
        process.resume()
        self._mended(process)

    def _check_alive(self, process: Mortal) -> None:
        assert process.process.returncode is None, "it ended by itself:\n" + "".join(process.said)

    async def _start_again(self, process: Mortal) -> None:
        """As a supervisor does: it may come when the database is away."""
        for _ in range(STARTS - 1):
            try:
                await process.start()
            except Stillborn:
                await asyncio.sleep(1)
            else:
                return
        await process.start()


def _harms(plan: Plan, rng: random.Random) -> list[str]:
    """The kinds of harm in their order; restarts are spread evenly."""
    harms = ["kills"] * plan.kills + ["pauses"] * plan.pauses + ["stops"] * plan.stops
    rng.shuffle(harms)
    for number in range(plan.restarts, 0, -1):
        harms.insert(number * len(harms) // (plan.restarts + 1), "restarts")
    return harms


@asynccontextmanager
async def fleet(plan: Plan, folder: Path) -> AsyncIterator[Fleet]:
    """Three servers, one of which carries nothing, and two workers; whatever runs in the end is killed."""
    async with database() as shared:
        environment = {**plan.environment(shared.url, folder), "WAKEFUL_LEASE_SECONDS": str(LEASE_SECONDS)}

        def process(*arguments: str) -> Mortal:
            return Mortal("-m", "wakeful", *arguments, environment=environment)

        serve, work = ("serve", TARGET, "--port", "0"), ("worker", TARGET)
        servers = [process(*serve), process(*serve), process(*serve, "--no-worker")]
        running = Fleet(servers, [process(*work), process(*work)], shared, plan.seed)
        try:
            await running.start()
            yield running
        finally:
            await running.aclose()
