"""What keeps the database small: packing and removing old logs, sizes, giving space back.

Each step of a run's log is a piece of work of its own, so that no other write waits longer than for one run.
"""

from __future__ import annotations

from collections.abc import Iterable

from wakeful.contracts.upkeep import Sizes
from wakeful.stores.packing import LARGEST_PACK, Pack, Stored, pack
from wakeful.stores.sqlite.session import Session


def runs_to_pack(session: Session, before: int, limit: int) -> list[int]:
    """Keys of runs that finished before then and are not packed."""
    return [row["key"] for row in session.rows("runs_to_pack", before=before, limit=limit)]


def runs_to_prune(session: Session, before: int, limit: int) -> list[int]:
    """Keys of runs that finished before then and are not pruned."""
    return [row["key"] for row in session.rows("runs_to_prune", before=before, limit=limit)]


def packs_of(session: Session, run_key: int) -> list[Pack]:
    """The log of a finished run, packed; nothing is written."""
    packs: list[Pack] = []
    after = 0
    while events := _next_events(session, run_key, after):
        packs.append(pack(events))
        after = packs[-1].last_seq
    return packs


def _next_events(session: Session, run_key: int, after: int) -> list[Stored]:
    rows = session.rows("read_events", run_key=run_key, after=after, limit=LARGEST_PACK)
    return [(row["seq"], row["at"], row["body"]) for row in rows]


def put_packs(session: Session, run_key: int, packs: Iterable[Pack]) -> bool:
    """Store packs instead of rows, unless somebody was faster."""
    if not session.changes("mark_packed", key=run_key):
        return False
    session.many("insert_pack", ((run_key, *one) for one in packs))
    session.changes("delete_events", run_key=run_key)
    return True


def prune(session: Session, run_key: int) -> bool:
    """Remove the log of a finished run, unless somebody was faster."""
    if not session.changes("mark_pruned", key=run_key):
        return False
    session.changes("delete_events", run_key=run_key)
    session.changes("delete_packs", run_key=run_key)
    return True


def sizes(session: Session, file_bytes: int) -> Sizes:
    """How much there is; reads the header of every row."""
    (row,) = session.rows("sizes")
    counts = {name: int(row[name]) for name in row.keys()}  # noqa: SIM118  a row iterates over its values
    free_bytes = session.value("free_bytes") if file_bytes else 0
    return Sizes(**counts, file_bytes=file_bytes, free_bytes=free_bytes)


def reclaim(session: Session) -> None:
    """Give free space back; outside of any transaction."""
    session.control("vacuum")
    session.control("pragma wal_checkpoint(truncate)")
