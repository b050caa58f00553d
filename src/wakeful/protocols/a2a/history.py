"""The messages exchanged about a task: what the user said, what the agent asked, and what was answered."""

from __future__ import annotations

from collections.abc import Sequence

from wakeful.contracts.interrupt import Interrupt, InterruptRecord
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import ArtifactPart, DataPart, FilePart, Message, TextPart
from wakeful.contracts.run import Run
from wakeful.protocols.a2a import wire
from wakeful.protocols.a2a.questions import asked, given, state_of
from wakeful.protocols.a2a.task import REPLY, ending, last_words, part_of


def history(
    run: Run, messages: Sequence[Message], records: Sequence[InterruptRecord], length: int | None
) -> tuple[wire.Message, ...]:
    """The newest `length` messages (None: all), oldest first; a question that is open is in the task's status."""
    said = [_said(run, message) for message in messages if message.role == "user"]
    for record in records:
        if record.decision is None:
            continue
        said.append(asked((record.interrupt,), task_id=run.id, context_id=run.thread_id))
        said.append(
            wire.Message(
                message_id=record.decision.decision_id or f"{record.interrupt.id}-answer",
                context_id=run.thread_id,
                task_id=run.id,
                role="ROLE_USER",
                parts=(given(record.decision),),
            )
        )
    return tuple(said if length is None else said[len(said) - min(length, len(said)) :])


def outline(
    run: Run, messages: Sequence[Message], records: Sequence[InterruptRecord], said: tuple[wire.Message, ...]
) -> wire.Task:
    """A task without a look at its log; its artifacts are what `messages` have of them."""
    state, message = _status(run, [record.interrupt for record in records if record.decision is None])
    return wire.Task(
        id=run.id,
        context_id=run.thread_id,
        status=wire.Status(state=state, timestamp=wire.timestamp(run.finished_at or run.updated_at), message=message),
        artifacts=tuple(artifact for one in messages if one.role == "assistant" for artifact in _artifacts(one)),
        history=said,
    )


def state_of_run(run: Run, open_ones: Sequence[Interrupt]) -> wire.State:
    """The state of the task a run is; `open_ones` are the questions it waits with."""
    return _status(run, open_ones)[0]


def _status(run: Run, open_ones: Sequence[Interrupt]) -> tuple[wire.State, wire.Message | None]:
    match run.status:
        case RunStatus.QUEUED:
            return (wire.State.WORKING if run.attempt else wire.State.SUBMITTED), None
        case RunStatus.RUNNING:
            return wire.State.WORKING, None
        case RunStatus.WAITING:
            return state_of(open_ones), asked(open_ones, task_id=run.id, context_id=run.thread_id)
        case RunStatus.FAILED:
            state, words = ending("failed", run.stop_reason, run.error)
        case RunStatus.CANCELLED:
            state, words = ending("cancelled", run.stop_reason, run.error)
        case RunStatus.COMPLETED:
            state, words = ending("completed", run.stop_reason, run.error)
    return state, last_words(run.id, run.thread_id, words)


def _said(run: Run, message: Message) -> wire.Message:
    parts = (part_of(part) for part in message.parts if isinstance(part, TextPart | FilePart | DataPart))
    return wire.Message(
        message_id=message.id,
        context_id=run.thread_id,
        task_id=run.id,
        role="ROLE_USER",
        parts=tuple(parts),
        metadata=message.metadata,
    )


def _artifacts(message: Message) -> list[wire.Artifact]:
    reply = [part_of(part) for part in message.parts if isinstance(part, TextPart | FilePart | DataPart)]
    found = [wire.Artifact(artifact_id=message.id, name=REPLY, parts=tuple(reply))] if reply else []
    for part in message.parts:
        if isinstance(part, ArtifactPart):
            content = tuple(map(part_of, part.parts))
            found.append(
                wire.Artifact(
                    artifact_id=part.id, name=part.name or "", description=part.description or "", parts=content
                )
            )
    return found
