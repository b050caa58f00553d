"""Reads, each from one snapshot."""

from __future__ import annotations

from typing import TypeVar

from wakeful.stores.postgres.lane import Work
from wakeful.stores.postgres.pool import Pool
from wakeful.stores.postgres.session import Session, Statements
from wakeful.stores.postgres.transaction import PATIENCE, one_statement, transaction

T = TypeVar("T")

BEGIN = f"begin isolation level repeatable read, read only; {PATIENCE}"


class Readers:
    """Lends a connection of the pool to work that only reads."""

    def __init__(self, pool: Pool, statements: Statements, process: str) -> None:
        self._pool = pool
        self._statements = statements
        self._process = process

    async def run(self, work: Work[T]) -> T:
        """The work's result, read from one snapshot."""
        async with self._pool.lend() as connection, transaction(connection, BEGIN):
            return await work(Session(connection, self._statements, self._process))

    async def run_one(self, work: Work[T]) -> T:
        """The result of work that is one statement."""
        async with self._pool.lend() as connection, one_statement(connection):
            return await work(Session(connection, self._statements, self._process))
