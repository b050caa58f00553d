"""Between rows and nouns: the only place that knows which column becomes which field."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from wakeful.contracts.codec import decode_event
from wakeful.contracts.event import ErrorReport, LogEntry
from wakeful.contracts.interrupt import Decision, Interrupt, InterruptRecord
from wakeful.contracts.json import JsonObject
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import Message
from wakeful.contracts.run import Run, RunOptions
from wakeful.contracts.thread import Thread
from wakeful.contracts.usage import Usage

_encoder = msgspec.json.Encoder()
_usage = msgspec.json.Decoder(Usage)
_options = msgspec.json.Decoder(RunOptions)
_error = msgspec.json.Decoder(ErrorReport)
_custom = msgspec.json.Decoder(JsonObject)
_interrupt = msgspec.json.Decoder(Interrupt)
_decision = msgspec.json.Decoder(Decision)
_messages = msgspec.json.Decoder(tuple[Message, ...])


def json_blob(value: Any) -> bytes:
    """A value of one of our types, or JSON, as a column stores it."""
    return _encoder.encode(value)


def json_list(values: Sequence[str] | Sequence[int]) -> str:
    """A list for `json_each`, which wants text."""
    return _encoder.encode(values).decode()


def run_of(row: sqlite3.Row) -> Run:
    """A row of `run_rows`."""
    return Run(
        key=row["key"],
        thread_key=row["thread_key"],
        scope=row["scope"],
        id=row["id"],
        thread_id=row["thread_id"],
        agent_id=row["agent_id"],
        status=RunStatus(row["status"]),
        origin=row["origin"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        stop_reason=row["stop_reason"],
        error=None if row["error"] is None else _error.decode(row["error"]),
        parent_run_id=row["parent_run_id"],
        attempt=row["attempt"],
        steps=row["steps"],
        usage=_usage.decode(row["usage"]),
        options=_options.decode(row["options"]),
    )


def thread_of(row: sqlite3.Row) -> Thread:
    """A row of `thread_rows`."""
    return Thread(
        key=row["key"],
        scope=row["scope"],
        id=row["id"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        title=row["title"],
        resource_id=row["resource_id"],
        parent_thread_id=row["parent_thread_id"],
        custom=_custom.decode(row["custom"]),
        message_count=row["message_count"],
        latest_agent_id=row["latest_agent_id"],
    )


def entry_of(row: sqlite3.Row) -> LogEntry:
    """A row of `events`."""
    return LogEntry(row["seq"], row["at"], decode_event(row["body"]), row["body"])


def interrupt_of(row: sqlite3.Row) -> InterruptRecord:
    """A row of `interrupts`."""
    decision = None if row["decision"] is None else _decision.decode(row["decision"])
    return InterruptRecord(_interrupt.decode(row["body"]), decision)


def input_of(blob: bytes | None) -> tuple[Message, ...]:
    """The messages a run still has to bring to its thread."""
    return () if blob is None else _messages.decode(blob)
