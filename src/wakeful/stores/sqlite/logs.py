"""Logs of runs: rows of their own while a run goes on, packed when it is old."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from wakeful.contracts.errors import NotFound
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.query import LogPage
from wakeful.stores.packing import Stored, unpack
from wakeful.stores.rows import log_entry
from wakeful.stores.sqlite.lists import json_list
from wakeful.stores.sqlite.session import Session


def read_log(session: Session, run_key: int, after: int, limit: int) -> LogPage:
    """Entries with `seq > after`, and the run's status in the same snapshot."""
    state = session.row("log_state", key=run_key)
    if state is None:
        raise NotFound("run", "removed with its thread")
    stored = _packed(session, run_key, after) if state["log"] == "packed" else _rows(session, run_key, after, limit + 1)
    found = tuple(islice(stored, limit + 1))
    entries = tuple(log_entry(*one) for one in found[:limit])
    return LogPage(entries, RunStatus(state["status"]), len(found) > limit, state["leased_until"] or 0)


def last_seqs(session: Session, run_keys: Sequence[int]) -> dict[int, int]:
    """The last sequence number of each of these runs."""
    return {row["key"]: row["last_seq"] for row in session.rows("last_seqs", keys=json_list(run_keys))}


def _rows(session: Session, run_key: int, after: int, limit: int) -> Iterable[Stored]:
    rows = session.rows("read_events", run_key=run_key, after=after, limit=limit)
    return ((row["seq"], row["at"], row["body"]) for row in rows)


def _packed(session: Session, run_key: int, after: int) -> Iterator[Stored]:
    """From the pack that holds what follows `after`; later ones are opened only when they are needed."""
    while pack := session.row("read_pack", run_key=run_key, after=after):
        yield from (one for one in unpack(pack) if one[0] > after)
        after = pack["last_seq"]
