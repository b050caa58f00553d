"""Between rows and nouns: the only place that knows which column becomes which field."""

from __future__ import annotations

import zlib
from typing import Any, Protocol

import msgspec

from wakeful.contracts.codec import decode_event, decode_message
from wakeful.contracts.document import Document
from wakeful.contracts.errors import Damaged
from wakeful.contracts.event import ErrorReport, LogEntry
from wakeful.contracts.interrupt import Decision, Interrupt, InterruptRecord
from wakeful.contracts.json import JsonObject
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.mailbox import DeadLetter, MailboxEntry
from wakeful.contracts.message import Message
from wakeful.contracts.run import Run, RunOptions, Voids
from wakeful.contracts.thread import Thread
from wakeful.contracts.usage import Usage

_encoder = msgspec.json.Encoder()
_usage = msgspec.json.Decoder(Usage)
_options = msgspec.json.Decoder(RunOptions)
_error = msgspec.json.Decoder(ErrorReport)
_object = msgspec.json.Decoder(JsonObject)
_interrupt = msgspec.json.Decoder(Interrupt)
_decision = msgspec.json.Decoder(Decision)
_messages = msgspec.json.Decoder(tuple[Message, ...])
_voids = msgspec.json.Decoder(Voids)


class Row(Protocol):
    """A row of any driver: its columns by name."""

    def __getitem__(self, column: str, /) -> Any:
        """The value of a column."""
        ...


UNREADABLE = (msgspec.DecodeError, zlib.error, ValueError, RecursionError)
"""What decoding raises when the bytes of a row are not what was written."""


def damaged(what: str) -> Damaged:
    """The error of a row that cannot be read; `what` names it in words an operator knows."""
    return Damaged(f"{what}: its row is damaged; restore the database from a backup, or remove what it belongs to")


def json_blob(value: Any) -> bytes:
    """A value of one of our types, or JSON, as a column stores it."""
    return _encoder.encode(value)


def run_of(row: Row) -> Run:
    """A row of `run_rows`; raises `Damaged`."""
    try:
        return _run(row)
    except UNREADABLE as error:
        raise damaged(f"run {row['id']}") from error


def _run(row: Row) -> Run:
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
        pruned=row["log"] == "pruned",
        voids=() if row["voids"] is None else _voids.decode(row["voids"]),
    )


def thread_of(row: Row) -> Thread:
    """A row of `thread_rows`; raises `Damaged`."""
    try:
        custom = _object.decode(row["custom"])
    except UNREADABLE as error:
        raise damaged(f"thread {row['id']}") from error
    return Thread(
        key=row["key"],
        scope=row["scope"],
        id=row["id"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        title=row["title"],
        resource_id=row["resource_id"],
        parent_thread_id=row["parent_thread_id"],
        custom=custom,
        message_count=row["message_count"],
        latest_agent_id=row["latest_agent_id"],
        generation=row["generation"],
    )


def state_of(body: bytes, thread_key: int) -> JsonObject:
    """A thread's shared state as stored; raises `Damaged`."""
    try:
        return _object.decode(body)
    except UNREADABLE as error:
        raise damaged(f"the shared state of thread number {thread_key}") from error


def document_of(row: Row) -> Document:
    """A row of `documents`; raises `Damaged`."""
    try:
        value = _object.decode(row["value"])
    except UNREADABLE as error:
        raise damaged(f"document {row['kind']} {row['id']}") from error
    return Document(
        scope=row["scope"],
        kind=row["kind"],
        id=row["id"],
        value=value,
        revision=row["revision"],
        updated_at=row["updated_at"],
        thread_key=row["thread_key"],
        due_at=row["due_at"],
    )


def message_of(row: Row) -> Message:
    """A row of `messages`; raises `Damaged`."""
    try:
        return decode_message(row["body"])
    except UNREADABLE as error:
        raise damaged(f"message {row['id']}") from error


def log_entry(seq: int, at: int, body: bytes) -> LogEntry:
    """One event as stored; raises `Damaged`."""
    try:
        return LogEntry(seq, at, decode_event(body), body)
    except UNREADABLE as error:
        raise damaged(f"event {seq} of a run's log") from error


def interrupt_of(id: str, body: bytes) -> Interrupt:
    """A question as stored; raises `Damaged`."""
    try:
        return _interrupt.decode(body)
    except UNREADABLE as error:
        raise damaged(f"interrupt {id}") from error


def interrupt_record_of(row: Row) -> InterruptRecord:
    """A row of `interrupts`; raises `Damaged`."""
    interrupt = interrupt_of(row["id"], row["body"])
    try:
        decision = None if row["decision"] is None else _decision.decode(row["decision"])
    except UNREADABLE as error:
        raise damaged(f"decision of interrupt {row['id']}") from error
    return InterruptRecord(interrupt, decision)


def input_of(row: Row) -> tuple[Message, ...]:
    """The messages that the run of this row still has to bring to its thread; raises `Damaged`."""
    try:
        return () if row["input"] is None else _messages.decode(row["input"])
    except UNREADABLE as error:
        raise damaged(f"input of run {row['id']}") from error


def mailbox_entry_of(row: Row) -> MailboxEntry:
    """A row of the query `mailbox`; raises `Damaged`."""
    return MailboxEntry(
        run=run_of(row),
        dispatch_id=row["dispatch_id"],
        mode=row["mode"],
        messages=input_of(row),
        revision=row["last_seq"],
    )


def dead_letter_of(row: Row, retried_run_id: str | None) -> DeadLetter:
    """A row of the query `dead_letters`; raises `Damaged`."""
    try:
        error = None if row["last_error"] is None else _error.decode(row["last_error"])
    except UNREADABLE as unreadable:
        raise damaged(f"dispatch {row['dispatch_id']}") from unreadable
    return DeadLetter(
        dispatch_id=row["dispatch_id"],
        run=run_of(row),
        failures=row["failures"],
        error=error,
        at=row["ended_at"],
        retried_run_id=retried_run_id,
    )
