"""Opens connections to one SQLite database."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from wakeful.contracts.errors import ConfigurationError
from wakeful.stores.sqlite.schema import migrate

Synchronous = Literal["normal", "full"]

# The first with `returning` (3.35), strict tables (3.37) and JSON functions always built in (3.38).
OLDEST_SQLITE = (3, 38)


class Database:
    """Where the database is and how to talk to it; `busy_timeout` in milliseconds."""

    def __init__(self, path: str | Path, *, synchronous: Synchronous, busy_timeout: int) -> None:
        self._path = path
        self._synchronous: Synchronous = synchronous
        self._busy_timeout = busy_timeout
        self.in_memory = str(path) == ":memory:"
        self.name = Path(path).name
        self.file = Path(path)

    def open_writing(self) -> sqlite3.Connection:
        """A connection that may write, the schema up to date; raises `ConfigurationError` or the driver's errors."""
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise ConfigurationError(f"SQLite {sqlite3.sqlite_version} is too old: install 3.38 or newer")
        return self._connect(self._prepare_writing)

    def open_reading(self) -> sqlite3.Connection:
        """A connection that cannot write; raises the driver's errors."""
        return self._connect(_prepare_reading)

    def file_bytes(self) -> int:
        """What the database takes on the disk, 0 in memory."""
        files = () if self.in_memory else (self.file, Path(f"{self.file}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def _connect(self, prepare: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
        """In autocommit mode: transactions are begun and ended by name. May move between threads, one at a time."""
        connection = sqlite3.connect(
            self._path,
            timeout=self._busy_timeout / 1000,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("pragma foreign_keys = on")
            connection.execute("pragma temp_store = memory")
            prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare_writing(self, connection: sqlite3.Connection) -> None:
        # Readers never wait for the writer. Remembered in the file; an in-memory database has no journal.
        self._write_ahead(connection)
        connection.execute("pragma cache_size = -16000")  # KiB, negative by SQLite's convention
        connection.execute("pragma journal_size_limit = 67108864")
        connection.execute(f"pragma synchronous = {'full' if self._synchronous == 'full' else 'normal'}")
        migrate(connection, self.name)

    def _write_ahead(self, connection: sqlite3.Connection) -> None:
        """Where another process does the same at this moment, the database does not wait by itself."""
        deadline = time.monotonic() + self._busy_timeout / 1000
        while True:
            try:
                connection.execute("pragma journal_mode = wal")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return


def _prepare_reading(connection: sqlite3.Connection) -> None:
    connection.execute("pragma query_only = on")
    connection.execute("pragma cache_size = -4000")  # each reader has its own; the system caches the file as well
