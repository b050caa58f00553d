"""The questions of runs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from wakeful.contracts.errors import Damaged
from wakeful.contracts.interrupt import Interrupt, InterruptRecord
from wakeful.contracts.run import Run
from wakeful.stores.rows import interrupt_of, interrupt_record_of, json_blob, run_of
from wakeful.stores.sqlite.session import Session


def raise_interrupts(session: Session, run_key: int, interrupts: Sequence[Interrupt]) -> None:
    """Ask, after whatever the run asked before."""
    if not interrupts:
        return
    last = session.value("last_interrupt_position", run_key=run_key)
    session.many(
        "insert_interrupt",
        (
            (run_key, position, interrupt.id, json_blob(interrupt), interrupt.expires_at)
            for position, interrupt in enumerate(interrupts, last + 1)
        ),
    )


def interrupts(session: Session, run_key: int) -> tuple[InterruptRecord, ...]:
    """All interrupts of a run, in the order they were raised."""
    return tuple(interrupt_record_of(row) for row in session.rows("interrupts", run_key=run_key))


def expired_interrupts(session: Session, now: int, limit: int) -> tuple[tuple[Run, Interrupt], ...]:
    """Open questions whose time is over, with their waiting runs, oldest first; damaged ones do not hide the rest."""
    found: list[tuple[Run, Interrupt]] = []
    for row in session.rows("expired_interrupts", now=now, limit=limit):
        with suppress(Damaged):
            found.append((run_of(row), interrupt_of(row["interrupt_id"], row["body"])))
    return tuple(found)
