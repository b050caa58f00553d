"""One server on SQLite, killed and started again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.chaos.mortal import Mortal, serving
from tests.chaos.storm import TARGET, Plan


class Alone:
    """A server that has its store for itself."""

    def __init__(self, server: Mortal) -> None:
        self._server = server

    async def base(self) -> str:
        """Its address, once it listens."""
        return await self._server.base()

    async def suffer(self, plan: Plan, note: Callable[[str], None]) -> None:
        """Kill it again and again; it is started at once."""
        rng = random.Random(plan.seed)
        for _ in range(plan.kills):
            await asyncio.sleep(rng.uniform(*plan.life))
            note("kills")
            await self._server.kill()
            await self._server.start()

    def last_words(self) -> str:
        """What it said."""
        return "".join(self._server.said)


@asynccontextmanager
async def alone(plan: Plan, folder: Path) -> AsyncIterator[Alone]:
    """One server on a SQLite file in the folder."""
    async with serving(TARGET, **plan.environment(f"sqlite:///{folder / 'chaos.db'}", folder)) as server:
        yield Alone(server)
