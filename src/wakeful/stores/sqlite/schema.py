"""Brings a database's schema up to date with the numbered files of `migrations/`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from importlib.resources import files

from wakeful.contracts.errors import ConfigurationError


def load_migrations() -> dict[int, str]:
    """The SQL of every migration by its number, from 1, ascending."""
    found = sorted(files("wakeful.stores.sqlite").joinpath("migrations").iterdir(), key=lambda file: file.name)
    return {int(file.name.split("_")[0]): file.read_text("utf-8") for file in found if file.name.endswith(".sql")}


def migrate(connection: sqlite3.Connection, database: str) -> None:
    """Apply what is missing in one transaction; `pragma user_version` remembers the last one applied.

    Raises `ConfigurationError` when a newer Wakeful wrote the database.
    """
    migrations = load_migrations()
    newest = max(migrations)
    if _version(connection, newest, database) == newest:
        return
    connection.execute("begin immediate")
    try:
        # Read again under the lock: another process may have been faster.
        for number in range(_version(connection, newest, database) + 1, newest + 1):
            for statement in _statements(migrations[number]):
                connection.execute(statement)
            connection.execute(f"pragma user_version = {number}")
        connection.execute("commit")
    finally:
        if connection.in_transaction:
            connection.execute("rollback")


def _version(connection: sqlite3.Connection, newest: int, database: str) -> int:
    version = int(connection.execute("pragma user_version").fetchone()[0])
    if version > newest:
        raise ConfigurationError(
            f"database {database} has schema {version}, this Wakeful knows schemas up to {newest}: "
            "upgrade Wakeful or choose another database"
        )
    return version


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
