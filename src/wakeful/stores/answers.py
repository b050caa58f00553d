"""Which answers to a run's questions are new, and which were given before."""

from __future__ import annotations

from collections.abc import Sequence

from wakeful.contracts.errors import Conflict, NotFound
from wakeful.contracts.interrupt import Decision, InterruptRecord


def sort_answers(
    decisions: Sequence[Decision], records: dict[str, InterruptRecord]
) -> tuple[dict[str, Decision], dict[str, None]]:
    """New answers by interrupt id, and the ids already answered the same way; in the order given.

    Raises `NotFound` for a target the run never asked about, `Conflict` for another answer than the first.
    """
    accepted: dict[str, Decision] = {}
    already: dict[str, None] = {}
    for decision in decisions:
        record = _find(decision.target, records)
        first = record.decision or accepted.get(record.interrupt.id)
        if first is None:
            accepted[record.interrupt.id] = decision
        elif not _same(record, first, decision):
            raise Conflict(f"interrupt {record.interrupt.id} was already decided differently; the first answer stands")
        elif record.decision:
            already[record.interrupt.id] = None
    return accepted, already


def _find(target: str, records: dict[str, InterruptRecord]) -> InterruptRecord:
    """By interrupt id, else by call id: the open one, else the latest (a call may be asked about twice)."""
    if target in records:
        return records[target]
    asked = [record for record in records.values() if record.interrupt.call_id == target]
    if not asked:
        raise NotFound("interrupt", target)
    return next((record for record in asked if record.decision is None), asked[-1])


def _same(record: InterruptRecord, first: Decision, again: Decision) -> bool:
    """Whether two answers mean the same for the run; of an approval only an explicit yes counts, and what it allows."""
    if record.interrupt.kind == "approval":
        approved = first.approved is True
        return approved is (again.approved is True) and (not approved or first.arguments == again.arguments)
    return (first.approved, first.output, first.failed) == (again.approved, again.output, again.failed)
