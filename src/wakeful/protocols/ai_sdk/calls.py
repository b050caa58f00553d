"""The tool calls of a run as chunks: from their arguments to their results, with the questions about them.

What a call found or made (sources, files) is shown with its result: a call that runs again shows it once, and calls
that run together show it in the order in which history has it.
"""

from __future__ import annotations

import msgspec

from wakeful.contracts.event import (
    Event,
    FileGenerated,
    InterruptDecided,
    InterruptRaised,
    SourceCited,
    ToolCallDelta,
    ToolCallFinished,
    ToolCallProposed,
    ToolCallReady,
    ToolCallStarted,
)
from wakeful.contracts.interrupt import Interrupt
from wakeful.protocols.ai_sdk import build, chunks, parts
from wakeful.protocols.ai_sdk.dialects import Dialect
from wakeful.protocols.ai_sdk.record import Record
from wakeful.protocols.ai_sdk.stream import Stream

KEPT = frozenset({"succeeded", "failed"})
"""What became of calls whose sources and files count."""
_json = msgspec.json.encode


class _Call:
    """A tool call without a result so far.

    `delta` is the head of its `tool-input-delta` chunks, `edited` the arguments a human wants it to run with, `again`
    those it is run with once more after an answer, `found` its sources and files.
    """

    __slots__ = ("again", "by_server", "delta", "edited", "found", "ready")

    def __init__(self, call_id: str, *, ready: bool = False) -> None:
        self.delta = b'{"type":"tool-input-delta","toolCallId":' + _json(call_id) + b',"inputTextDelta":'
        self.ready = ready
        self.by_server = False
        self.edited: str | None = None
        self.again: str | None = None
        self.found: list[parts.Part] = []


class Calls:
    """The open calls of a run, written to its stream."""

    def __init__(self, stream: Stream, record: Record, dialect: Dialect) -> None:
        self._stream = stream
        self._record = record
        self._dialect: Dialect = dialect
        self._open: dict[str, _Call] = {}

    def more(self, event: ToolCallDelta) -> None:
        """More of a call's arguments."""
        call = self._open.get(event.call_id)
        if call is not None and not call.ready:
            self._stream.put_bytes(call.delta + _json(event.delta) + b"}")

    def show(self, event: Event) -> None:
        """Any other event about a call."""
        match event:
            case ToolCallProposed():
                self._propose(event)
            case ToolCallReady():
                self._ready(event)
            case ToolCallStarted():
                self._run(event)
            case ToolCallFinished():
                self._finish(event)
            case InterruptRaised(interrupt) if interrupt.kind == "approval":
                self._ask(interrupt)
            case InterruptRaised(interrupt) if interrupt.kind == "question":
                self._stream.start()
                self._stream.put(build.question(interrupt, answered=False))
            case InterruptDecided():
                self._answer(event)
            case SourceCited(source, str(call_id)):
                self._call(call_id).found.append(build.source(source))
            case FileGenerated(file, str(call_id)):
                self._call(call_id).found.append(parts.File(file.media_type, file.url))
            case _:
                pass

    def forget(self) -> None:
        """What was shown of open calls was taken back."""
        self._open.clear()

    def call_off(self, reason: str) -> None:
        """Answer every open call, so that no client waits for one."""
        for call_id in self._open:
            self._stream.start()
            self._stream.put(chunks.ToolOutputError(tool_call_id=call_id, error_text=reason, provider_executed=True))
        self._open.clear()

    def _propose(self, event: ToolCallProposed) -> None:
        if event.call_id in self._open:
            return
        self._stream.close_block()
        self._stream.enter_step()
        self._open[event.call_id] = _Call(event.call_id)
        self._stream.put(chunks.ToolInputStart(event.call_id, event.name))

    def _ready(self, event: ToolCallReady) -> None:
        call = self._open.setdefault(event.call_id, _Call(event.call_id))
        if call.ready:
            return
        self._stream.close_block()
        self._stream.enter_step()
        call.ready = True
        call.by_server = not event.frontend
        value = build.parse_input(event.arguments)
        self._stream.put(chunks.ToolInputAvailable(event.call_id, event.name, value))

    def _run(self, event: ToolCallStarted) -> None:
        """A call runs with the arguments a human changed: they replace the shown ones, in the step that shows them.

        They are marked provider-executed, so that a client does not take the call for its own. A call that asked is
        shown as running again: to a client the answer it gave was the call's output, until the real one comes.
        """
        call = self._call(event.call_id)
        call.by_server = True
        call.found.clear()
        if call.edited is not None:
            self._stream.start()
            value = build.parse_input(call.edited)
            self._stream.put(chunks.ToolInputAvailable(event.call_id, event.name, value, provider_executed=True))
            call.edited = None
        elif call.again is not None:
            self._stream.start()
            value = build.parse_input(call.again)
            self._stream.put(chunks.ToolInputAvailable(event.call_id, event.name, value))
        call.again = None

    def _ask(self, interrupt: Interrupt) -> None:
        self._stream.start()
        if self._dialect == "5":
            value = build.parse_input(interrupt.arguments)
            self._stream.put(build.approval_request(interrupt.id, interrupt.call_id, interrupt.tool, value))
            return
        reason = interrupt.message or None if self._dialect == "7" else None
        self._stream.put(chunks.ToolApprovalRequest(interrupt.id, interrupt.call_id, reason))

    def _answer(self, event: InterruptDecided) -> None:
        call = self._call(event.call_id)
        if event.arguments is not None:
            call.edited = event.arguments
        asked = self._record.question(event.interrupt_id)
        if asked is not None:
            call.again = self._record.arguments(asked)
            self._stream.start()
            self._stream.put(build.question(asked, answered=True))
        if self._dialect == "7" and self._record.asked_approval(event.interrupt_id):
            self._stream.start()
            approved = event.approved is True
            self._stream.put(chunks.ToolApprovalResponse(event.interrupt_id, approved, event.reason))

    def _finish(self, event: ToolCallFinished) -> None:
        call = self._call(event.call_id)
        del self._open[event.call_id]
        self._stream.start()
        self._stream.put(self._result(event, by_server=call.by_server))
        for found in call.found if event.status in KEPT else ():
            self._stream.put(found)

    def _result(self, event: ToolCallFinished, *, by_server: bool) -> chunks.Chunk:
        """Answers the server gave are marked provider-executed: clients do not send those back as their own."""
        call_id = event.call_id
        match event.status:
            case "succeeded":
                return chunks.ToolOutputAvailable(
                    tool_call_id=call_id, output=event.output, provider_executed=by_server
                )
            case "denied" if self._dialect == "5":
                text = build.denial_text(event.output)
                return chunks.ToolOutputError(tool_call_id=call_id, error_text=text, provider_executed=True)
            case "denied":
                return chunks.ToolOutputDenied(call_id)
            case "failed" | "cancelled":
                return chunks.ToolOutputError(
                    tool_call_id=call_id,
                    error_text=build.error_text(event.output),
                    provider_executed=by_server or event.status == "cancelled",
                )

    def _call(self, call_id: str) -> _Call:
        """The call; one that an earlier segment showed is known by its id only."""
        return self._open.setdefault(call_id, _Call(call_id, ready=True))
