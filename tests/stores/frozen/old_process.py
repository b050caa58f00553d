"""What a process of yesterday's code does while today's migrations are applied under it: its whole store suite.

`old_code.py` runs this file in a process whose `wakeful` is yesterday's. One store is opened on yesterday's schema,
does some work, lives through the migrations, and has to pass every test of its suite after them.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from wakeful.contracts.store import Store
from wakeful.stores.sqlite.store import SQLiteStore
from wakeful.testing.store_cases.builders import SCOPE, log, more, settlement, start
from wakeful.testing.store_suite import StoreSuite

MIGRATIONS, DATABASE = "OLD_CODE_MIGRATIONS", "OLD_CODE_DATABASE"
TABLES = "select tablename from pg_tables where schemaname = 'public' and tablename <> 'schema_migrations'"
SEQUENCES = "select setval(sequencename::regclass, 1, false) from pg_sequences where schemaname = 'public'"

Running = tuple[Store, Callable[[], Awaitable[None]]]
"""A store that lived through the migrations, and what empties its database."""


def migrations(after: int) -> list[tuple[int, str]]:
    """Today's migrations that yesterday did not know."""
    found = sorted(Path(os.environ[MIGRATIONS]).glob("*.sql"))
    return [(number, file.read_text("utf-8")) for file in found if (number := int(file.name.split("_")[0])) > after]


async def work(store: Store) -> None:
    """Let it prepare statements on the schema it knows."""
    _, lease = await start(store, "before")
    await store.append([more(lease, log(2, 3))])
    await store.settle(settlement(lease))
    await store.get_run(SCOPE, "before")


@asynccontextmanager
async def sqlite(path: Path) -> AsyncIterator[Running]:
    store = SQLiteStore(path, readers=2)
    await store.open()
    await work(store)
    with closing(sqlite3.connect(path, isolation_level=None)) as today:
        (version,) = today.execute("pragma user_version").fetchone()
        for number, sql in migrations(version):
            today.executescript(sql)
            today.execute(f"pragma user_version = {number}")

        async def empty() -> None:
            for (table,) in today.execute("select name from sqlite_master where type = 'table'").fetchall():
                today.execute(f"delete from {table}")

        yield store, empty
    await store.aclose()


@asynccontextmanager
async def postgres(url: str) -> AsyncIterator[Running]:
    import asyncpg

    from wakeful.stores.postgres.store import PostgresStore

    store = PostgresStore(url)
    await store.open()
    await work(store)
    today: Any = await asyncpg.connect(url)
    for number, sql in migrations(await today.fetchval("select max(number) from schema_migrations")):
        await today.execute(sql)
        await today.execute("insert into schema_migrations values ($1, 'today')", number)

    async def empty() -> None:
        for (table,) in await today.fetch(TABLES):
            await today.execute(f"delete from {table}")
        await today.execute(SEQUENCES)

    yield store, empty
    await today.close()
    await store.aclose()


class TestYesterday(StoreSuite):
    @pytest.fixture(scope="session")
    async def running(self, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
        url = os.environ.get(DATABASE)
        async with postgres(url) if url else sqlite(tmp_path_factory.getbasetemp() / "wakeful.db") as running:
            yield running

    @pytest.fixture
    async def store(self, running: Running) -> Store:
        store, empty = running
        await empty()
        return store
