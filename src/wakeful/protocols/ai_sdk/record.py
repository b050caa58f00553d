"""What a run's log has said so far that later chunks repeat: for metadata, and to know a question from its id."""

from __future__ import annotations

from wakeful.contracts.event import (
    InterruptDecided,
    InterruptRaised,
    LogEntry,
    ModelCallFinished,
    RunFinished,
    RunStarted,
    RunWaiting,
    StepStarted,
)
from wakeful.contracts.interrupt import Interrupt
from wakeful.contracts.usage import Usage
from wakeful.protocols.ai_sdk import build
from wakeful.protocols.ai_sdk.chunks import EndMetadata


class Record:
    """Feed it every event that is no delta, from the log's beginning.

    `message_id` names the message of the first step, `created_at` is when that began (ms); None before.
    """

    def __init__(self) -> None:
        self.message_id: str | None = None
        self.created_at: int | None = None
        self._started_at: int | None = None
        self._model: str | None = None
        self._usage = Usage()
        self._approvals: set[str] = set()
        self._questions: dict[str, Interrupt] = {}
        self._edited: dict[str, str] = {}

    def note(self, entry: LogEntry) -> None:
        """Take the next event."""
        match entry.event:
            case RunStarted() if self._started_at is None:
                self._started_at = entry.at
            case StepStarted(message_id=message_id) if self.message_id is None:
                self.message_id, self.created_at = message_id, entry.at
            case ModelCallFinished(model=model, usage=usage):
                self._model, self._usage = model, self._usage + usage
            case InterruptRaised(interrupt) if interrupt.kind == "approval":
                self._approvals.add(interrupt.id)
            case InterruptRaised(interrupt) if interrupt.kind == "question":
                self._questions[interrupt.id] = interrupt
            case InterruptDecided(call_id=call_id, arguments=str(arguments)):
                self._edited[call_id] = arguments
            case _:
                pass

    def asked_approval(self, interrupt_id: str) -> bool:
        """Whether this question was an approval."""
        return interrupt_id in self._approvals

    def question(self, interrupt_id: str) -> Interrupt | None:
        """The question a running call asked under this id; None for anything else that was asked."""
        return self._questions.get(interrupt_id)

    def arguments(self, asked: Interrupt) -> str:
        """What the call that asks runs with, as JSON text."""
        return self._edited.get(asked.call_id, asked.arguments)

    def at_end(self, entry: LogEntry, event: RunWaiting | RunFinished) -> EndMetadata:
        """What is known of the run where it comes to rest."""
        finished = isinstance(event, RunFinished)
        return EndMetadata(
            usage=build.usage(event.usage if finished else self._usage),
            model=self._model,
            duration_ms=None if self._started_at is None else max(entry.at - self._started_at, 0),
            stop_reason=event.stop_reason if finished else None,
        )
