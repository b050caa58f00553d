"""One transaction on a connection, or one statement, ended in any case."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from wakeful.stores.postgres.failures import OUT_OF_RANGE
from wakeful.stores.postgres.session import Connection

# The limit holds until the end of the transaction: whom the network cut off inside of one loses its locks and its
# snapshot soon.
PATIENCE = "set local idle_in_transaction_session_timeout = '10s'"

# Only shows that the server answers. The driver has trouble with an empty statement.
NOTHING = "select 1"


@asynccontextmanager
async def transaction(connection: Connection, begin: str) -> AsyncGenerator[None]:
    """Begin with the statement `begin`, commit at the end of the block, roll back when it raises."""
    try:
        await connection.execute(begin)
        yield
        await connection.execute("commit")
    finally:
        if not connection.is_closed() and connection.is_in_transaction():
            await connection.execute("rollback")


@asynccontextmanager
async def one_statement(connection: Connection) -> AsyncGenerator[None]:
    """A statement by itself.

    Where the driver refuses an argument, the server has prepared the statement and waits in the middle of it, until
    another one comes.
    """
    try:
        yield
    except OUT_OF_RANGE:
        if not connection.is_closed():
            await connection.execute(NOTHING)
        raise
