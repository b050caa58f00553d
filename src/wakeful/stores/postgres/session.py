"""One connection with its named queries: what everything inside a transaction is written with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from wakeful.contracts.errors import Conflict
from wakeful.contracts.signal import Signal
from wakeful.stores.named_sql import Query, Value, numbered

Argument = Value | Sequence[Value]


class Row(Protocol):
    """A row: its columns by name or place."""

    def __getitem__(self, column: str | int, /) -> Any:
        """The value of a column."""
        ...


class Connection(Protocol):
    """The part of the driver's connections that is used."""

    async def fetch(self, query: str, /, *arguments: object) -> list[Row]:
        """All rows of one statement."""
        ...

    async def execute(self, query: str, /, *arguments: object, timeout: float | None = None) -> str:  # noqa: ASYNC109
        """The command tag, such as `UPDATE 3`; without arguments the query may be several statements."""
        ...

    def is_in_transaction(self) -> bool:
        """Whether a transaction is open."""
        ...

    def is_closed(self) -> bool:
        """Whether it was lost."""
        ...


class Statements:
    """Named queries with numbered parameters, as the server wants them."""

    def __init__(self, queries: Mapping[str, Query]) -> None:
        self._queries = queries
        self._numbered: dict[str, tuple[str, tuple[str, ...]]] = {}

    def prepare(self, name: str, values: Mapping[str, Argument]) -> tuple[str, list[Argument]]:
        """The SQL of a query for these arguments, and the arguments in order."""
        text = self._queries[name].text(values)
        known = self._numbered.get(text) or self._numbered.setdefault(text, numbered(text, "$"))
        return known[0], [values[argument] for argument in known[1]]


class Session:
    """Runs named queries inside one transaction of one connection.

    `process` names the store that does so. `announced` is what other processes will be told when it commits, `wrote`
    whether a write found its rows.
    """

    __slots__ = ("_connection", "_statements", "announced", "process", "wrote")

    def __init__(self, connection: Connection, statements: Statements, process: str) -> None:
        self._connection = connection
        self._statements = statements
        self.process = process
        self.announced: list[Signal] = []
        self.wrote = False

    def announce(self, *, work: bool = False, logs: int | None = None, stops: int | None = None) -> None:
        """Tell other processes, with the commit: there may be work, a run's log went on, a run should stop."""
        self.announced.append(Signal(work=work, logs=_one(logs), stops=_one(stops)))

    def announce_superseded(self, run_key: int) -> None:
        """Tell other processes, with the commit, that something else takes the place of a running run."""
        self.announced.append(Signal(superseded=(run_key,)))

    def announce_steering(self, run_key: int) -> None:
        """Tell other processes, with the commit, that input for a running run waits."""
        self.announced.append(Signal(steers=(run_key,)))

    async def rows(self, name: str, /, **values: Argument) -> list[Row]:
        """All rows of a query."""
        text, arguments = self._statements.prepare(name, values)
        return await self._connection.fetch(text, *arguments)

    async def row(self, name: str, /, **values: Argument) -> Row | None:
        """The first row of a query, None when there is none."""
        found = await self.rows(name, **values)
        return found[0] if found else None

    async def value(self, name: str, /, **values: Argument) -> Any:
        """The first column of the first row, None when there is none."""
        found = await self.rows(name, **values)
        return found[0][0] if found else None

    async def changes(self, name: str, /, **values: Argument) -> bool:
        """Run a write; whether it found a row in the state it expects."""
        return await self.count(name, **values) > 0

    async def count(self, name: str, /, **values: Argument) -> int:
        """Run a write; how many rows it changed."""
        text, arguments = self._statements.prepare(name, values)
        tag = await self._connection.execute(text, *arguments)
        changed = int(tag.rpartition(" ")[2])
        self.wrote = self.wrote or changed > 0
        return changed

    async def must_change(self, name: str, /, **values: Argument) -> None:
        """Run a write that has to find its row; raises `Conflict` when it does not."""
        if not await self.changes(name, **values):
            raise Conflict(f"{name.replace('_', ' ')}: the row is not in the expected state; read it again and retry")


def _one(key: int | None) -> tuple[int, ...]:
    return () if key is None else (key,)
