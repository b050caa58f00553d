"""Judges the answers to a run's questions before any is taken: all of them count, or none.

An approval or a question is answered in `resume`, by its interrupt's id; a front-end call by a tool message, by its
call id. Neither stands for the other. Both may be open in one run: what of it `resume` leaves open are front-end calls
only, and while an interrupt is open no result of a front-end call is taken, because a client that holds one sends it
again (AG-UI 1.0, interrupts).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from wakeful.contracts.interrupt import Decision, InterruptRecord
from wakeful.protocols.ag_ui.build import interrupts
from wakeful.protocols.ag_ui.decode import Resumption

Code = Literal["INTERRUPTS_OPEN", "UNKNOWN_INTERRUPT", "INTERRUPT_EXPIRED", "INTERRUPT_MISMATCH"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why answers are not taken, as the code and message of a RUN_ERROR."""

    code: Code
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """What a run asked: `waiting` says whether it still waits, `now` is the time in ms."""

    records: Sequence[InterruptRecord]
    waiting: bool
    now: int

    def asked(self, resume: Sequence[Resumption], results: Sequence[Decision]) -> bool:
        """Whether any of these answers a question of the run."""
        return any(self.interrupt(entry.target) for entry in resume) or any(
            self.call(result.target) for result in results
        )

    def interrupt(self, interrupt_id: str) -> InterruptRecord | None:
        """The approval or question with this id."""
        found = (record for record in self.records if interrupts(record.interrupt))
        return next((record for record in found if record.interrupt.id == interrupt_id), None)

    def call(self, call_id: str) -> InterruptRecord | None:
        """The front-end call with this id."""
        found = (record for record in self.records if not interrupts(record.interrupt))
        return next((record for record in found if record.interrupt.call_id == call_id), None)


def judge(
    questions: Questions, resume: Sequence[Resumption], results: Sequence[Decision]
) -> tuple[Decision, ...] | Refusal:
    """The new answers; none when all were given before, the same way. Results nobody asked for are ignored."""
    fresh: list[Decision] = []
    for entry in resume:
        record = questions.interrupt(entry.target)
        problem = _unknown(questions, entry) if record is None else _late(questions, record, entry)
        if problem is not None:
            return problem
        if record is not None and record.decision is None and questions.waiting:
            fresh.append(_answer(record, entry))
    for result in results:
        record = questions.call(result.target)
        if record is None:
            continue
        problem = _other_result(questions, record, result)
        if problem is not None:
            return problem
        if record.decision is None:
            fresh.append(result)
    return tuple(fresh)


def uncovered(questions: Questions, resume: Sequence[Resumption]) -> Refusal | None:
    """The refusal when an interrupt of a waiting run is left without an answer."""
    if not questions.waiting:
        return None
    answered = {entry.target for entry in resume}
    left = [
        record.interrupt.id
        for record in questions.records
        if interrupts(record.interrupt) and record.decision is None and record.interrupt.id not in answered
    ]
    if not left:
        return None
    return Refusal(
        "INTERRUPTS_OPEN",
        f"expected 'resume' to cover all open interrupts, found none for {', '.join(left)}; "
        "add each as 'resolved' or 'cancelled' and send all answers again",
    )


def nobody_asked(resume: Sequence[Resumption], *, waiting: bool) -> Refusal:
    """The refusal of answers that no run of the thread asked for."""
    found = ", ".join(entry.target for entry in resume)
    if waiting:
        return Refusal(
            "UNKNOWN_INTERRUPT",
            f"expected interrupts of the waiting run, found {found}; take the ids from its RUN_FINISHED",
        )
    return Refusal(
        "INTERRUPT_MISMATCH",
        f"expected a run of this thread that waits for {found}, found none; send a new message instead",
    )


def _unknown(questions: Questions, entry: Resumption) -> Refusal:
    known = [record.interrupt.id for record in questions.records if interrupts(record.interrupt)]
    return Refusal(
        "UNKNOWN_INTERRUPT",
        f"expected interrupts of the run ({', '.join(known)}), found {entry.target}; "
        "take the ids from its RUN_FINISHED, and answer front-end calls by tool messages",
    )


def _late(questions: Questions, record: InterruptRecord, entry: Resumption) -> Refusal | None:
    """Why this answer to a known interrupt comes too late, or differs from the first."""
    interrupt, answer = record.interrupt, _answer(record, entry)
    approves = answer.approved is True or (answer is entry.answer and not answer.failed)
    if record.decision is not None and _same(record, record.decision, answer):
        return None
    expired = interrupt.expires_at is not None and interrupt.expires_at <= questions.now
    if expired and (approves or (record.decision is None and not entry.cancelled)):
        return Refusal(
            "INTERRUPT_EXPIRED",
            f"expected an answer to {interrupt.id} before it expired, found one after; send it as 'cancelled'",
        )
    if record.decision is not None:
        return Refusal(
            "INTERRUPT_MISMATCH",
            f"expected the answer to {interrupt.id} that was given first, found another; the first one stands",
        )
    if approves and not questions.waiting:
        return Refusal(
            "INTERRUPT_MISMATCH",
            f"expected a run that waits for {interrupt.id}, found that it has ended; send 'cancelled' to go on",
        )
    return None


def _answer(record: InterruptRecord, entry: Resumption) -> Decision:
    return entry.decision if record.interrupt.kind == "approval" else entry.answer


def _same(record: InterruptRecord, first: Decision, again: Decision) -> bool:
    """Whether two answers mean the same: to an approval an explicit yes counts, and what it allows."""
    if record.interrupt.kind != "approval":
        return first.failed is again.failed and (first.failed or first.output == again.output)
    approved = first.approved is True
    return approved is (again.approved is True) and (not approved or first.arguments == again.arguments)


def _other_result(questions: Questions, record: InterruptRecord, result: Decision) -> Refusal | None:
    first, call_id = record.decision, record.interrupt.call_id
    if first is None and not questions.waiting:
        return Refusal(
            "INTERRUPT_MISMATCH",
            f"expected a run that waits for call {call_id}, found that it has ended; send a new message instead",
        )
    if first is not None and (first.output, first.failed) != (result.output, result.failed):
        return Refusal(
            "INTERRUPT_MISMATCH",
            f"expected the result of call {call_id} that was given first, found another; the first one stands",
        )
    return None
