"""Turns one run's log into AI SDK chunks: a state machine that remembers only what is open.

A stream is one or more segments, each `start … finish | abort | error + finish`; a segment after a wait continues
the same UI message. On the wire: text and reasoning never overlap and are closed before a tool call, a step's end
and the stream's end; each step is `start-step … finish-step`. What became of a call that an earlier segment showed
comes before the first `start-step`: clients look for a call, and for an open question, in the message's last step.

What a restarted step had shown is void. Major 7 takes it back with `reset-step`. Major 6 cannot: the step is closed,
and a new one begins with `data-step-restarted`. Either way the chunks of the void part and of its restart together
leave open what was open before them, so that a replay can leave them out.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from wakeful.contracts.event import (
    Event,
    InterruptDecided,
    InterruptRaised,
    LogEntry,
    MessageCommitted,
    ReasoningDelta,
    ReasoningSealed,
    RetryScheduled,
    RunFinished,
    RunStarted,
    RunWaiting,
    StepFinished,
    StepRestarted,
    StepStarted,
    TextDelta,
    ToolCallDelta,
    ToolCallFinished,
    ToolCallProposed,
    ToolCallReady,
    ToolCallStarted,
    ToolProgressed,
)
from wakeful.protocols.ai_sdk import build, wire

Dialect = Literal["6", "7"]
"""The major version whose chunks are used; 6 is understood by all."""

_json = msgspec.json.encode


class _Call:
    """A tool call without a result so far.

    `delta` is the head of its `tool-input-delta` chunks, `edited` the arguments a human wants it to run with.
    """

    __slots__ = ("by_server", "delta", "edited", "ready")

    def __init__(self, call_id: str, *, ready: bool = False) -> None:
        self.delta = b'{"type":"tool-input-delta","toolCallId":' + _json(call_id) + b',"inputTextDelta":'
        self.ready = ready
        self.by_server = False
        self.edited: str | None = None


class Encoder:
    """Feed it a run's log in order, from the first event of a segment; it never fails and awaits nothing.

    The same log gives the same bytes. A stream that begins with the segment after a wait sends `start` without a
    message id: the client then continues the message it already has.
    """

    def __init__(self, *, run_id: str, thread_id: str, dialect: Dialect = "6") -> None:
        self._run = wire.RunMetadata(run_id, thread_id)
        self._dialect: Dialect = dialect
        self._message_id: str | None = None
        self._started = False
        self._ended = False
        self._in_step = False
        self._resumed = False
        self._open: Literal["text", "reasoning"] | None = None
        self._block_id = ""
        self._delta = b""
        self._blocks = {"text": 0, "reasoning": 0}
        self._calls: dict[str, _Call] = {}

    def encode(self, entry: LogEntry) -> list[bytes]:
        """The chunks this entry adds, each one JSON object without SSE framing."""
        event = entry.event
        if self._ended and not isinstance(event, RunStarted):
            return []
        out: list[bytes] = []
        match event:
            case TextDelta(delta):
                self._more("text", delta, out)
            case ToolCallDelta(call_id, delta):
                call = self._calls.get(call_id)
                if call is not None and not call.ready:
                    out.append(call.delta + _json(delta) + b"}")
            case ReasoningDelta(delta):
                self._more("reasoning", delta, out)
            case ReasoningSealed():
                self._seal(event, out)
            case RunStarted() | RunWaiting() | RunFinished():
                self._on_run(event, out)
            case StepStarted() | StepRestarted() | StepFinished():
                self._on_step(event, out)
            case _:
                self._on_call(event, out)
        return out

    # -- text and reasoning

    def _more(self, kind: Literal["text", "reasoning"], delta: str, out: list[bytes]) -> None:
        if self._open != kind:
            self._open_block(kind, out)
        out.append(self._delta + _json(delta) + b"}")

    def _open_block(self, kind: Literal["text", "reasoning"], out: list[bytes]) -> None:
        self._close_block(out)
        self._enter_step(out)
        self._open = kind
        self._block_id = self._next_id(kind)
        self._delta = f'{{"type":"{kind}-delta","id":"{self._block_id}","delta":'.encode()
        out.append(_json(wire.TextStart(self._block_id) if kind == "text" else wire.ReasoningStart(self._block_id)))

    def _next_id(self, kind: Literal["text", "reasoning"]) -> str:
        number = self._blocks[kind]
        self._blocks[kind] = number + 1
        return f"txt_{number}" if kind == "text" else f"rsn_{number}"

    def _close_block(self, out: list[bytes]) -> None:
        if self._open == "text":
            out.append(_json(wire.TextEnd(self._block_id)))
        elif self._open == "reasoning":
            out.append(_json(wire.ReasoningEnd(self._block_id)))
        self._open = None

    def _seal(self, sealed: ReasoningSealed, out: list[bytes]) -> None:
        """Signatures stay on the server, which owns the history; a cipher is passed on as the block's data."""
        block_id = self._block_id if self._open == "reasoning" else None
        self._close_block(out)
        if sealed.encrypted:
            self._enter_step(out)
            block_id = block_id or self._next_id("reasoning")
            data = {"encryptedValue": sealed.encrypted}
            out.append(_json(wire.DataReasoningEncrypted(id=block_id, data=data, transient=True)))

    # -- the run

    def _on_run(self, event: RunStarted | RunWaiting | RunFinished, out: list[bytes]) -> None:
        match event:
            case RunStarted():
                if self._ended:
                    self._started = self._ended = False
                if event.resumed and not self._started:
                    self._resumed = True
                    self._start(out)
            case RunWaiting():
                self._leave_step(out)
                self._start(out)
                out.append(_json(wire.Finish("tool-calls")))
                self._ended = True
            case RunFinished():
                self._finish(event, out)

    def _start(self, out: list[bytes]) -> None:
        if self._started:
            return
        self._started = True
        out.append(_json(wire.Start(self._message_id, self._run)))
        data = {"runId": self._run.run_id, "threadId": self._run.thread_id}
        out.append(_json(wire.DataRunInfo(data=data, transient=True)))

    def _finish(self, event: RunFinished, out: list[bytes]) -> None:
        self._close_block(out)
        self._start(out)
        self._call_off(f"The run ended before this call did: {event.stop_reason}.", out)
        if self._resumed:  # clients send a message again that ends in the step whose calls they answered
            self._enter_step(out)
        self._leave_step(out)
        metadata = wire.FinishMetadata(build.usage(event.usage), event.stop_reason)
        match event.outcome:
            case "completed":
                out.append(_json(wire.Finish(build.FINISH_REASONS.get(event.stop_reason, "other"), metadata)))
            case "cancelled":
                out.append(_json(wire.Abort(event.stop_reason)))
            case "failed":
                out.append(_json(wire.Error(event.error.message if event.error else "The run failed.")))
                out.append(_json(wire.Finish("error", metadata)))
        self._ended = True

    # -- steps

    def _on_step(self, event: StepStarted | StepRestarted | StepFinished, out: list[bytes]) -> None:
        match event:
            case StepStarted():
                self._leave_step(out)
                if not self._started and self._message_id is None:
                    self._message_id = event.message_id
                self._enter_step(out)
            case StepRestarted():
                self._restart_step(event, out)
            case StepFinished():
                self._leave_step(out)

    def _restart_step(self, event: StepRestarted, out: list[bytes]) -> None:
        self._close_block(out)
        if self._dialect == "7" and self._in_step:
            self._calls.clear()
            out.append(_json(wire.ResetStep()))
            return
        self._call_off("This call was interrupted; the model is asked again.", out)
        self._leave_step(out)
        self._enter_step(out)
        out.append(_json(wire.DataStepRestarted(data=build.restart(event), transient=True)))

    def _enter_step(self, out: list[bytes]) -> None:
        self._start(out)
        self._resumed = False
        if not self._in_step:
            self._in_step = True
            out.append(_json(wire.StartStep()))

    def _leave_step(self, out: list[bytes]) -> None:
        self._close_block(out)
        if self._in_step:
            self._in_step = False
            out.append(_json(wire.FinishStep()))

    def _notice(self, notice: wire.Data, out: list[bytes]) -> None:
        """Something to show for a while. Before the first step there is no message yet to show it with."""
        if self._started:
            out.append(_json(notice))

    # -- tool calls

    def _on_call(self, event: Event, out: list[bytes]) -> None:
        match event:
            case ToolCallProposed():
                self._propose(event, out)
            case ToolCallReady():
                self._ready(event, out)
            case InterruptDecided(call_id=call_id, arguments=str(arguments)):
                self._call(call_id).edited = arguments
            case ToolCallStarted():
                self._run_call(event, out)
            case ToolCallFinished():
                self._start(out)
                out.append(_json(self._result(event)))
            case InterruptRaised(interrupt) if interrupt.kind == "approval":
                self._start(out)
                out.append(_json(wire.ToolApprovalRequest(interrupt.id, interrupt.call_id)))
            case ToolProgressed():
                data = build.progress(event)
                self._notice(wire.DataActivity(id=event.call_id, data=data, transient=True), out)
            case RetryScheduled():
                self._notice(wire.DataRetry(data=build.retry(event), transient=True), out)
            case MessageCommitted(message_id, "user"):
                self._notice(wire.DataSteered(data={"messageId": message_id}, transient=True), out)
            case _:
                pass

    def _propose(self, event: ToolCallProposed, out: list[bytes]) -> None:
        if event.call_id in self._calls:
            return
        self._close_block(out)
        self._enter_step(out)
        self._calls[event.call_id] = _Call(event.call_id)
        out.append(_json(wire.ToolInputStart(event.call_id, event.name)))

    def _ready(self, event: ToolCallReady, out: list[bytes]) -> None:
        call = self._calls.setdefault(event.call_id, _Call(event.call_id))
        if call.ready:
            return
        self._close_block(out)
        self._enter_step(out)
        call.ready = True
        call.by_server = not event.frontend
        out.append(_json(wire.ToolInputAvailable(event.call_id, event.name, build.parse_input(event.arguments))))

    def _run_call(self, event: ToolCallStarted, out: list[bytes]) -> None:
        """A call runs with the arguments a human changed: they replace the shown ones, in the step that shows them.

        They are marked provider-executed, so that a client does not take the call for its own.
        """
        call = self._call(event.call_id)
        call.by_server = True
        if call.edited is not None:
            self._start(out)
            value = build.parse_input(call.edited)
            out.append(_json(wire.ToolInputAvailable(event.call_id, event.name, value, provider_executed=True)))
            call.edited = None

    def _call(self, call_id: str) -> _Call:
        """The call; one that an earlier segment showed is known by its id only."""
        return self._calls.setdefault(call_id, _Call(call_id, ready=True))

    def _result(self, event: ToolCallFinished) -> wire.Chunk:
        """Answers the server gave are marked provider-executed: clients do not send those back as their own."""
        call = self._calls.pop(event.call_id, None)
        by_server = call is not None and call.by_server
        match event.status:
            case "succeeded":
                return wire.ToolOutputAvailable(
                    tool_call_id=event.call_id, output=event.output, provider_executed=by_server
                )
            case "denied":
                return wire.ToolOutputDenied(event.call_id)
            case "failed" | "cancelled":
                return wire.ToolOutputError(
                    tool_call_id=event.call_id,
                    error_text=build.error_text(event.output),
                    provider_executed=by_server or event.status == "cancelled",
                )

    def _call_off(self, reason: str, out: list[bytes]) -> None:
        for call_id in self._calls:
            out.append(_json(wire.ToolOutputError(tool_call_id=call_id, error_text=reason, provider_executed=True)))
        self._calls.clear()
