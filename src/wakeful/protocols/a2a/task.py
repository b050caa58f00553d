"""A run's log as an A2A task: what it is after any event, and what each event changes of it.

The agent's reply in a step is an artifact named by the step's message: text is appended to it as it comes, and so are
values and files. Artifacts that the agent makes beside its words keep their own ids. All of a step's artifacts are
complete when it ends. When a step begins again, what it had made is replaced: by what was there before it, or by
nothing. Calls of tools, reasoning and retries are the agent's own business and are not shown.
"""

from __future__ import annotations

from msgspec import UNSET

from wakeful.contracts import event as log
from wakeful.contracts.interrupt import Interrupt
from wakeful.contracts.message import DataPart, FilePart, InputPart, TextPart
from wakeful.protocols.a2a.questions import asked, state_of
from wakeful.protocols.a2a.wire import (
    Artifact,
    ArtifactUpdate,
    Message,
    Part,
    State,
    Status,
    StatusUpdate,
    Task,
    timestamp,
)

Update = StatusUpdate | ArtifactUpdate
EMPTY = Part(text="")
REPLY = "response"
ENDED_BY: dict[log.StopReason, str] = {
    "max_output": "The answer was cut off: the model's longest output was reached.",
    "max_steps": "Stopped: the agent's most steps were reached.",
    "max_tokens": "Stopped: the agent's most tokens were used.",
    "max_seconds": "Stopped: the agent's time was over.",
    "max_cost": "Stopped: the agent's budget was used.",
    "max_tool_errors": "Stopped: too many tools failed in a row.",
    "max_repeats": "Stopped: the agent repeated itself.",
}
"""Ends by a limit: the task did not do what it was for."""
CANCELLED: dict[log.StopReason, str] = {
    "superseded": "Superseded by newer input.",
    "withdrawn": "Withdrawn before it began.",
}
STEERED = "The message was taken over by the task that was running."
FILTERED = "The provider's content filter blocked the answer."


def part_of(part: InputPart) -> Part:
    """A part of ours as A2A has it; content of `data:` URLs is sent as bytes."""
    match part:
        case TextPart(text):
            return Part(text=text)
        case DataPart(data, name):
            return Part(data=data, metadata={"name": name} if name else None, media_type="application/json")
        case FilePart(media_type, url, filename):
            inline = url[:5].lower() == "data:"
            return Part(
                raw=url.partition(",")[2] if inline else UNSET,
                url=UNSET if inline else url,
                media_type=media_type,
                filename=filename,
            )


def ending(
    outcome: log.Outcome, reason: log.StopReason | None, error: log.ErrorReport | None
) -> tuple[State, str | None]:
    """The state a run's end is, and what is said of it."""
    if outcome == "cancelled":
        return State.CANCELED, CANCELLED.get(reason) if reason else None
    if outcome == "failed":
        return State.FAILED, error.message if error else "The run failed."
    if reason == "content_filter":
        return State.REJECTED, FILTERED
    if reason in ENDED_BY:
        return State.FAILED, ENDED_BY[reason]
    return State.COMPLETED, STEERED if reason == "steered" else None


def last_words(task_id: str, context_id: str, words: str | None) -> Message | None:
    """The message of a status that is the last, where there is something to say."""
    if words is None:
        return None
    return Message(
        message_id=f"{task_id}-end",
        context_id=context_id,
        task_id=task_id,
        role="ROLE_AGENT",
        parts=(Part(text=words),),
    )


class Fold:
    """Feed it a run's log in order, from its first event; it never fails.

    `answered` are the interrupts of the run's present wait that have an answer already.
    """

    def __init__(self, *, task_id: str, context_id: str, answered: frozenset[str] = frozenset()) -> None:
        self._task_id = task_id
        self._context_id = context_id
        self._answered = answered
        self._status = Status(state=State.SUBMITTED, timestamp=timestamp(0))
        self._artifacts: dict[str, _Growing] = {}
        self._before: dict[str, _Growing] = {}
        self._touched: dict[str, None] = {}
        self._reply = f"{task_id}-reply"
        self._updates: list[Update] = []
        self._at = ""
        self._seq = 0

    @property
    def state(self) -> State:
        """Where the task is."""
        return self._status.state

    def apply(self, entry: log.LogEntry) -> list[Update]:
        """What this event changes of the task, in the order to be told."""
        self._at, self._seq = timestamp(entry.at), entry.seq
        match entry.event:
            case log.TextDelta(delta):
                if delta:
                    self._add(self._reply, Part(text=delta), name=REPLY)
            case log.DataEmitted(data, name):
                self._add(self._reply, part_of(DataPart(data, name)), name=REPLY)
            case log.FileGenerated(file):
                self._add(self._reply, part_of(file), name=REPLY)
            case log.ArtifactChanged():
                self._change(entry.event)
            case log.StatusNoted(message):
                self._move(State.WORKING, message)
            case log.ToolProgressed(message=message):
                if message:
                    self._move(State.WORKING, message)
            case _:
                self._on_run(entry.event)
        updates, self._updates = self._updates, []
        return updates

    def task(self, history: tuple[Message, ...] = ()) -> Task:
        """The task as it is now."""
        return Task(
            id=self._task_id,
            context_id=self._context_id,
            status=self._status,
            artifacts=tuple(found.whole(name) for name, found in self._artifacts.items() if found.parts),
            history=history,
        )

    def artifact(self, id: str) -> Artifact:
        """An artifact as it is now, text that continues text joined."""
        return self._artifacts[id].whole(id)

    # -- the run and its steps

    def _on_run(self, event: log.Event) -> None:
        match event:
            case log.RunAccepted():
                self._move(State.SUBMITTED)
            case log.RunStarted():
                self._move(State.WORKING)
            case log.RunWaiting(interrupts):
                self._wait(interrupts)
            case log.RunFinished(outcome, reason, _, error):
                for name in self._artifacts:
                    self._complete(name)
                state, words = ending(outcome, reason, error)
                self._tell(state, last_words(self._task_id, self._context_id, words))
            case log.StepStarted(_, message_id):
                self._begin(message_id)
            case log.StepRestarted(_, message_id):
                self._restart()
                self._begin(message_id)
            case log.StepFinished():
                self._complete(self._reply)
            case _:
                pass

    def _wait(self, interrupts: tuple[Interrupt, ...]) -> None:
        still_open = [one for one in interrupts if one.id not in self._answered] or interrupts
        question = asked(still_open, task_id=self._task_id, context_id=self._context_id)
        self._tell(state_of(still_open), question)

    def _move(self, state: State, words: str | None = None) -> None:
        said = None if words is None else self._message(words)
        self._tell(state, said)

    def _tell(self, state: State, message: Message | None) -> None:
        self._status = Status(state=state, timestamp=self._at, message=message)
        self._updates.append(StatusUpdate(task_id=self._task_id, context_id=self._context_id, status=self._status))

    def _message(self, words: str) -> Message:
        return Message(
            message_id=f"{self._task_id}-{self._seq}",
            context_id=self._context_id,
            task_id=self._task_id,
            role="ROLE_AGENT",
            parts=(Part(text=words),),
        )

    def _begin(self, message_id: str) -> None:
        self._reply = message_id
        self._before = {name: found.copy() for name, found in self._artifacts.items()}
        self._touched = {}

    def _restart(self) -> None:
        """Put back what the step that begins again has changed."""
        for name in self._touched:
            old = self._before.get(name)
            if old is None:
                del self._artifacts[name]
                self._show(Artifact(artifact_id=name, parts=(EMPTY,)), append=False, last=False)
            else:
                self._artifacts[name] = old.copy()
                self._show(old.whole(name), append=False, last=not old.open)

    # -- artifacts

    def _change(self, event: log.ArtifactChanged) -> None:
        part = part_of(event.part)
        name, description = event.name or "", event.description or ""
        self._add(event.id, part, name=name, description=description, append=event.append, last=event.last)

    def _add(
        self, id: str, part: Part, *, name: str = "", description: str = "", append: bool = True, last: bool = False
    ) -> None:
        found = self._artifacts.get(id)
        append = append and found is not None
        if found is None or not append:
            found = self._artifacts[id] = _Growing(name, description)
        found.parts.append(part)
        found.open = not last
        self._touched[id] = None
        self._show(found.part(id, part), append=append, last=last)

    def _complete(self, id: str) -> None:
        found = self._artifacts.get(id)
        if found is not None and found.open:
            found.open = False
            self._show(found.part(id, EMPTY), append=True, last=True)

    def _show(self, artifact: Artifact, *, append: bool, last: bool) -> None:
        self._updates.append(
            ArtifactUpdate(
                task_id=self._task_id, context_id=self._context_id, artifact=artifact, append=append, last_chunk=last
            )
        )


class _Growing:
    """An artifact that may still grow."""

    __slots__ = ("description", "name", "open", "parts")

    def __init__(self, name: str, description: str) -> None:
        self.name = name
        self.description = description
        self.parts: list[Part] = []
        self.open = True

    def copy(self) -> _Growing:
        same = _Growing(self.name, self.description)
        same.parts, same.open = self.parts[:], self.open
        return same

    def part(self, id: str, *parts: Part) -> Artifact:
        return Artifact(artifact_id=id, name=self.name, description=self.description, parts=parts)

    def whole(self, id: str) -> Artifact:
        joined: list[Part] = []
        words: list[str] = []
        for part in self.parts:
            if isinstance(part.text, str):
                words.append(part.text)
                continue
            if words:
                joined.append(Part(text="".join(words)))
                words = []
            joined.append(part)
        if words:
            joined.append(Part(text="".join(words)))
        return self.part(id, *joined)
