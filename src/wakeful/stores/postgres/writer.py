"""Writes, each in a transaction of its own that ends with what other processes have to know."""

from __future__ import annotations

from typing import TypeVar

from wakeful.stores.postgres.address import Address
from wakeful.stores.postgres.announcements import payloads
from wakeful.stores.postgres.failures import TRY_AGAIN
from wakeful.stores.postgres.lane import Work
from wakeful.stores.postgres.pool import Pool
from wakeful.stores.postgres.session import Connection, Session, Statements
from wakeful.stores.postgres.transaction import transaction

T = TypeVar("T")

# What a write waits for is locked first and then read, so it has to see what was committed meanwhile. The limits hold
# until the commit only: whom the network cut off inside a transaction loses its locks soon, and nobody waits for ever.
BEGIN = (
    "begin isolation level read committed; "
    "set local idle_in_transaction_session_timeout = '10s'; "
    "set local lock_timeout = '{milliseconds:.0f}ms'"
)

MOST_ATTEMPTS = 5

# For what takes as long as it takes.
A_DAY = 86_400.0


class Writer:
    """Lends a connection of the pool to work that writes."""

    def __init__(self, pool: Pool, address: Address, statements: Statements, process: str) -> None:
        self._pool = pool
        self._begin = BEGIN.format(milliseconds=max(1, address.pool_timeout * 1_000))
        self._statements = statements
        self._process = process

    async def run(self, work: Work[T]) -> T:
        """The work's result once it is committed; work that met another transaction is done again."""
        async with self._pool.lend() as connection:
            for _ in range(MOST_ATTEMPTS - 1):
                try:
                    return await self._attempt(connection, work)
                except TRY_AGAIN:
                    continue
            return await self._attempt(connection, work)

    async def run_alone(self, statement: str) -> None:
        """Run a statement that is not allowed inside a transaction, for as long as it takes."""
        async with self._pool.lend() as connection:
            await connection.execute(statement, timeout=A_DAY)

    async def _attempt(self, connection: Connection, work: Work[T]) -> T:
        session = Session(connection, self._statements, self._process)
        async with transaction(connection, self._begin):
            result = await work(session)
            if told := payloads(self._process, session.announced):
                await session.rows("notify", payloads=told)
        return result
