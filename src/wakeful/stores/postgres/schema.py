"""Brings a database's schema up to date with the numbered files of `migrations/`."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import NamedTuple

from wakeful.contracts.errors import ConfigurationError
from wakeful.stores.postgres.session import Connection
from wakeful.stores.postgres.writer import A_DAY

# One transaction: whoever else starts at this moment waits for the lock, and then finds nothing left to do.
LOCK = "select pg_advisory_xact_lock(7310579600)"
REMEMBER = """
create table if not exists schema_migrations (
  number integer primary key,
  checksum text not null,
  applied_at timestamptz not null default now()
)
"""
EXISTS = "select to_regclass('schema_migrations') is not null"
APPLIED = "select number, checksum from schema_migrations order by number"
APPLY = "insert into schema_migrations (number, checksum) values ($1, $2)"


class Migration(NamedTuple):
    """One file: its number, from 1, and its SQL."""

    number: int
    sql: str

    @property
    def checksum(self) -> str:
        """Tells whether another file was applied under this number."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load_migrations() -> list[Migration]:
    """All of them, ascending."""
    found = sorted(files("wakeful.stores.postgres").joinpath("migrations").iterdir(), key=lambda file: file.name)
    return [
        Migration(int(file.name.split("_")[0]), file.read_text("utf-8")) for file in found if file.name.endswith(".sql")
    ]


async def check(connection: Connection, database: str) -> None:
    """Raise `ConfigurationError` unless the schema is up to date."""
    if missing := await _missing(connection, database, load_migrations()):
        raise ConfigurationError(
            f"database {database} lacks {len(missing)} migration(s) up to {missing[-1].number}: "
            "run `wakeful db upgrade`, or let processes that start do it (WAKEFUL_MIGRATE=true)"
        )


async def migrate(connection: Connection, database: str) -> None:
    """Apply what is missing, inside the caller's transaction.

    Raises `ConfigurationError` when a newer Wakeful wrote the database, or another file was applied.
    """
    migrations = load_migrations()
    if not await _missing(connection, database, migrations):
        return
    await connection.execute(LOCK, timeout=A_DAY)
    await connection.execute(REMEMBER)
    # Read again under the lock: another process may have been faster.
    for migration in await _missing(connection, database, migrations):
        await connection.execute(migration.sql, timeout=A_DAY)
        await connection.execute(APPLY, migration.number, migration.checksum)


async def _missing(connection: Connection, database: str, migrations: list[Migration]) -> list[Migration]:
    """What has to be applied; refuses a schema that these migrations did not make."""
    ((exists,),) = await connection.fetch(EXISTS)
    rows = await connection.fetch(APPLIED) if exists else []
    applied: dict[int, str] = {row["number"]: row["checksum"] for row in rows}
    newest = migrations[-1].number
    if max(applied, default=0) > newest:
        raise ConfigurationError(
            f"database {database} has schema {max(applied)}, this Wakeful knows schemas up to {newest}: "
            "upgrade Wakeful or choose another database"
        )
    for migration in migrations:
        if applied.get(migration.number, migration.checksum) != migration.checksum:
            raise ConfigurationError(
                f"database {database} was made with another migration {migration.number} than this Wakeful has: "
                "install the Wakeful that made it, or choose another database"
            )
    return [migration for migration in migrations if migration.number not in applied]
