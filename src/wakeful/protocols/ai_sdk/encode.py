"""Turns one run's log into AI SDK chunks: a state machine that remembers only what is open.

A stream is one or more segments, each `start … finish | abort | error + finish`; a segment after a wait continues
the same UI message. What is open is closed first (`stream.py`), each step is `start-step … finish-step`. What became
of a call that an earlier segment showed comes before the first `start-step`: clients look for a call, and for an open
question, in the message's last step.

What a restarted step had shown is void. Major 7 takes it back with `reset-step`. The others cannot: the step is
closed, and a new one begins with `data-step-restarted`. Either way the chunks of the void part and of its restart
together leave open what was open before them, so that a replay can leave them out.

How the majors differ (`dialects.py`): 5 is asked for approvals with `data-approval-request` and told of a denial as an
output error. 7 has citations at the end of a text, is told of the answers to approvals and of what input came
meanwhile, and a cancelled run ends with `abort` and `finish: interrupted`, which keeps the client from sending the
message again by itself.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from wakeful.contracts.event import (
    ArtifactChanged,
    DataEmitted,
    Event,
    FileGenerated,
    LogEntry,
    ModelCallFinished,
    ReasoningDelta,
    ReasoningSealed,
    RunFinished,
    RunStarted,
    RunWaiting,
    SourceCited,
    StateReplaced,
    StepFinished,
    StepRestarted,
    StepStarted,
    TextDelta,
    ToolCallDelta,
)
from wakeful.protocols.ai_sdk import build, chunks, notices
from wakeful.protocols.ai_sdk.calls import Calls
from wakeful.protocols.ai_sdk.dialects import Dialect
from wakeful.protocols.ai_sdk.notices import LASTING, Notice, Notices
from wakeful.protocols.ai_sdk.record import Record
from wakeful.protocols.ai_sdk.stream import Stream
from wakeful.protocols.ai_sdk.values import Values


class Encoder:
    """Feed it a run's log in order; it never fails and awaits nothing. The same log gives the same bytes.

    Events up to `after`, the end of an earlier segment, are taken note of and not shown. The stream then begins
    without a message id: the client goes on with the message it already has.
    """

    def __init__(self, *, run_id: str, thread_id: str, dialect: Dialect = "6", after: int = 0) -> None:
        self._run_id = run_id
        self._thread_id = thread_id
        self._dialect: Dialect = dialect
        self._after = after
        self._record = Record()
        self._notices = Notices(dialect)
        self._held: list[Notice] = []
        self._stream = Stream(dialect, self._opening)
        self._calls = Calls(self._stream, self._record, dialect)
        self._values = Values(self._stream)
        self._resumed = False

    def encode(self, entry: LogEntry) -> list[bytes]:
        """The chunks this entry adds, each one JSON object without SSE framing."""
        event = entry.event
        if entry.seq <= self._after:
            self._record.note(entry)
            return []
        if self._stream.ended and not isinstance(event, (RunStarted, *LASTING)):
            return []
        match event:
            case TextDelta():
                self._stream.more("text", event.delta)
            case ToolCallDelta():
                self._calls.more(event)
            case ReasoningDelta():
                self._stream.more("reasoning", event.delta)
            case _:
                self._record.note(entry)
                self._other(entry, event)
        return self._stream.take()

    def _other(self, entry: LogEntry, event: Event) -> None:
        match event:
            case ReasoningSealed():
                self._stream.seal(event)
            case SourceCited(source, None):
                self._stream.cite(source)
            case FileGenerated(file, None):
                self._stream.add_file(file)
            case DataEmitted() | ArtifactChanged():
                self._values.show(event)
            case RunStarted() | RunWaiting() | RunFinished():
                self._on_run(entry, event)
            case StepStarted() | StepRestarted() | StepFinished():
                self._on_step(event)
            case _:
                if isinstance(event, ModelCallFinished):
                    self._values.complete()
                self._calls.show(event)
                self._announce(event)

    def _announce(self, event: Event) -> None:
        """A notice has its place in a message; what lasts waits for one, if there will be one to put it in."""
        for notice in self._notices.of(event):
            if self._stream.started and not self._stream.ended:
                self._stream.put(notice)
            elif isinstance(event, StateReplaced) or (isinstance(event, LASTING) and self._record.message_id):
                self._held.append(notice)

    def _opening(self) -> Iterable[msgspec.Struct]:
        """How a segment begins."""
        named = self._record.message_id if self._after == 0 else None
        yield chunks.Start(named, chunks.StartMetadata(self._run_id, self._thread_id, self._record.created_at))
        yield chunks.DataRunInfo(data={"runId": self._run_id, "threadId": self._thread_id}, transient=True)
        yield from self._held
        self._held = []

    def _on_run(self, entry: LogEntry, event: RunStarted | RunWaiting | RunFinished) -> None:
        match event:
            case RunStarted():
                self._stream.go_on()
                if event.resumed:
                    self._resumed = True
                    self._stream.start()
            case RunWaiting():
                self._stream.end(chunks.Finish("tool-calls", self._record.at_end(entry, event)))
            case RunFinished():
                self._finish(entry, event)

    def _finish(self, entry: LogEntry, event: RunFinished) -> None:
        self._stream.close_block()
        self._values.complete()
        self._calls.call_off(f"The run ended before this call did: {event.stop_reason}.")
        if self._resumed and not self._stream.stepped:
            self._stream.enter_step()  # clients send a message again that ends in the step whose calls they answered
        metadata = self._record.at_end(entry, event)
        match event.outcome:
            case "completed":
                self._stream.end(chunks.Finish(build.FINISH_REASONS.get(event.stop_reason, "other"), metadata))
            case "cancelled" if self._dialect == "7":
                self._stream.end(chunks.Abort(event.stop_reason), chunks.Finish("interrupted", metadata))
            case "cancelled":
                reason = event.stop_reason if self._dialect == "6" else None
                self._stream.end(chunks.MessageMetadata(metadata), chunks.Abort(reason))
            case "failed":
                message = event.error.message if event.error else "The run failed."
                self._stream.end(chunks.Error(message), chunks.Finish("error", metadata))

    def _on_step(self, event: StepStarted | StepRestarted | StepFinished) -> None:
        match event:
            case StepStarted():
                self._stream.leave_step()
                self._stream.enter_step()
                self._values.begin(event.message_id)
            case StepRestarted():
                self._values.begin(event.message_id)
                self._restart_step(event)
            case StepFinished():
                self._stream.leave_step()

    def _restart_step(self, event: StepRestarted) -> None:
        self._stream.close_block()
        if self._dialect == "7" and self._stream.in_step:
            self._calls.forget()
            self._stream.put(chunks.ResetStep())
            return
        self._calls.call_off("This call was interrupted; the model is asked again.")
        self._stream.leave_step()
        self._stream.enter_step()
        self._stream.put(notices.restart(event))
