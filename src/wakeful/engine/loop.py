"""The loop: one model reply and its tool calls after the other, until the run comes to rest."""

from __future__ import annotations

from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import ModelError
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
from wakeful.engine.assignment import Assignment, Ending, Unfinished
from wakeful.engine.gate import Allow, Answer, Ask, Gate
from wakeful.engine.inference import Inference
from wakeful.engine.prompt import build, open_calls
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
        self._assignment = assignment
        self._journal = journal
        self._clock = clock
        self._history = list(assignment.history)
        self._toolbox = Toolbox(assignment.run, journal, clock)
        self._steps = assignment.run.steps
        self._step_open = assignment.unfinished is not None
        self._inference: Inference | None = None
        self._put_back = False

    async def run(self) -> Ending:
        """Carry the run until it rests. Model failures become a failed ending; `LeaseLost` passes through."""
        try:
            ending = await self._finish_unfinished()
            while ending is None:
                if self._put_back:
                    return Ending(status=RunStatus.QUEUED)
                if self._steps >= self._assignment.agent.max_steps:
                    return Ending(status=RunStatus.COMPLETED, stop_reason="max_steps")
                ending = await self._step(self._steps + 1, self._clock.new_id(), restart=False)
        except ModelError as error:
            self.salvage()
            report = ErrorReport(error.code, error.message)
            return Ending(status=RunStatus.FAILED, stop_reason="error", error=report)
        return ending

    def stop_at_boundary(self) -> bool:
        """End as queued once the tools that run now are done; False when none runs and nothing need be waited for."""
        self._put_back = self._toolbox.busy
        return self._put_back

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

    async def _finish_unfinished(self) -> Ending | None:
        unfinished = self._assignment.unfinished
        if unfinished is None:
            return None
        if unfinished.reply is None:
            return await self._step(unfinished.step, unfinished.message_id, restart=True)
        reply = next((message for message in self._history if message.id == unfinished.message_id), None)
        if reply is None or not reply.tool_calls:
            return self._close_step((), unfinished.reply)
        records = self._assignment.interrupts
        gate = Gate(self._assignment, records=records, started=unfinished.started_calls)
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
        reply = await self._inference.ask(build(self._assignment, self._history))
        self._inference = None
        self._journal.emit(reply.finished)
        if reply.message.parts:
            self._commit(reply.message)
        calls, reason = reply.message.tool_calls, reply.finished.finish_reason
        for call in calls:
            frontend = call.name in self._assignment.frontend and call.name not in self._assignment.tools
            self._journal.emit(ToolCallReady(call.call_id, call.name, call.arguments, frontend))
        return await self._finish_calls(Gate(self._assignment), calls, reason) or self._close_step(calls, reason)

    async def _finish_calls(self, gate: Gate, calls: tuple[ToolCallPart, ...], reason: FinishReason) -> Ending | None:
        """Bring the open calls of a step to their results; an ending when questions are left."""
        allowed: list[Allow] = []
        questions: list[Interrupt] = []
        for call in calls:
            verdict = Answer(call, "cancelled", CALL_CUT_OFF) if reason in CUT_OFF else self._judge(gate, call)
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
        return self._wait(questions) if questions else None

    def _judge(self, gate: Gate, call: ToolCallPart) -> Allow | Answer | Ask:
        return gate.judge(call, self._clock.new_id())

    def _close_step(self, calls: tuple[ToolCallPart, ...], reason: FinishReason) -> Ending | None:
        """Finish the step; the run is answered unless results of `calls` wait to be read."""
        self._finish_step()
        if calls and reason not in CUT_OFF:
            return None
        return Ending(status=RunStatus.COMPLETED, stop_reason=STOP_REASONS[reason])

    def _wait(self, questions: list[Interrupt]) -> Ending:
        known = {record.interrupt.id for record in self._assignment.interrupts}
        for interrupt in questions:
            if interrupt.id not in known:
                self._journal.emit(InterruptRaised(interrupt))
        return Ending(status=RunStatus.WAITING, interrupts=tuple(questions))

    def _note_decisions(self, gate: Gate, calls: tuple[ToolCallPart, ...], unfinished: Unfinished) -> None:
        for call in calls:
            record = gate.decision(call)
            if record is not None and record.decision is not None and record.interrupt.id not in unfinished.noted:
                given = record.decision
                self._journal.emit(InterruptDecided(record.interrupt.id, call.call_id, given.approved, given.reason))

    def _finish_step(self) -> None:
        self._step_open = False
        self._journal.emit(StepFinished(self._steps))

    def _commit(self, message: Message) -> None:
        self._history.append(message)
        self._journal.commit(message)
