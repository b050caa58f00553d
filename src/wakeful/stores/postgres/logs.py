"""Logs of runs: rows of their own while a run goes on, packed when it is old."""

from __future__ import annotations

from collections.abc import Sequence

from wakeful.contracts.errors import NotFound
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.query import LogPage
from wakeful.stores.packing import Stored, unpack
from wakeful.stores.postgres.session import Row, Session
from wakeful.stores.rows import log_entry


async def read_open_log(session: Session, run_key: int, after: int, limit: int) -> LogPage | None:
    """Entries with `seq > after` and the run's status, None when the log is packed; one statement.

    Raises `NotFound` when the run's thread was removed.
    """
    rows = await session.rows("read_log", run_key=run_key, after=after, limit=limit + 1)
    if not rows:
        raise _removed()
    if rows[0]["log"] == "packed":
        return None
    found = [(row["seq"], row["at"], row["body"]) for row in rows if row["seq"] is not None]
    return _page(found, rows[0], limit)


async def read_packed_log(session: Session, run_key: int, after: int, limit: int) -> LogPage:
    """The same of a packed log; packs are opened only as far as they are needed."""
    rows = await session.rows("read_log", run_key=run_key, after=after, limit=0)
    if not rows:
        raise _removed()
    found: list[Stored] = []
    seen = after
    while len(found) <= limit and (pack := await session.row("read_pack", run_key=run_key, after=seen)):
        found.extend(one for one in unpack(pack) if one[0] > after)
        seen = pack["last_seq"]
    return _page(found, rows[0], limit)


async def last_seqs(session: Session, run_keys: Sequence[int]) -> dict[int, int]:
    """The last sequence number of each of these runs."""
    return {row["key"]: row["last_seq"] for row in await session.rows("last_seqs", keys=list(run_keys))}


def _page(found: Sequence[Stored], run: Row, limit: int) -> LogPage:
    entries = tuple(log_entry(*one) for one in found[:limit])
    return LogPage(entries, RunStatus(run["status"]), len(found) > limit, run["leased_until"] or 0)


def _removed() -> NotFound:
    return NotFound("run", "removed with its thread")
