"""What keeps the database small: packing and removing old logs, sizes, giving space back.

Each step of a run's log is a piece of work of its own, so that nobody waits longer than for one run.
"""

from __future__ import annotations

from collections.abc import Sequence

from wakeful.contracts.upkeep import Sizes
from wakeful.stores.packing import LARGEST_PACK, Pack, Stored, pack
from wakeful.stores.postgres.session import Session

# Rewrites what shrinks most; everything else is reused by the server itself.
RECLAIM = "vacuum (full, analyze) events, packs, messages, replaced_messages, runs, dispatches, documents"


async def runs_to_pack(session: Session, before: int, limit: int) -> list[int]:
    """Keys of runs that finished before then and are not packed."""
    return [row["key"] for row in await session.rows("runs_to_pack", before=before, limit=limit)]


async def runs_to_prune(session: Session, before: int, limit: int) -> list[int]:
    """Keys of runs that finished before then and are not pruned."""
    return [row["key"] for row in await session.rows("runs_to_prune", before=before, limit=limit)]


async def packs_of(session: Session, run_key: int) -> list[Pack]:
    """The log of a finished run, packed; nothing is written."""
    packs: list[Pack] = []
    after = 0
    while events := await _next_events(session, run_key, after):
        packs.append(pack(events))
        after = packs[-1].last_seq
    return packs


async def _next_events(session: Session, run_key: int, after: int) -> list[Stored]:
    rows = await session.rows("read_events", run_key=run_key, after=after, limit=LARGEST_PACK)
    return [(row["seq"], row["at"], row["body"]) for row in rows]


async def put_packs(session: Session, run_key: int, packs: Sequence[Pack]) -> bool:
    """Store packs instead of rows, unless somebody was faster."""
    await session.value("lock_thread_of_run", run_key=run_key)
    if not await session.changes("mark_packed", key=run_key):
        return False
    await session.count(
        "insert_packs",
        run_key=run_key,
        first_seqs=[one.first_seq for one in packs],
        last_seqs=[one.last_seq for one in packs],
        counts=[one.events for one in packs],
        bodies=[one.body for one in packs],
    )
    await session.count("delete_events", run_keys=[run_key])
    return True


async def prune(session: Session, run_key: int) -> bool:
    """Remove the log of a finished run, unless somebody was faster."""
    await session.value("lock_thread_of_run", run_key=run_key)
    if not await session.changes("mark_pruned", key=run_key):
        return False
    await session.count("delete_events", run_keys=[run_key])
    await session.count("delete_packs", run_keys=[run_key])
    return True


async def sizes(session: Session) -> Sizes:
    """How much there is; reads the header of every row. What could be given back is not known to PostgreSQL: 0."""
    (row,) = await session.rows("sizes")
    return Sizes(**{name: row[name] for name in Sizes.__struct_fields__ if name != "free_bytes"}, free_bytes=0)
