"""A way to PostgreSQL that breaks at a commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Literal

Arrive = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
Fate = Literal["committed", "undone", "late", "away"]
COMMIT = b"commit\x00"
ASKED = b"pg_xact_status"


class Road:
    """The way to the server. It breaks at the next commit once it is told what is to become of that one.

    `committed`: it arrives, its answer does not. `undone`: it does not arrive. `late`: the server notices the break
    only when it is asked about the transaction. `away`: the commit arrives, and then nobody gets through any more.
    """

    def __init__(self, arrive: Arrive) -> None:
        self._arrive = arrive
        self._fate: Fate | None = None
        self._away = False
        self._late: list[asyncio.StreamWriter] = []
        self.questions = 0
        self.port = 0

    def break_at_commit(self, fate: Fate) -> None:
        self._fate = fate

    async def carry(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        if self._away:
            back.close()
            return
        server, forth = await self._arrive()
        answers = asyncio.create_task(self._answer(server, back))
        with suppress(ConnectionError):
            while (said := await client.read(65_536)) and await self._forward(said, forth, answers):
                pass
        answers.cancel()
        back.close()
        if forth not in self._late:
            forth.close()

    async def _forward(self, said: bytes, forth: asyncio.StreamWriter, answers: asyncio.Task[None]) -> bool:
        """Whether the connection goes on."""
        if ASKED in said:
            self.questions += 1
            for late in self._late:
                late.close()
        if self._fate is None or COMMIT not in said:
            forth.write(said)
            await forth.drain()
            return True
        fate, self._fate = self._fate, None
        self._away = fate == "away"
        if fate == "late":
            self._late.append(forth)
        if fate in {"committed", "away"}:
            answers.cancel()
            forth.write(said)
            await forth.drain()
        return False

    @staticmethod
    async def _answer(server: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while said := await server.read(65_536):
                back.write(said)
                await back.drain()
        back.close()


@asynccontextmanager
async def paved(arrive: Arrive) -> AsyncIterator[Road]:
    """A road from a free port of the loopback to where `arrive` connects."""
    road = Road(arrive)
    async with await asyncio.start_server(road.carry, "127.0.0.1", 0) as listener:
        road.port = listener.sockets[0].getsockname()[1]
        yield road
