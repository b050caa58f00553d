"""Hears what other processes announce, on one connection of its own, for as long as somebody wants to hear."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from wakeful.contracts.signal import Signal
from wakeful.stores.postgres.address import Address
from wakeful.stores.postgres.announcements import CHANNEL, heard
from wakeful.stores.postgres.database import ANSWER_SECONDS, ListeningConnection, open_listening
from wakeful.stores.postgres.failures import DRIVER_ERRORS, readable
from wakeful.stores.postgres.transaction import NOTHING

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0

# A network that swallows everything shows only when somebody asks.
SILENCE_SECONDS = 30.0

log = logging.getLogger("wakeful.store")


class Listener:
    """Listens for process `process`, which is not told what it announced itself."""

    def __init__(self, address: Address, process: str) -> None:
        self._address = address
        self._process = process

    async def listen(self, hear: Callable[[Signal], None]) -> None:
        """Call `hear` with every signal until cancelled; connects again, for ever, when the connection is lost."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                async with self._listening(hear) as (connection, ended):
                    # Whatever was said while nobody listened was missed.
                    hear(Signal(missed=True))
                    pause = FIRST_PAUSE_SECONDS
                    await _until_lost(connection, ended)
                log.warning("the connection that listens was lost, making another")
            except DRIVER_ERRORS as error:
                reason = readable(error, self._address.name)
                log.warning("cannot listen to other processes, trying again: %s", reason)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    @asynccontextmanager
    async def _listening(
        self, hear: Callable[[Signal], None]
    ) -> AsyncGenerator[tuple[ListeningConnection, asyncio.Event]]:
        ended = asyncio.Event()

        def on_notification(_connection: object, _server_process: int, _channel: str, payload: str) -> None:
            if (signal := heard(payload, by=self._process)) is not None:
                hear(signal)

        def on_end(_connection: object) -> None:
            ended.set()

        connection = await open_listening(self._address)
        try:
            connection.add_termination_listener(on_end)
            await connection.add_listener(CHANNEL, on_notification)
            yield connection, ended
        finally:
            connection.terminate()


async def _until_lost(connection: ListeningConnection, ended: asyncio.Event) -> None:
    """Return when the connection has ended; raises the driver's errors when it does not answer."""
    while not ended.is_set():
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                await ended.wait()
        except TimeoutError:
            await connection.execute(NOTHING, timeout=ANSWER_SECONDS)
