"""Makes connections to one PostgreSQL database: the pool's, and the one that listens."""

from __future__ import annotations

import os
from typing import Any, Protocol, cast
from urllib.parse import parse_qsl, urlsplit

import asyncpg  # pyright: ignore[reportMissingTypeStubs]  the driver brings no types

from wakeful.contracts.errors import ConfigurationError
from wakeful.stores.postgres.address import Address
from wakeful.stores.postgres.session import Connection

# The oldest that its makers still repair.
OLDEST_SERVER = 14

# How long the driver waits for the answer to a statement, and for a connection to listen on.
ANSWER_SECONDS = 10


class DriverPool(Protocol):
    """The part of the driver's pool that is used."""

    async def acquire(self, *, timeout: float) -> Connection:  # noqa: ASYNC109  the driver's own
        """A connection, from now on this task's; raises `TimeoutError`."""
        ...

    async def release(self, connection: Connection) -> None:
        """Give it back."""
        ...

    def get_size(self) -> int:
        """How many connections there are."""
        ...

    async def close(self) -> None:
        """Close all connections, once they are given back."""
        ...

    def terminate(self) -> None:
        """Close all connections at once."""
        ...


class ListeningConnection(Connection, Protocol):
    """The part of the driver's connections that a listener uses."""

    async def add_listener(self, channel: str, callback: Any) -> None:
        """Call back with (connection, server process, channel, payload)."""
        ...

    def add_termination_listener(self, callback: Any) -> None:
        """Call back with the connection when it has ended."""
        ...

    def terminate(self) -> None:
        """End it at once."""
        ...


async def open_pool(address: Address) -> DriverPool:
    """A pool that makes its connections as they are needed; raises the driver's errors for an odd address."""
    return cast(
        "DriverPool",
        await asyncpg.create_pool(  # pyright: ignore[reportUnknownMemberType]
            address.dsn,
            min_size=0,
            max_size=address.pool_size,
            timeout=address.pool_timeout,
            command_timeout=ANSWER_SECONDS,
            reset=_leave_as_it_is,
            init=_refuse_old_server,
            server_settings=_signed(address.dsn),
            **_for_a_pooler(address),
        ),
    )


async def open_listening(address: Address) -> ListeningConnection:
    """A connection of its own, past any pooler; raises the driver's errors."""
    return cast(
        "ListeningConnection",
        await asyncpg.connect(  # pyright: ignore[reportUnknownMemberType]
            address.listen_dsn,
            timeout=ANSWER_SECONDS,
            command_timeout=ANSWER_SECONDS,
            server_settings=_signed(address.listen_dsn),
        ),
    )


def _signed(dsn: str) -> dict[str, str]:
    """What tells this process's connections from others in `pg_stat_activity`, unless the URL names them."""
    named = "application_name" in dict(parse_qsl(urlsplit(dsn).query))
    return {} if named else {"application_name": f"wakeful {os.getpid()}"}


def _for_a_pooler(address: Address) -> dict[str, Any]:
    """Behind a pooler the next statement may meet another server connection, which knows no named one."""
    return {"statement_cache_size": 0} if address.pooled else {}


async def _refuse_old_server(connection: Any) -> None:
    version = connection.get_server_version()
    if version.major < OLDEST_SERVER:
        raise ConfigurationError(
            f"expected PostgreSQL {OLDEST_SERVER} or newer, found {version.major}; upgrade the server"
        )


async def _leave_as_it_is(connection: object) -> None:
    """Transactions leave nothing on a connection that would have to be reset."""
