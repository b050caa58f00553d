"""Migrations: once, by whoever comes first, and never over what somebody else made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from wakeful.contracts.errors import ConfigurationError
from wakeful.stores.postgres.schema import load_migrations
from wakeful.stores.postgres.store import PostgresStore

Open = Callable[..., Awaitable[PostgresStore]]


async def sql(url: str, statement: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


async def test_processes_that_start_at_once_migrate_once(bare_url: str, open_store: Open) -> None:
    stores = await asyncio.gather(*(open_store(bare_url, pool_size=2) for _ in range(6)))

    await asyncio.gather(*(store.probe() for store in stores))
    rows = await sql(bare_url, "select number, checksum from schema_migrations")
    assert [(row["number"], row["checksum"]) for row in rows] == [
        (migration.number, migration.checksum) for migration in load_migrations()
    ]
    await asyncio.gather(*(store.aclose() for store in stores))


async def test_a_migration_that_fails_leaves_nothing_behind(bare_url: str) -> None:
    await sql(bare_url, "create table packs (mine text)")

    with pytest.raises(Exception, match="database bare"):
        await PostgresStore(bare_url).open()

    assert await sql(bare_url, "select 1 from pg_class where relname in ('threads', 'schema_migrations')") == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("insert into schema_migrations values (9999, 'x')", r"bare has schema 9999.*upgrade Wakeful"),
        ("update schema_migrations set checksum = 'x' where number = 1", "another migration 1"),
    ],
)
async def test_a_schema_that_others_made_is_refused(bare_url: str, open_store: Open, change: str, message: str) -> None:
    await (await open_store(bare_url)).aclose()
    await sql(bare_url, change)

    for migrate in (True, False):
        with pytest.raises(ConfigurationError, match=message):
            await PostgresStore(bare_url, migrate=migrate).open()


async def test_an_old_schema_is_refused_where_processes_may_not_migrate(bare_url: str, open_store: Open) -> None:
    with pytest.raises(ConfigurationError, match=r"lacks \d+ migration\(s\) up to \d+: run `wakeful db upgrade`"):
        await PostgresStore(bare_url, migrate=False).open()
    assert await sql(bare_url, "select 1 from pg_class where relname = 'schema_migrations'") == []

    await (await open_store(bare_url)).aclose()
    store = PostgresStore(bare_url, migrate=False)
    await store.open()
    await store.aclose()


def test_migrations_are_numbered_without_a_gap() -> None:
    numbers = [migration.number for migration in load_migrations()]

    assert numbers == list(range(1, len(numbers) + 1))
