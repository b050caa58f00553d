"""Turns a run's log into AG-UI events: a state machine that remembers only what is open.

A stream is one or more segments, each `RUN_STARTED … RUN_FINISHED | RUN_ERROR`, with everything opened closed
before the end (AG-UI 1.0, event ordering). Text and reasoning never overlap and are closed before a tool call.

AG-UI has no event that takes a message back, and a second `TEXT_MESSAGE_START` of a known id adds to the old text. So
when a step restarts, each message its void attempt showed is replaced by an empty activity of the type `void`, which no
client shows or sends, and the new attempt's messages have ids of their own (`ids.py`). `CUSTOM step_restarted` says so
to those who keep messages by themselves: whatever has the id `messageId`, or one that begins with it, is void. The
step stays open. What the void attempt and its restart send leaves open what was open before them, so that a replay can
leave them out. Arguments that a human changed are in the history only: a call that has ended takes no more of them.

Before a question comes what the client should hold: `STATE_SNAPSHOT` (`state.py`) and `MESSAGES_SNAPSHOT` (`held.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import msgspec

from wakeful.contracts import event as log
from wakeful.contracts.interrupt import Interrupt
from wakeful.contracts.json import JsonObject
from wakeful.contracts.message import DataPart
from wakeful.contracts.usage import Usage
from wakeful.protocols.ag_ui import build, wire
from wakeful.protocols.ag_ui.blocks import Blocks
from wakeful.protocols.ag_ui.calls import Calls
from wakeful.protocols.ag_ui.held import Held
from wakeful.protocols.ag_ui.messages import HistoryMessage
from wakeful.protocols.ag_ui.segment import Segment, has_reasoning
from wakeful.protocols.ag_ui.state import SharedState
from wakeful.protocols.ag_ui.step import Step
from wakeful.protocols.ag_ui.subagents import Subagents

CUSTOM_EVENTS = (
    "artifact",
    "data",
    "file",
    "retry_scheduled",
    "source",
    "status",
    "steered",
    "step_restarted",
    "subagent_finished",
    "subagent_started",
)
"""Names of all `CUSTOM` events; the last two are for clients older than 1.0."""


class Encoder:
    """Feed it a run's log in order, from the first event of a segment; it never fails and awaits nothing.

    The same log gives the same bytes. Only `client_run_id`, the run id the client sent, is shown; `run_id` stays
    inside. `protocol_version` is what the client declared: one that declared none is spared what older clients refuse
    (the outcomes `cancelled` and `pendingToolCallIds`, SUBAGENT_*). `sent` are the messages the client sent and holds,
    None when that is not known. `before` are those a returning client is given instead, and `purge` says that it may
    hold reasoning that was taken back. `answered` are the interrupts of the run's present wait that have an answer.
    """

    def __init__(
        self,
        *,
        run_id: str,
        thread_id: str,
        client_run_id: str,
        protocol_version: str | None = None,
        before: list[HistoryMessage] | None = None,
        purge: bool = False,
        sent: Sequence[msgspec.Raw] | None = None,
        answered: AbstractSet[str] = frozenset(),
    ) -> None:
        self._thread_id = thread_id
        self._client_run_id = client_run_id
        self._modern = speaks_outcomes(protocol_version)
        self._answered = answered
        held = Held(sent if before is None else _without_reasoning(before))
        reclaim = before is not None and not purge and not has_reasoning(before)
        segment = Segment(thread_id=thread_id, client_run_id=client_run_id, before=before, purge=purge)
        self._segment, self._held = segment, held
        self._step = Step(segment, client_run_id)
        self._blocks = Blocks(segment, self._step, held, reclaim=reclaim)
        self._calls = Calls(segment, self._step, self._blocks, held)
        self._state = SharedState(segment)
        self._subagents = Subagents(segment, modern=self._modern)
        self._usage: dict[tuple[str, str], Usage] = {}

    def encode(self, entry: log.LogEntry) -> list[bytes]:
        """The events this entry adds, each one JSON object without SSE framing."""
        event = entry.event
        if self._segment.ended and not isinstance(event, log.RunStarted):
            return []
        self._segment.at = entry.at
        match event:
            case log.TextDelta():
                self._blocks.text(event.delta)
            case log.ToolCallDelta():
                self._calls.more_arguments(event.call_id, event.delta)
            case log.ReasoningDelta():
                self._blocks.reasoning(event.delta)
            case log.ReasoningSealed():
                self._blocks.seal(event)
            case log.RunStarted() | log.RunWaiting() | log.RunFinished():
                self._on_run(event)
            case log.StepStarted() | log.StepRestarted() | log.StepFinished():
                self._on_step(event)
            case log.ToolCallProposed() | log.ToolCallReady() | log.ToolCallFinished():
                self._on_call(event)
            case _:
                self._on_notice(event)
        return self._segment.take()

    # -- the run

    def _on_run(self, event: log.RunStarted | log.RunWaiting | log.RunFinished) -> None:
        match event:
            case log.RunStarted():
                if self._segment.ended:
                    self._segment.renew()
                    self._subagents.begin()
                    self._usage.clear()
                self._state.begin()
                self._segment.begin()
            case log.RunWaiting(interrupts):
                self._wait(interrupts)
            case log.RunFinished(_, reason):
                self._segment.begin()
                self._subagents.call_off(f"The run ended before this agent did: {reason}.")
                self._calls.call_off(f"The run ended before this call did: {reason}.")
                self._blocks.close()
                self._step.leave()
                self._segment.end(self._last(event))

    def _wait(self, interrupts: tuple[Interrupt, ...]) -> None:
        """Approvals and questions interrupt; front-end calls alone are a success the client goes on from."""
        self._segment.begin()
        self._blocks.close()
        self._calls.end_all()
        self._subagents.suspend()
        self._step.leave()
        still_open = [interrupt for interrupt in interrupts if interrupt.id not in self._answered] or interrupts
        asked = [build.interrupt(interrupt) for interrupt in still_open if build.interrupts(interrupt)]
        if not asked:
            pending = [interrupt.call_id for interrupt in still_open]
            self._segment.end(self._finished(wire.SuccessOutcome(pending) if self._modern else None))
            return
        self._state.show_again()
        messages = self._held.messages()
        if messages is not None:
            self._segment.put(wire.MessagesSnapshot(messages=messages, timestamp=self._segment.at))
        self._segment.end(self._finished(wire.InterruptOutcome(asked)))

    def _last(self, event: log.RunFinished) -> wire.RunFinished | wire.RunError:
        if event.outcome == "failed":
            error = event.error or log.ErrorReport("internal", "The run failed.")
            return self._error(error.message, error.code)
        if event.outcome == "cancelled" and not self._modern:
            why = build.CANCELLED.get(event.stop_reason, "cancelled")
            return self._error(f"Run {why}.", "CANCELLED")
        if event.stop_reason == "content_filter":
            return self._error("The provider's content filter blocked the answer.", "BLOCKED")
        stopped = event.outcome == "cancelled" or event.stop_reason in build.LIMITS
        outcome = wire.CancelledOutcome() if stopped else wire.SuccessOutcome()
        return self._finished(outcome if self._modern else None, {"stopReason": event.stop_reason})

    def _finished(self, outcome: wire.Outcome | None, result: JsonObject | None = None) -> wire.RunFinished:
        return wire.RunFinished(
            thread_id=self._thread_id,
            run_id=self._client_run_id,
            result=result,
            outcome=outcome,
            usage=self._usage_report(),
            timestamp=self._segment.at,
        )

    def _error(self, message: str, code: str) -> wire.RunError:
        return wire.RunError(message=message, code=code, usage=self._usage_report(), timestamp=self._segment.at)

    def _usage_report(self) -> list[wire.TokenUsage] | None:
        """This segment's model calls; an earlier segment reported its own."""
        return [build.tokens(provider, model, usage) for (provider, model), usage in self._usage.items()] or None

    # -- steps and calls

    def _on_step(self, event: log.StepStarted | log.StepRestarted | log.StepFinished) -> None:
        match event:
            case log.StepStarted():
                self._blocks.close()
                self._step.enter(event)
            case log.StepRestarted():
                self._restart_step(event)
            case log.StepFinished():
                self._blocks.close()
                self._step.leave()

    def _restart_step(self, event: log.StepRestarted) -> None:
        self._blocks.void()
        self._calls.call_off("This call was interrupted; the model is asked again.")
        unknown = self._step.ids.likely if event.reason == "resumed" else ()  # shown by a lost process, not committed
        void = list(dict.fromkeys([*self._step.ids.given, *unknown]))
        for message_id in void:
            self._segment.put(build.void(message_id, self._segment.at))
        self._held.void(void)
        self._state.doubt()
        self._step.again(event)
        self._segment.custom("step_restarted", build.restart(event))

    def _on_call(self, event: log.ToolCallProposed | log.ToolCallReady | log.ToolCallFinished) -> None:
        match event:
            case log.ToolCallProposed(call_id, name):
                self._calls.propose(call_id, name)
            case log.ToolCallReady():
                self._calls.ready(event)
            case log.ToolCallFinished(call_id):
                self._subagents.call_over(call_id)
                self._calls.finish(event)

    # -- what stands beside messages and calls

    def _on_notice(self, event: log.Event) -> None:
        match event:
            case log.StateReplaced():
                self._state.replace(event)
            case log.StateChanged():
                self._state.change(event)
            case log.SubagentStarted():
                self._subagents.start(event)
            case log.SubagentFinished():
                self._subagents.finish(event)
            case log.ToolProgressed():
                self._segment.put(build.activity(event, self._segment.at))
            case log.ModelCallFinished():
                key = (event.provider, event.model)
                self._usage[key] = self._usage.get(key, Usage()) + event.usage
            case _:
                self._on_rest(event)

    def _on_rest(self, event: log.Event) -> None:
        match event:
            case log.SourceCited() | log.FileGenerated() | log.DataEmitted() | log.ArtifactChanged():
                self._on_find(event)
            case log.StatusNoted(message):
                self._segment.custom("status", {"message": message})
            case log.RetryScheduled():
                self._segment.custom("retry_scheduled", build.retry(event))
            case log.MessageCommitted(message_id, "user", parts):
                self._held.joined(message_id, parts)
                self._segment.custom("steered", build.steered(message_id, parts))
            case _:
                pass

    def _on_find(self, event: log.SourceCited | log.FileGenerated | log.DataEmitted | log.ArtifactChanged) -> None:
        match event:
            case log.SourceCited(source, call_id):
                self._segment.custom("source", build.source(source) | self._place(call_id))
            case log.FileGenerated(file, call_id):
                if call_id is None:
                    self._blocks.close()
                self._segment.custom("file", build.file(file) | self._place(call_id))
            case log.DataEmitted(data, name):
                self._blocks.close()
                self._segment.custom("data", build.value(DataPart(data, name)) | self._place(None))
            case log.ArtifactChanged():
                if not self._step.has(event.id):
                    self._blocks.close()
                place: JsonObject = {"messageId": self._step.place_of(event.id)}
                self._segment.custom("artifact", build.artifact_change(event) | place)

    def _place(self, call_id: str | None) -> JsonObject:
        """Where a source, file, value or artifact belongs: {messageId}, or {toolCallId} when a call brought it."""
        return {"messageId": self._step.ids.latest_text} if call_id is None else {"toolCallId": call_id}


def _without_reasoning(before: list[HistoryMessage]) -> list[msgspec.Raw]:
    return [msgspec.Raw(msgspec.json.encode(message)) for message in before if message.role != "reasoning"]


def speaks_outcomes(protocol_version: str | None) -> bool:
    """Whether a client that declared this version reads the outcomes of AG-UI 1.0."""
    return protocol_version is not None and not protocol_version.startswith("0")
