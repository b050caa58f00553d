"""Moving house: everything in the database out in pages, or in."""

from __future__ import annotations

from collections.abc import Sequence

from wakeful.contracts.portable import (
    KINDS,
    START,
    CopyProgress,
    Distances,
    Holdings,
    Kind,
    PortableRow,
    Position,
)
from wakeful.stores.bulk import MOST_ROWS, decode_progress, encode_progress, fitting, moved_on, occupied
from wakeful.stores.postgres.lane import ClosedLane, WritingLane
from wakeful.stores.postgres.reads import PostgresReads
from wakeful.stores.postgres.session import Session


class PostgresMoving(PostgresReads):
    """Keeps the promises of `contracts.portable.Moving`."""

    def __init__(self) -> None:
        super().__init__()
        self._writes: WritingLane = ClosedLane()

    async def holdings(self) -> Holdings:
        """What there is to copy."""
        return await self._reads.run_one(_holdings)

    async def take_out(self, kind: Kind, after: Position) -> Sequence[PortableRow]:
        """The rows after a position, in order."""
        return await self._reads.run(lambda session: _take_out(session, kind, after))

    async def copy_progress(self) -> CopyProgress | None:
        """How far the copy into this database is."""
        return await self._reads.run_one(_progress)

    async def begin_copy(self, source: str) -> CopyProgress:
        """Make ready for a copy; raises `Conflict`."""
        return await self._writes.run(lambda session: _begin(session, source))

    async def take_in(self, kind: Kind, rows: Sequence[PortableRow], before: CopyProgress, now: CopyProgress) -> None:
        """Write rows and how far the copy is now; raises `Conflict`."""
        await self._writes.run(lambda session: _take_in(session, kind, rows, before, now))

    async def end_copy(self) -> None:
        """Open the database to everybody."""
        await self._writes.run(_end)


async def _holdings(session: Session) -> Holdings:
    (row,) = await session.rows("holdings")
    return Holdings(**{name: row[name] for name in Holdings.__struct_fields__})


async def _progress(session: Session) -> CopyProgress | None:
    return decode_progress(await session.value("copy_progress"))


async def _take_out(session: Session, kind: Kind, after: Position) -> list[PortableRow]:
    name, (first, second) = f"take_out_{kind.name}", after
    sizes = await session.rows(name, first=first, second=second, limit=MOST_ROWS, sizing=1)
    fit = fitting([row["size"] for row in sizes])
    rows = await session.rows(name, first=first, second=second, limit=fit)
    return [tuple(row[column] for column in kind.columns) for row in rows]


async def _begin(session: Session, source: str) -> CopyProgress:
    (row,) = await session.rows("numbers_given")
    distances = Distances(threads=row["threads"], runs=row["runs"], dispatches=row["dispatches"])
    progress = CopyProgress(source=source, distances=distances, kind=KINDS[0].name, after=START)
    if not await session.changes("begin_copy", progress=encode_progress(progress)):
        raise occupied()
    return progress


async def _take_in(
    session: Session, kind: Kind, rows: Sequence[PortableRow], before: CopyProgress, now: CopyProgress
) -> None:
    if not await session.changes("advance_copy", before=encode_progress(before), now=encode_progress(now)):
        raise moved_on()
    columns = {column: list(values) for column, values in zip(kind.columns, zip(*rows, strict=True), strict=True)}
    await session.count(f"take_in_{kind.name}", **columns)


async def _end(session: Session) -> None:
    """The server does not look at the keys that it is given: it has to be told where to go on."""
    held = await _holdings(session)
    (given,) = await session.rows("numbers_given")
    runs = max(held.runs, given["runs"])
    await session.rows(
        "number_above",
        threads=max(held.threads, given["threads"]),
        runs=runs,
        dispatches=max(held.dispatches, given["dispatches"]),
        documents=max(held.documents, given["documents"]),
        turns=max(held.turns, given["turns"], runs),
    )
    await session.count("end_copy")
