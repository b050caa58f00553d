"""The end of runs that nobody carries: what is written when they are cancelled, withdrawn or superseded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from wakeful.contracts.clock import Clock
from wakeful.contracts.codec import entry
from wakeful.contracts.event import Event, RunFinished, StepFinished, StopReason, ToolCallFinished
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import Message, ToolCallPart, ToolResultPart
from wakeful.contracts.run import Run
from wakeful.contracts.store import Retirement, Store
from wakeful.engine.prompt import open_calls
from wakeful.runtime.answers import check_answers

UNANSWERED = "The run was ended before this call was answered."


async def nobody_else(_: Run) -> None:
    """What has to know of runs that work nowhere else."""


class Retirements:
    """Writes retirements. `leaving` is told of each waiting run whose end is about to be written."""

    def __init__(self, store: Store, clock: Clock, leaving: Callable[[Run], Awaitable[None]] = nobody_else) -> None:
        self._store = store
        self._clock = clock
        self._leaving = leaving

    async def of_thread(
        self, thread_key: int, reason: StopReason, answers: Sequence[Decision] = ()
    ) -> tuple[Retirement, ...]:
        """The ends of all runs of a thread that nobody carries."""
        return await self.of_runs(await self._store.open_runs(thread_key), reason, answers)

    async def of_runs(
        self, open_runs: Sequence[tuple[Run, int]], reason: StopReason, answers: Sequence[Decision] = ()
    ) -> tuple[Retirement, ...]:
        """The ends of those among them that nobody carries; each run comes with its last sequence number."""
        return tuple([await self.of(run, last_seq, reason, answers) for run, last_seq in open_runs if idle(run)])

    async def of(self, run: Run, last_seq: int, reason: StopReason, answers: Sequence[Decision] = ()) -> Retirement:
        """The end of one; the open calls of a waiting run get a cancelled result.

        A call that the client carried out gets its answer instead. An approval comes too late: nothing runs any more.
        """
        if run.status is not RunStatus.WAITING:
            return self.queued(run, last_seq, reason)
        await self._leaving(run)
        now = self._clock.now()
        calls = open_calls(await self._store.history(run.thread_key))
        done = await self._carried_out(run, answers) if answers else {}
        results = [
            _answered(call, done[call.call_id])
            if call.call_id in done
            else ToolResultPart(call.call_id, call.name, "cancelled", UNANSWERED)
            for call in calls
        ]
        messages = tuple(
            Message(self._clock.new_id(), "tool", (result,), now, run_id=run.id, step=run.steps) for result in results
        )
        ends = [
            ToolCallFinished(result.call_id, result.name, result.status, result.output, message.id)
            for result, message in zip(results, messages, strict=True)
        ]
        events = (*ends, StepFinished(run.steps), RunFinished("cancelled", reason, run.usage))
        return self._retirement(run, last_seq, reason, events, messages)

    async def _carried_out(self, run: Run, answers: Sequence[Decision]) -> dict[str, Decision]:
        """The client's answers by call, given now or before; the first one stands. Raises `BadRequest`."""
        found: dict[str, Decision] = {}
        records = await self._store.interrupts(run.key)
        check_answers(records, answers, {})
        for record in records:
            asked = record.interrupt
            if asked.kind == "frontend_tool":
                given = (answer for answer in answers if answer.target in (asked.id, asked.call_id))
                decision = record.decision or next(given, None)
                if decision is not None:
                    found[asked.call_id] = decision
        return found

    def queued(self, run: Run, last_seq: int, reason: StopReason) -> Retirement:
        """The end of a run that was never carried."""
        outcome = "completed" if reason == "steered" else "cancelled"
        return self._retirement(run, last_seq, reason, (RunFinished(outcome, reason, run.usage),), ())

    def _retirement(
        self, run: Run, last_seq: int, reason: StopReason, events: tuple[Event, ...], messages: tuple[Message, ...]
    ) -> Retirement:
        now = self._clock.now()
        return Retirement(
            run_key=run.key,
            expected=run.status,
            last_seq=last_seq,
            status=RunStatus.COMPLETED if reason == "steered" else RunStatus.CANCELLED,
            entries=tuple(entry(last_seq + 1 + i, now, event) for i, event in enumerate(events)),
            messages=messages,
            stop_reason=reason,
            at=now,
        )


def _answered(call: ToolCallPart, decision: Decision) -> ToolResultPart:
    return ToolResultPart(call.call_id, call.name, "failed" if decision.failed else "succeeded", decision.output)


def idle(run: Run) -> bool:
    """Whether nobody has to be told when this run ends: it waits, or it was never begun.

    A run that was begun and handed back has a step to close; the worker that claims it next does that.
    """
    return run.status is RunStatus.WAITING or (run.status is RunStatus.QUEUED and run.attempt == 0)
