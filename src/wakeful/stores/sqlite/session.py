"""One connection with its named queries: what everything inside a transaction is written with."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from wakeful.contracts.errors import Conflict
from wakeful.stores.named_sql import Query, Value, numbered


class Session:
    """Runs named queries on one connection, which is in autocommit mode: transactions are begun and ended by name."""

    __slots__ = ("_connection", "_numbered", "_queries")

    def __init__(self, connection: sqlite3.Connection, queries: Mapping[str, Query]) -> None:
        self._connection = connection
        self._queries = queries
        self._numbered: dict[str, tuple[str, tuple[str, ...]]] = {}

    def rows(self, name: str, /, **values: Value) -> list[sqlite3.Row]:
        """All rows of a query."""
        return self._execute(name, values).fetchall()

    def row(self, name: str, /, **values: Value) -> sqlite3.Row | None:
        """The first row of a query, None when there is none."""
        found = self.rows(name, **values)
        return found[0] if found else None

    def value(self, name: str, /, **values: Value) -> Any:
        """The first column of the first row, None when there is none."""
        found = self.rows(name, **values)
        return found[0][0] if found else None

    def changes(self, name: str, /, **values: Value) -> bool:
        """Run a write; whether it found a row in the state it expects."""
        return self.count(name, **values) > 0

    def count(self, name: str, /, **values: Value) -> int:
        """Run a write; how many rows it changed."""
        return self._execute(name, values).rowcount

    def must_change(self, name: str, /, **values: Value) -> None:
        """Run a write that has to find its row; raises `Conflict` when it does not."""
        if not self.changes(name, **values):
            raise Conflict(f"{name.replace('_', ' ')}: the row is not in the expected state; read it again and retry")

    def many(self, name: str, /, rows: Iterable[tuple[Value, ...]]) -> None:
        """Run a write once per row of positional values."""
        self._connection.executemany(self._queries[name].text({}), rows)

    def control(self, statement: str) -> None:
        """Begin, mark or end a transaction."""
        self._connection.execute(statement)

    def _execute(self, name: str, values: Mapping[str, Value]) -> sqlite3.Cursor:
        """Arguments go by number: for named ones the driver would make a text of every name, each time."""
        text = self._queries[name].text(values)
        known = self._numbered.get(text) or self._numbered.setdefault(text, numbered(text, "?"))
        return self._connection.execute(known[0], [values[argument] for argument in known[1]])

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open; the database itself ends one after a grave error."""
        return self._connection.in_transaction

    def close(self) -> None:
        """Release the connection."""
        self._connection.close()
