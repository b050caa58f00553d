"""Events and stored things to the native API's JSON; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from wakeful.contracts.event import ErrorReport, LogEntry
from wakeful.contracts.mailbox import DeadLetter, MailboxEntry, queue_revision
from wakeful.contracts.message import Message, ReplyInfo
from wakeful.contracts.run import Run
from wakeful.contracts.thread import Thread
from wakeful.contracts.usage import Usage
from wakeful.protocols.native.control_wire import (
    Accepted,
    DeadLetterView,
    Effect,
    EntryMessageView,
    EntryView,
    MailboxView,
)
from wakeful.protocols.native.wire import ErrorView, MessageView, ReplyView, RunView, SummaryView, ThreadView, UsageView


class Encoder:
    """Events as flat objects: `{"seq", "at", "run_id", "thread_id", "type", …}`. Keeps no state between events."""

    def __init__(self, run: Run) -> None:
        ids = msgspec.json.encode({"run_id": run.id, "thread_id": run.thread_id})
        self._ids = ids[1:-1]

    def encode(self, entry: LogEntry) -> list[bytes]:
        """The one payload of an event."""
        return [b'{"seq":%d,"at":%d,%b,%b' % (entry.seq, entry.at, self._ids, entry.body[1:])]


def event_view(run: Run, entry: LogEntry) -> dict[str, Any]:
    """The same object, for a page of events."""
    return msgspec.json.decode(Encoder(run).encode(entry)[0], type=dict[str, Any])


def thread_view(thread: Thread) -> ThreadView:
    """A thread."""
    return ThreadView(
        id=thread.id,
        title=thread.title,
        resource_id=thread.resource_id,
        parent_thread_id=thread.parent_thread_id,
        custom=thread.custom,
        created_at=thread.created_at,
        updated_at=thread.updated_at,
        message_count=thread.message_count,
        generation=thread.generation,
    )


def summary_view(thread: Thread) -> SummaryView:
    """A thread in a list."""
    return SummaryView(**thread_view(thread).model_dump(), agent_id=thread.latest_agent_id)


def message_view(seq: int, message: Message) -> MessageView:
    """A message."""
    return MessageView(
        id=message.id,
        seq=seq,
        role=message.role,
        parts=[msgspec.to_builtins(part) for part in message.parts],
        created_at=message.created_at,
        visibility=message.visibility,
        run_id=message.run_id,
        step=message.step,
        reply=_reply_view(message.reply),
        metadata=message.metadata,
    )


def _reply_view(reply: ReplyInfo | None) -> ReplyView | None:
    if reply is None:
        return None
    return ReplyView(
        model=reply.model, provider=reply.provider, usage=usage_view(reply.usage), duration_ms=reply.duration_ms
    )


def run_view(run: Run) -> RunView:
    """A run."""
    return RunView(
        run_id=run.id,
        thread_id=run.thread_id,
        agent_id=run.agent_id,
        parent_run_id=run.parent_run_id,
        origin=run.origin,
        status=run.status.value,
        stop_reason=run.stop_reason,
        error=error_view(run.error),
        attempt=run.attempt,
        steps=run.steps,
        usage=usage_view(run.usage),
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        updated_at=run.updated_at,
    )


def usage_view(usage: Usage) -> UsageView:
    """What a run used."""
    return UsageView(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        cached_input_tokens=usage.cached_input_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        cost_usd=usage.cost / 1_000_000,
    )


def error_view(error: ErrorReport | None) -> ErrorView | None:
    """Why something failed."""
    return ErrorView(code=error.code, message=error.message) if error else None


def accepted_view(run: Run, *, effect: Effect, dispatch_id: str) -> Accepted:
    """What became of input: the run that answers it, and the delivery that brings it there."""
    return Accepted(effect=effect, run_id=run.id, dispatch_id=dispatch_id, thread_id=run.thread_id)


def mailbox_view(entries: Sequence[MailboxEntry]) -> MailboxView:
    """What waits on a thread, in the order of its turns."""
    items = [_entry_view(position, entry) for position, entry in enumerate(entries)]
    return MailboxView(revision=queue_revision(entries), items=items, total=len(items))


def dead_letter_view(letter: DeadLetter) -> DeadLetterView:
    """A delivery that was given up."""
    return DeadLetterView(
        dispatch_id=letter.dispatch_id,
        run_id=letter.run.id,
        thread_id=letter.run.thread_id,
        agent_id=letter.run.agent_id,
        failures=letter.failures,
        error=error_view(letter.error),
        at=letter.at,
        retried_run_id=letter.retried_run_id,
    )


def _entry_view(position: int, entry: MailboxEntry) -> EntryView:
    return EntryView(
        run_id=entry.run.id,
        dispatch_id=entry.dispatch_id,
        agent_id=entry.run.agent_id,
        mode=entry.mode,
        revision=entry.revision,
        position=position,
        created_at=entry.run.created_at,
        messages=[
            EntryMessageView(
                id=message.id,
                role=message.role,
                parts=[msgspec.to_builtins(part) for part in message.parts],
                metadata=message.metadata,
            )
            for message in entry.messages
        ],
    )
