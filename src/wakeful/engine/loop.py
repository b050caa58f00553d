"""The loop: one model reply and its tool calls after the other, until the run comes to rest."""

from __future__ import annotations

import msgspec

from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import ConfigurationError, ModelError
from wakeful.contracts.event import (
    ErrorReport,
    FinishReason,
    InterruptDecided,
    InterruptRaised,
    StepFinished,
    StepRestarted,
    StepStarted,
    StopReason,
    ToolCallReady,
)
from wakeful.contracts.interrupt import Interrupt
from wakeful.contracts.journal import Journal
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import Message, ToolCallPart
from wakeful.contracts.usage import Usage
from wakeful.engine.assignment import Assignment, Ending, ModelSource, Unfinished
from wakeful.engine.gate import Allow, Answer, Ask, Gate
from wakeful.engine.inference import Inference
from wakeful.engine.limits import Limits, Spent, closed_steps
from wakeful.engine.prompt import open_calls
from wakeful.engine.source import attempts
from wakeful.engine.state import SharedState
from wakeful.engine.toolbox import Toolbox

STOP_REASONS: dict[FinishReason, StopReason] = {
    "stop": "answered",
    "tool_calls": "answered",
    "length": "max_output",
    "content_filter": "content_filter",
}
CUT_OFF = frozenset[FinishReason]({"length", "content_filter"})
CALL_CUT_OFF = "The reply was cut off, so this call may be incomplete. It was not carried out."


class Loop:
    """Carries one assignment. Run it once; after a cancellation call `salvage` to keep what can be kept."""

    def __init__(self, assignment: Assignment, journal: Journal, clock: Clock) -> None:
        agent, unfinished = assignment.agent, assignment.unfinished
        self._assignment = assignment
        self._journal = journal
        self._clock = clock
        self._began = clock.now()
        self._history = list(assignment.history)
        self._state = SharedState(assignment.state, journal)
        self._toolbox = Toolbox(
            assignment.run, journal, clock, state=self._state, max_output_bytes=agent.max_tool_output_bytes
        )
        self._limits = Limits(agent)
        self._steps = assignment.run.steps
        self._usage = assignment.run.usage
        self._step_open = unfinished is not None
        self._inference: Inference | None = None
        self._put_back = False
        closed = closed_steps(self._history, assignment.run.id, before=unfinished.step if unfinished else None)
        for step in closed:
            self._limits.add(step)
        self._last = closed[-1] if closed else None
        self._answered = bool(closed) and closed[-1].reply.step == self._steps and not closed[-1].calls

    async def run(self) -> Ending:
        """Carry the run until it rests. `LeaseLost` passes through, what is wrong with the model is an ending.

        A failure that may pass leaves the step open and its partial text to `salvage`.
        """
        try:
            self._refuse_unpriced()
            unfinished = self._assignment.unfinished
            ending = await self._finish_unfinished(unfinished) if unfinished else self._end_of_last_step()
            while ending is None:
                if self._put_back:
                    return Ending(status=RunStatus.QUEUED)
                if self._journal.steered:
                    self._history.extend(await self._journal.take_steered())
                ending = await self._step(self._steps + 1, self._clock.new_id(), restart=False)
        except (ModelError, ConfigurationError) as error:
            return self._failure(error)
        return ending

    def stop_at_boundary(self) -> bool:
        """End as queued once the step is done, if the run then goes on; False when no step is in progress."""
        self._put_back = True
        return self._step_open

    def salvage(self) -> None:
        """Close the step that is open, if one is: keep partial text, answer open calls as cancelled."""
        if not self._step_open:
            return
        partial = self._inference.partial() if self._inference else None
        if partial is not None:
            self._commit(partial)
        elif self._inference is None:
            for call in open_calls([*self._history, *self._toolbox.results]):
                self._toolbox.answer(call, "cancelled", "The run was stopped.", self._steps)
        self._finish_step()

    def _refuse_unpriced(self) -> None:
        agent, source = self._assignment.agent, self._assignment.source
        if agent.max_cost is None or not isinstance(source, ModelSource):
            return
        if self._assignment.prices.cost(source.name, source.model, Usage()) is None:
            raise ConfigurationError(
                f"agent {agent.id!r} has max_cost, but the price of model {source.model!r} of {source.name!r} is not "
                "known; take a model with a known price, or another limit such as max_tokens"
            )

    def _failure(self, error: ModelError | ConfigurationError) -> Ending:
        report = ErrorReport(error.code, error.message)
        if isinstance(error, ModelError) and error.retryable:
            return Ending(status=RunStatus.QUEUED, error=report, retry_after_ms=error.retry_after_ms)
        self.salvage()
        return Ending(status=RunStatus.FAILED, stop_reason="error", error=report)

    async def _finish_unfinished(self, unfinished: Unfinished) -> Ending | None:
        if unfinished.reply is None:
            return await self._step(unfinished.step, unfinished.message_id, restart=True)
        reply = next((message for message in self._history if message.id == unfinished.message_id), None)
        if reply is None or not reply.tool_calls:
            return self._close_step((), unfinished.reply)
        records = self._assignment.interrupts
        gate = Gate(self._assignment, self._clock, records=records, started=unfinished.started_calls)
        calls = open_calls(self._history)
        self._note_decisions(gate, calls, unfinished)
        return await self._finish_calls(gate, calls, unfinished.reply) or self._close_step(
            reply.tool_calls, unfinished.reply
        )

    async def _step(self, step: int, message_id: str, *, restart: bool) -> Ending | None:
        self._steps = step
        self._step_open = True
        begun = StepRestarted(step, message_id, "resumed") if restart else StepStarted(step, message_id)
        self._journal.emit(begun)
        self._inference = Inference(self._assignment, self._journal, self._clock, step=step, message_id=message_id)
        reply = await self._inference.ask(attempts(self._assignment, self._history, self._state.current, step))
        self._inference = None
        self._usage = self._usage + reply.finished.usage
        self._journal.emit(reply.finished)
        if reply.message.parts:
            self._commit(reply.message)
        calls, reason = reply.message.tool_calls, reply.finished.finish_reason
        gate = Gate(self._assignment, self._clock)
        self._journal.emit(
            *(ToolCallReady(call.call_id, call.name, call.arguments, gate.client_runs(call)) for call in calls)
        )
        return await self._finish_calls(gate, calls, reason) or self._close_step(calls, reason)

    async def _finish_calls(self, gate: Gate, calls: tuple[ToolCallPart, ...], reason: FinishReason) -> Ending | None:
        """Bring the open calls of a step to their results; an ending when questions are left."""
        allowed: list[Allow] = []
        questions: list[Interrupt] = []
        for call in calls:
            verdict = Answer(call, "cancelled", CALL_CUT_OFF) if reason in CUT_OFF else gate.judge(call)
            match verdict:
                case Allow():
                    allowed.append(verdict)
                case Answer():
                    self._toolbox.answer(call, verdict.status, verdict.output, self._steps)
                case Ask():
                    questions.append(verdict.interrupt)
        await self._toolbox.run_all(allowed, self._steps)
        self._history.extend(self._toolbox.results)
        self._toolbox.results.clear()
        questions.extend(gate.question(call, asked) for call, asked in self._toolbox.questions)
        self._toolbox.questions.clear()
        return self._wait(questions) if questions else None

    def _close_step(self, calls: tuple[ToolCallPart, ...], reason: FinishReason) -> Ending | None:
        """Finish the step; the run is answered unless results of `calls` wait to be read, or a limit ends it."""
        self._finish_step()
        if not calls or reason in CUT_OFF:
            return Ending(status=RunStatus.COMPLETED, stop_reason=STOP_REASONS[reason])
        reply = next(i for i in reversed(range(len(self._history))) if self._history[i].role == "assistant")
        for step in closed_steps(self._history[reply:], self._assignment.run.id):
            self._limits.add(step)
            self._last = step
        return self._end_of_last_step()

    def _end_of_last_step(self) -> Ending | None:
        """How the last closed step ended the run, if it did."""
        if self._answered:
            return Ending(status=RunStatus.COMPLETED, stop_reason="answered")
        if self._steps == 0:
            return None
        taker = self._taker()
        if taker is not None:
            return Ending(status=RunStatus.QUEUED, agent_id=taker)
        active_ms = self._assignment.active_ms + max(self._clock.now() - self._began, 0)
        reason = self._limits.reached(Spent(steps=self._steps, usage=self._usage, active_ms=active_ms))
        return Ending(status=RunStatus.COMPLETED, stop_reason=reason) if reason else None

    def _taker(self) -> str | None:
        """The agent to whom the last closed step handed the run."""
        results = self._last.results if self._last else ()
        handed = (self._assignment.handoffs.get(one.name) for one in results if one.status == "succeeded")
        return next((agent_id for agent_id in handed if agent_id is not None), None)

    def _wait(self, questions: list[Interrupt]) -> Ending:
        known = {record.interrupt.id for record in self._assignment.interrupts}
        for interrupt in questions:
            if interrupt.id not in known:
                self._journal.emit(InterruptRaised(interrupt))
        return Ending(status=RunStatus.WAITING, interrupts=tuple(questions))

    def _note_decisions(self, gate: Gate, calls: tuple[ToolCallPart, ...], unfinished: Unfinished) -> None:
        for call in calls:
            for interrupt, given in gate.decided(call):
                if interrupt.id not in unfinished.noted:
                    edited = None if given.arguments is None else msgspec.json.encode(given.arguments).decode()
                    self._journal.emit(
                        InterruptDecided(interrupt.id, call.call_id, given.approved, given.reason, edited)
                    )

    def _finish_step(self) -> None:
        self._step_open = False
        self._journal.emit(StepFinished(self._steps))

    def _commit(self, message: Message) -> None:
        self._history.append(message)
        self._journal.commit(message)
