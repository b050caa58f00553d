"""Events and stored things to the native API's JSON; pure."""

from __future__ import annotations

from typing import Any

import msgspec

from wakeful.contracts.event import LogEntry
from wakeful.contracts.message import Message
from wakeful.contracts.run import Run
from wakeful.contracts.thread import Thread
from wakeful.protocols.native.wire import ErrorView, MessageView, RunView, SummaryView, ThreadView, UsageView


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
        error=ErrorView(code=run.error.code, message=run.error.message) if run.error else None,
        steps=run.steps,
        usage=UsageView(**msgspec.structs.asdict(run.usage)),
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        updated_at=run.updated_at,
    )
