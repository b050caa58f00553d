"""Commits whose answer was lost with the connection: what the server says of them afterwards."""

from __future__ import annotations

import asyncio
from typing import Any

from wakeful.contracts.errors import WakefulError
from wakeful.stores.postgres.pool import Pool
from wakeful.stores.postgres.session import Session, Statements
from wakeful.stores.postgres.transaction import one_statement

# A server that restarts is back by then. Who waits longer is better told: its lease runs out meanwhile.
ASKING_SECONDS = 5.0
PAUSE_SECONDS = 0.1


class Unanswered(Exception):
    """Whether transaction `number` was committed is not known, because of `reason`; if it was, it came to `result`."""

    def __init__(self, number: str, result: Any, reason: Exception) -> None:
        super().__init__(number)
        self.number = number
        self.result = result
        self.reason = reason


async def was_committed(pool: Pool, statements: Statements, process: str, number: str) -> bool:
    """Ask the server, on another connection, until it knows; False also when it could not be asked in time."""
    try:
        async with asyncio.timeout(ASKING_SECONDS):
            while True:
                status = await _status(pool, statements, process, number)
                if status in {"committed", "aborted"}:
                    return status == "committed"
                await asyncio.sleep(PAUSE_SECONDS)
    except TimeoutError:
        return False


async def _status(pool: Pool, statements: Statements, process: str, number: str) -> str | None:
    """`committed`, `aborted`, `in progress`, or None when the server cannot be asked or knows no such transaction."""
    try:
        async with pool.lend() as connection, one_statement(connection):
            session = Session(connection, statements, process)
            return await session.value("transaction_status", number=number)
    except WakefulError:
        return None
