"""The bounded pool: a connection for as long as a piece of work takes, or a timely refusal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from wakeful.contracts.errors import StoreBusy
from wakeful.stores.postgres.address import Address
from wakeful.stores.postgres.database import DriverPool, open_pool
from wakeful.stores.postgres.failures import DRIVER_ERRORS, readable
from wakeful.stores.postgres.session import Connection

CLOSING_SECONDS = 5.0

# When who found no free connection may ask again.
RETRY_SECONDS = 1


class Pool:
    """Lends connections and translates what the driver raises, also inside of `lend`."""

    def __init__(self, address: Address, driver_pool: DriverPool) -> None:
        self._address = address
        self._pool = driver_pool

    @classmethod
    async def open(cls, address: Address) -> Pool:
        """A pool without connections yet; raises `ConfigurationError`."""
        try:
            return cls(address, await open_pool(address))
        except DRIVER_ERRORS as error:
            raise readable(error, address.name) from error

    @asynccontextmanager
    async def lend(self) -> AsyncGenerator[Connection]:
        """A connection; raises `StoreBusy` when none is free in time, `StoreUnavailable`."""
        try:
            connection = await self._acquire()
            try:
                yield connection
            finally:
                await self._pool.release(connection)
        except DRIVER_ERRORS as error:
            raise readable(error, self._address.name) from error

    async def aclose(self) -> None:
        """Wait a little for what is under way, then close all connections. Idempotent."""
        try:
            async with asyncio.timeout(CLOSING_SECONDS):
                await self._pool.close()
        except DRIVER_ERRORS:
            self._pool.terminate()

    async def _acquire(self) -> Connection:
        try:
            return await self._pool.acquire(timeout=self._address.pool_timeout)
        except TimeoutError as error:
            if self._pool.get_size() < self._address.pool_size:
                raise  # the server did not answer
            raise StoreBusy(
                f"database {self._address.name}: none of the {self._address.pool_size} connections was free within "
                f"{self._address.pool_timeout:g} s; raise pool_size or send less",
                retry_after=RETRY_SECONDS,
            ) from error
