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
from wakeful.stores.sqlite.lane import ClosedLane, WritingLane
from wakeful.stores.sqlite.reads import SQLiteReads
from wakeful.stores.sqlite.session import Session


class SQLiteMoving(SQLiteReads):
    """Keeps the promises of `contracts.portable.Moving`."""

    def __init__(self) -> None:
        super().__init__()
        self._writes: WritingLane = ClosedLane()

    async def holdings(self) -> Holdings:
        """What there is to copy."""
        return await self._reads.run(_holdings)

    async def take_out(self, kind: Kind, after: Position) -> Sequence[PortableRow]:
        """The rows after a position, in order."""
        return await self._reads.run(lambda session: _take_out(session, kind, after))

    async def copy_progress(self) -> CopyProgress | None:
        """How far the copy into this database is."""
        return await self._reads.run(lambda session: decode_progress(session.value("copy_progress")))

    async def begin_copy(self, source: str) -> CopyProgress:
        """Make ready for a copy; raises `Conflict`."""
        return await self._writes.run(lambda session: _begin(session, source))

    async def take_in(self, kind: Kind, rows: Sequence[PortableRow], before: CopyProgress, now: CopyProgress) -> None:
        """Write rows and how far the copy is now; raises `Conflict`."""
        await self._writes.run(lambda session: _take_in(session, kind, rows, before, now))

    async def end_copy(self) -> None:
        """Open the database to everybody; it numbers above all keys by itself."""
        await self._writes.run(lambda session: session.count("end_copy"))


def _holdings(session: Session) -> Holdings:
    (row,) = session.rows("holdings")
    return Holdings(**{name: row[name] for name in Holdings.__struct_fields__})


def _take_out(session: Session, kind: Kind, after: Position) -> list[PortableRow]:
    name, (first, second) = f"take_out_{kind.name}", after
    sizes = session.rows(name, first=first, second=second, limit=MOST_ROWS, sizing=1)
    fit = fitting([row["size"] for row in sizes])
    rows = session.rows(name, first=first, second=second, limit=fit)
    return [tuple(row) for row in rows]


def _begin(session: Session, source: str) -> CopyProgress:
    (row,) = session.rows("numbers_given")
    distances = Distances(threads=row["threads"], runs=row["runs"], dispatches=row["dispatches"])
    progress = CopyProgress(source=source, distances=distances, kind=KINDS[0].name, after=START)
    if not session.changes("begin_copy", progress=encode_progress(progress)):
        raise occupied()
    return progress


def _take_in(
    session: Session, kind: Kind, rows: Sequence[PortableRow], before: CopyProgress, now: CopyProgress
) -> None:
    if not session.changes("advance_copy", before=encode_progress(before), now=encode_progress(now)):
        raise moved_on()
    session.many(f"take_in_{kind.name}", rows)
