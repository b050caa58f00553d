"""Turns one run's log into AG-UI events: a state machine that remembers only what is open.

A stream is one or more segments, each `RUN_STARTED … RUN_FINISHED | RUN_ERROR`, with everything opened closed
before the end (AG-UI 1.0, event ordering). Text and reasoning never overlap and are closed before a tool call.

AG-UI has no event that takes a message back, and a second `TEXT_MESSAGE_START` of a known id adds to the old text. So
when a step restarts, each message its void attempt showed is replaced by an empty activity of the type `void`, which no
client shows or sends, and the new attempt's messages have ids of their own (`ids.py`). `CUSTOM step_restarted` says so
to those who keep messages by themselves: whatever has the id `messageId`, or one that begins with it, is void. The
step stays open. What the void attempt and its restart send leaves open what was open before them, so that a replay can
leave them out. Arguments that a human changed are in the history only: a call that has ended takes no more of them.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from wakeful.contracts import event as log
from wakeful.contracts.interrupt import Interrupt
from wakeful.contracts.json import JsonObject
from wakeful.contracts.usage import Usage
from wakeful.protocols.ag_ui import build, wire
from wakeful.protocols.ag_ui.ids import MessageIds

_json = msgspec.json.encode


class Encoder:
    """Feed it a run's log in order, from the first event of a segment; it never fails and awaits nothing.

    The same log gives the same bytes. Only `client_run_id`, the run id the client sent, is shown; `run_id` stays
    inside. `protocol_version` is what the client declared: one that declared none is spared the outcomes that older
    clients refuse (`cancelled`, `pendingToolCallIds`). `before` are the messages a returning client is given first.
    """

    def __init__(
        self,
        *,
        run_id: str,
        thread_id: str,
        client_run_id: str,
        protocol_version: str | None = None,
        before: list[wire.HistoryMessage] | None = None,
    ) -> None:
        self._thread_id = thread_id
        self._before = before
        self._client_run_id = client_run_id
        self._modern = speaks_outcomes(protocol_version)
        self._started = False
        self._ended = False
        self._at = 0
        self._step: str | None = None
        self._attempt = 1
        self._ids = MessageIds(client_run_id)
        self._open: Literal["text", "reasoning"] | None = None
        self._block_id = ""
        self._delta = b""
        self._calls: dict[str, _Call] = {}
        self._usage: dict[tuple[str, str], Usage] = {}

    def encode(self, entry: log.LogEntry) -> list[bytes]:
        """The events this entry adds, each one JSON object without SSE framing."""
        event = entry.event
        if self._ended and not isinstance(event, log.RunStarted):
            return []
        self._at = entry.at
        out: list[bytes] = []
        match event:
            case log.TextDelta(delta):
                if self._open != "text":
                    self._open_text(out)
                out.append(b'%b%b,"timestamp":%d}' % (self._delta, _json(delta), entry.at))
            case log.ToolCallDelta(call_id, delta):
                self._more_arguments(call_id, delta, out)
            case log.ReasoningDelta(delta):
                if self._open != "reasoning":
                    self._open_reasoning(out)
                out.append(b'%b%b,"timestamp":%d}' % (self._delta, _json(delta), entry.at))
            case log.ReasoningSealed():
                self._seal(event, out)
            case log.RunStarted() | log.RunWaiting() | log.RunFinished():
                self._on_run(event, out)
            case log.StepStarted() | log.StepRestarted() | log.StepFinished():
                self._on_step(event, out)
            case _:
                self._on_call(event, out)
        return out

    # -- text and reasoning

    def _open_text(self, out: list[bytes]) -> None:
        self._close_block(out)
        self._start(out)
        self._open, self._block_id = "text", self._ids.next_text()
        self._delta = b'{"type":"TEXT_MESSAGE_CONTENT","messageId":' + _json(self._block_id) + b',"delta":'
        out.append(_json(wire.TextMessageStart(message_id=self._block_id, role="assistant", timestamp=self._at)))

    def _open_reasoning(self, out: list[bytes]) -> None:
        self._close_block(out)
        self._start(out)
        self._open, self._block_id = "reasoning", self._ids.next_reasoning()
        self._delta = b'{"type":"REASONING_MESSAGE_CONTENT","messageId":' + _json(self._block_id) + b',"delta":'
        out.append(_json(wire.ReasoningStart(message_id=self._block_id, timestamp=self._at)))
        out.append(_json(wire.ReasoningMessageStart(message_id=self._block_id, role="reasoning", timestamp=self._at)))

    def _close_block(self, out: list[bytes], *, encrypted: str | None = None) -> None:
        block_id, at = self._block_id, self._at
        if self._open == "text":
            out.append(_json(wire.TextMessageEnd(message_id=block_id, timestamp=at)))
        elif self._open == "reasoning":
            out.append(_json(wire.ReasoningMessageEnd(message_id=block_id, timestamp=at)))
            if encrypted:
                out.append(_json(build.cipher(block_id, encrypted, at)))
            out.append(_json(wire.ReasoningEnd(message_id=block_id, timestamp=at)))
        self._open = None

    def _seal(self, sealed: log.ReasoningSealed, out: list[bytes]) -> None:
        """A cipher is passed on, in a span of its own if it comes bare. Signatures stay with the server's history."""
        if self._open == "reasoning":
            self._close_block(out, encrypted=sealed.encrypted)
            return
        self._close_block(out)
        if sealed.encrypted:
            self._start(out)
            block_id, at = self._ids.next_reasoning(), self._at
            out.append(_json(wire.ReasoningStart(message_id=block_id, timestamp=at)))
            out.append(_json(build.cipher(block_id, sealed.encrypted, at)))
            out.append(_json(wire.ReasoningEnd(message_id=block_id, timestamp=at)))

    # -- the run

    def _on_run(self, event: log.RunStarted | log.RunWaiting | log.RunFinished, out: list[bytes]) -> None:
        match event:
            case log.RunStarted():
                if self._ended:
                    self._started = self._ended = False
                    self._usage.clear()
                self._start(out)
            case log.RunWaiting(interrupts):
                self._close_all(out)
                out.append(_json(self._finished(self._waiting(interrupts))))
                self._ended = True
            case log.RunFinished():
                self._call_off(f"The run ended before this call did: {event.stop_reason}.", out)
                self._close_all(out)
                out.append(_json(self._last(event)))
                self._ended = True

    def _start(self, out: list[bytes]) -> None:
        if self._started:
            return
        self._started = True
        started = wire.RunStarted(
            thread_id=self._thread_id,
            run_id=self._client_run_id,
            protocol_version=wire.PROTOCOL_VERSION,
            timestamp=self._at,
        )
        out.append(_json(started))
        if self._before is not None:
            out.append(_json(wire.MessagesSnapshot(messages=self._before, timestamp=self._at)))
            self._before = None

    def _close_all(self, out: list[bytes]) -> None:
        self._start(out)
        self._close_block(out)
        for call_id, call in self._calls.items():
            self._end_call(call_id, call, out)
        self._leave_step(out)

    def _waiting(self, interrupts: tuple[Interrupt, ...]) -> wire.Outcome | None:
        """Approvals interrupt; a front-end call alone is a success the client goes on from."""
        approvals = [build.interrupt(interrupt) for interrupt in interrupts if interrupt.kind == "approval"]
        if approvals:
            return wire.InterruptOutcome(approvals)
        pending = [interrupt.call_id for interrupt in interrupts]
        return wire.SuccessOutcome(pending) if self._modern else None

    def _last(self, event: log.RunFinished) -> wire.Event:
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
            timestamp=self._at,
        )

    def _error(self, message: str, code: str) -> wire.RunError:
        return wire.RunError(message=message, code=code, usage=self._usage_report(), timestamp=self._at)

    def _usage_report(self) -> list[wire.TokenUsage] | None:
        """This segment's model calls; an earlier segment reported its own."""
        return [build.tokens(provider, model, usage) for (provider, model), usage in self._usage.items()] or None

    # -- steps

    def _on_step(self, event: log.StepStarted | log.StepRestarted | log.StepFinished, out: list[bytes]) -> None:
        match event:
            case log.StepStarted():
                self._attempt = 1
                self._ids = MessageIds(event.message_id)
                self._enter_step(f"step_{event.step}", out)
            case log.StepRestarted():
                self._restart_step(event, out)
            case log.StepFinished():
                self._close_block(out)
                self._leave_step(out)

    def _restart_step(self, event: log.StepRestarted, out: list[bytes]) -> None:
        self._close_block(out)
        self._call_off("This call was interrupted; the model is asked again.", out)
        unknown = self._ids.likely if event.reason == "resumed" else ()  # shown by a lost process, and not committed
        for message_id in dict.fromkeys([*self._ids.given, *unknown]):
            out.append(_json(build.void(message_id, self._at)))
        self._attempt += 1
        self._ids = MessageIds(event.message_id, attempt=self._attempt)
        if self._step is None:
            self._enter_step(f"step_{event.step}", out)
        out.append(_json(wire.Custom(name="step_restarted", value=build.restart(event), timestamp=self._at)))

    def _enter_step(self, name: str, out: list[bytes]) -> None:
        self._close_block(out)
        self._leave_step(out)
        self._start(out)
        self._step = name
        out.append(_json(wire.StepStarted(step_name=name, timestamp=self._at)))

    def _leave_step(self, out: list[bytes]) -> None:
        if self._step is not None:
            out.append(_json(wire.StepFinished(step_name=self._step, timestamp=self._at)))
        self._step = None

    # -- tool calls

    def _on_call(self, event: log.Event, out: list[bytes]) -> None:
        match event:
            case log.ToolCallProposed(call_id, name):
                self._open_call(call_id, name, out)
            case log.ToolCallReady():
                self._ready(event, out)
            case log.ToolCallFinished():
                self._result(event, out)
            case log.ToolProgressed():
                self._start(out)
                out.append(_json(build.activity(event, self._at)))
            case log.ModelCallFinished():
                key = (event.provider, event.model)
                self._usage[key] = self._usage.get(key, Usage()) + event.usage
            case log.RetryScheduled():
                self._start(out)
                out.append(_json(wire.Custom(name="retry_scheduled", value=build.retry(event), timestamp=self._at)))
            case log.MessageCommitted(message_id, "user"):
                self._start(out)
                out.append(_json(wire.Custom(name="steered", value={"messageId": message_id}, timestamp=self._at)))
            case _:
                pass

    def _open_call(self, call_id: str, name: str, out: list[bytes]) -> _Call:
        call = self._calls.get(call_id)
        if call is not None:
            return call
        self._close_block(out)
        self._start(out)
        call = self._calls[call_id] = _Call(call_id)
        parent = self._ids.parent()
        start = wire.ToolCallStart(
            tool_call_id=call_id, tool_call_name=name, parent_message_id=parent, timestamp=self._at
        )
        out.append(_json(start))
        return call

    def _more_arguments(self, call_id: str, delta: str, out: list[bytes]) -> None:
        call = self._calls.get(call_id)
        if call is not None and not call.ended:
            call.streamed = True
            out.append(b'%b%b,"timestamp":%d}' % (call.delta, _json(delta), self._at))

    def _ready(self, event: log.ToolCallReady, out: list[bytes]) -> None:
        call = self._open_call(event.call_id, event.name, out)
        if not call.streamed and not call.ended:
            arguments = event.arguments if event.arguments.strip() else "{}"
            out.append(_json(wire.ToolCallArgs(tool_call_id=event.call_id, delta=arguments, timestamp=self._at)))
        self._end_call(event.call_id, call, out)

    def _end_call(self, call_id: str, call: _Call, out: list[bytes]) -> None:
        if not call.ended:
            call.ended = True
            out.append(_json(wire.ToolCallEnd(tool_call_id=call_id, timestamp=self._at)))

    def _result(self, event: log.ToolCallFinished, out: list[bytes]) -> None:
        self._start(out)
        call = self._calls.pop(event.call_id, None)
        if call is not None:
            self._end_call(event.call_id, call, out)
        out.append(_json(build.result(event.message_id, event.call_id, build.content(event.output), self._at)))

    def _call_off(self, reason: str, out: list[bytes]) -> None:
        """Answer what nobody will answer, so that no client takes an open call for its own."""
        for call_id, call in self._calls.items():
            self._end_call(call_id, call, out)
            out.append(_json(build.result(self._ids.result_of(call_id), call_id, reason, self._at)))
        self._calls.clear()


class _Call:
    """A tool call without a result so far. `delta` is the head of its `TOOL_CALL_ARGS` events."""

    __slots__ = ("delta", "ended", "streamed")

    def __init__(self, call_id: str) -> None:
        self.delta = b'{"type":"TOOL_CALL_ARGS","toolCallId":' + _json(call_id) + b',"delta":'
        self.streamed = False
        self.ended = False


def speaks_outcomes(protocol_version: str | None) -> bool:
    """Whether a client that declared this version reads the outcomes of AG-UI 1.0."""
    return protocol_version is not None and not protocol_version.startswith("0")
