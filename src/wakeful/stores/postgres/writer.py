"""Writes, each in a transaction of its own that ends with what other processes have to know."""

from __future__ import annotations

from typing import TypeVar

from wakeful.stores.postgres.address import Address
from wakeful.stores.postgres.announcements import payloads
from wakeful.stores.postgres.failures import DRIVER_ERRORS, TRY_AGAIN, readable
from wakeful.stores.postgres.lane import Work
from wakeful.stores.postgres.pool import Pool
from wakeful.stores.postgres.session import Connection, Session, Statements
from wakeful.stores.postgres.transaction import PATIENCE, transaction
from wakeful.stores.postgres.unanswered import Unanswered, was_committed

T = TypeVar("T")

# What a write waits for is locked first and then read, so it has to see what was committed meanwhile. Nobody waits for
# ever.
BEGIN = f"begin isolation level read committed; {PATIENCE}; set local lock_timeout = '{{milliseconds:.0f}}ms'"

MOST_ATTEMPTS = 5

# For what takes as long as it takes.
A_DAY = 86_400.0


class Writer:
    """Lends a connection of the pool to work that writes."""

    def __init__(self, pool: Pool, address: Address, statements: Statements, process: str) -> None:
        self._pool = pool
        self._address = address
        self._begin = BEGIN.format(milliseconds=max(1, address.pool_timeout * 1_000))
        self._statements = statements
        self._process = process

    async def run(self, work: Work[T]) -> T:
        """The work's result once it is committed; work that met another transaction is done again.

        Where the answer to the commit was lost, the server is asked what became of it.
        """
        try:
            return await self._run(work)
        except Unanswered as commit:
            # The connection was given back: the pool may have no other one.
            if await was_committed(self._pool, self._statements, self._process, commit.number):
                return commit.result
            raise readable(commit.reason, self._address.name) from commit.reason

    async def run_alone(self, statement: str) -> None:
        """Run a statement that is not allowed inside a transaction, for as long as it takes."""
        async with self._pool.lend() as connection:
            await connection.execute(statement, timeout=A_DAY)

    async def _run(self, work: Work[T]) -> T:
        async with self._pool.lend() as connection:
            for _ in range(MOST_ATTEMPTS - 1):
                try:
                    return await self._attempt(connection, work)
                except TRY_AGAIN:
                    continue
            return await self._attempt(connection, work)

    async def _attempt(self, connection: Connection, work: Work[T]) -> T:
        session = Session(connection, self._statements, self._process)
        number, results = None, list[T]()
        try:
            async with transaction(connection, self._begin):
                results.append(await work(session))
                number = await self._conclude(session)
        except TRY_AGAIN:
            raise
        except DRIVER_ERRORS as error:
            if number is None:
                raise
            raise Unanswered(number, results[0], error) from error
        return results[0]

    async def _conclude(self, session: Session) -> str | None:
        """Announce what was done; the transaction's number, None where nothing was written."""
        told = payloads(self._process, session.announced)
        if not told and not session.wrote:
            return None
        return await session.value("conclude", payloads=told)
