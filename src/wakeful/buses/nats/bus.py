"""The bus over NATS: plain subjects, one for each run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress

import msgspec

from wakeful.buses.nats.address import Address
from wakeful.buses.nats.connection import FAILURES, Connection, connected
from wakeful.buses.nats.interest import Interest
from wakeful.buses.nats.outbox import Outbox
from wakeful.buses.nats.wire import decode, encode
from wakeful.contracts.bus import Batch, BusStatus
from wakeful.contracts.clock import Clock

SILENCE_SECONDS = 5
"""After so long without anything to send the server is asked whether it is there."""
PAUSE_MS = 1_000
"""Between two attempts to connect."""

log = logging.getLogger("wakeful.bus")


class NatsBus:
    """Keeps the `Bus` promise. `install` names the installation: what is published in one is unknown in another."""

    def __init__(self, address: Address, install: str, clock: Clock) -> None:
        self._address = address
        self._install = install
        self._clock = clock
        self._servers = ",".join(address.servers)
        self._followed: set[int] = set()
        self._interest = Interest(clock)
        self._outbox = Outbox()
        self._connected = False
        self._sent = 0
        self._heard = 0

    @property
    def status(self) -> BusStatus:
        """Connected, or degraded until it is again."""
        return BusStatus("connected" if self._connected else "degraded", self._sent, self._heard)

    def publish(self, batch: Batch) -> None:
        """Keep the batch for the loop that sends; dropped while there is no connection, no listener or no room."""
        if self._connected and self._interest.wanted(batch.run_key):
            self._sent += self._outbox.put_batch(batch.run_key, encode(batch))

    def follow(self, run_key: int) -> None:
        """Subscribe, now or with the next connection."""
        self._followed.add(run_key)
        if self._connected:
            self._outbox.put_run(run_key)

    def leave(self, run_key: int) -> None:
        """Unsubscribe."""
        if run_key in self._followed:
            self._followed.discard(run_key)
            if self._connected:
                self._outbox.put_run(run_key)

    async def listen(self, hear: Callable[[Batch], None], lost: Callable[[], None]) -> None:
        """Stay connected until cancelled. Each change is logged once."""
        told = False
        while True:
            reason = "it ended the connection"
            try:
                async with self._connection(hear) as connection:
                    log.info("connected to the bus at %s", self._servers)
                    told = False
                    await self._serve(connection)
            except FAILURES as error:
                reason = str(error) or type(error).__name__
            finally:
                self._connected = False
                self._outbox.clear()
            if not told:
                log.warning("the bus at %s is away, live streams are read from the log: %s", self._servers, reason)
                told = True
                lost()
            await self._clock.sleep(PAUSE_MS)

    async def _serve(self, connection: Connection) -> None:
        """Send what waits, again and again, until the connection ends or the server does not answer."""
        self._connected = True
        for run_key in self._followed:
            self._outbox.put_run(run_key)
        while not connection.ended:
            with suppress(TimeoutError):
                async with asyncio.timeout(SILENCE_SECONDS):
                    await self._outbox.wait()
            for run_key in self._outbox.take_runs():
                await (connection.follow(run_key) if run_key in self._followed else connection.leave(run_key))
            for run_key, data in self._outbox.take_batches():
                await connection.publish(run_key, data)
            await connection.answered()

    def _connection(self, hear: Callable[[Batch], None]) -> AbstractAsyncContextManager[Connection]:
        def take(run_key: int, data: bytes) -> None:
            try:
                batch = decode(run_key, data)
            except msgspec.DecodeError:
                return  # another version wrote it: the log will say
            self._heard += 1
            hear(batch)

        return connected(self._address, self._install, hear=take, nobody=self._interest.nobody, ended=self._outbox.wake)
