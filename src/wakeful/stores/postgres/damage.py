"""What becomes of a run whose rows cannot be read when a worker wants it."""

from __future__ import annotations

from wakeful.contracts.codec import entry
from wakeful.contracts.errors import Damaged
from wakeful.contracts.event import ErrorReport, RunFinished
from wakeful.stores.postgres.runs import write_entries
from wakeful.stores.postgres.session import Row, Session
from wakeful.stores.rows import json_blob

# More than a worker may have shown of the log without having committed it.
SHOWN_AHEAD = 1_024


async def give_up(session: Session, due: Row, error: Damaged, at: int) -> None:
    """End a run that was due and its dispatch, which is kept as a dead letter; the next of its thread becomes due.

    `due` is its row of the query `due_dispatches`. Readers of its log see it end.
    """
    report = ErrorReport(error.code, error.message)
    last_seq = due["last_seq"] + (1 if due["attempt"] == 0 else SHOWN_AHEAD)
    await session.must_change("give_up", key=due["key"], error=json_blob(report), at=at)
    await session.must_change("fail_run", key=due["run_key"], error=json_blob(report), last_seq=last_seq, at=at)
    end = RunFinished("failed", "error", error=report)
    await write_entries(session, due["run_key"], (entry(last_seq, at, end),))
    promoted = await session.changes("promote_next", thread_key=due["thread_key"], at=at)
    session.announce(logs=due["run_key"], work=promoted)
