"""What waits on a thread, and what may be done with it until it is carried."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

import msgspec

from wakeful.contracts.event import ErrorReport, LogEntry
from wakeful.contracts.message import Message
from wakeful.contracts.run import Run

EntryMode = Literal["queue", "steer"]


class MailboxEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A queued run that was never carried, with the messages it will bring to its thread.

    `revision` is the last sequence number of its log, which an edit moves.
    """

    run: Run
    dispatch_id: str
    mode: EntryMode
    messages: tuple[Message, ...]
    revision: int


class EntryEdit(msgspec.Struct, frozen=True, kw_only=True):
    """Other messages for a queued run; `entries` continue its log after `revision`."""

    run_key: int
    revision: int
    messages: tuple[Message, ...]
    entries: tuple[LogEntry, ...]
    at: int


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A dispatch that was given up: its run failed as often as it may. Times are ms.

    `retried_run_id` is the run that tried again, if an operator asked for one.
    """

    dispatch_id: str
    run: Run
    failures: int
    error: ErrorReport | None
    at: int
    retried_run_id: str | None = None


def retry_key(dispatch_id: str) -> str:
    """The idempotency key of the run that retries a dead letter: two retries are one."""
    return f"wakeful-retry {dispatch_id}"


def queue_revision(entries: Sequence[MailboxEntry]) -> str:
    """Names one order and content of a thread's entries; any change gives another text."""
    seen = ";".join(f"{entry.run.id}:{entry.revision}" for entry in entries)
    return hashlib.blake2b(seen.encode(), digest_size=12).hexdigest()
