"""The part of the store socket that only reads. Every method sees one snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from wakeful.contracts.interrupt import Interrupt, InterruptRecord
from wakeful.contracts.json import JsonObject
from wakeful.contracts.mailbox import DeadLetter, MailboxEntry
from wakeful.contracts.message import Message
from wakeful.contracts.query import (
    LogPage,
    MessageQuery,
    MessageRows,
    Orders,
    RunCounts,
    RunQuery,
    RunRows,
    ThreadQuery,
    ThreadRows,
)
from wakeful.contracts.run import Run
from wakeful.contracts.thread import Thread


class Reads(Protocol):
    """What can be asked of a store; raises `StoreUnavailable`."""

    async def probe(self) -> None:
        """Return when a trivial read succeeds."""
        ...

    # -- runs

    async def get_run(self, scope: str, run_id: str) -> Run | None:
        """The run with this id."""
        ...

    async def list_runs(self, query: RunQuery) -> RunRows:
        """One page of runs."""
        ...

    async def active_run(self, thread_key: int) -> Run | None:
        """The thread's running run, else its waiting one, else the queued one whose turn is next."""
        ...

    async def latest_run(self, thread_key: int) -> Run | None:
        """The thread's newest run."""
        ...

    async def open_runs(self, thread_key: int) -> Sequence[tuple[Run, int]]:
        """All unfinished runs of a thread with their last committed sequence number, in the order of their turns."""
        ...

    async def read_log(self, run_key: int, *, after: int, limit: int) -> LogPage:
        """Entries with `seq > after`, ascending."""
        ...

    async def last_seqs(self, run_keys: Sequence[int]) -> Mapping[int, int]:
        """The last sequence number of each of these runs that exists."""
        ...

    async def orders(self, run_keys: Sequence[int]) -> Orders:
        """What these running runs were asked; for whoever carries them and may have missed it."""
        ...

    async def interrupts(self, run_key: int) -> Sequence[InterruptRecord]:
        """All interrupts of a run with their decisions, in the order they were raised."""
        ...

    async def newest_dispatch(self, run_key: int) -> str:
        """The id of a run's newest dispatch; raises `NotFound` when the run was removed."""
        ...

    async def expired_interrupts(self, now: int, limit: int) -> Sequence[tuple[Run, Interrupt]]:
        """Open questions whose time is over, with their waiting runs, oldest first."""
        ...

    async def count_runs(self, scope: str) -> RunCounts:
        """How many unfinished runs a scope has."""
        ...

    # -- what waits on a thread, and what was given up

    async def mailbox(self, thread_key: int) -> Sequence[MailboxEntry]:
        """The thread's queued runs that were never carried, in the order of their turns."""
        ...

    async def dead_letters(self, scope: str, *, before: int | None, limit: int) -> Sequence[tuple[int, DeadLetter]]:
        """Dispatches that were given up, newest first, each with its number for paging; `before` is exclusive."""
        ...

    async def dead_letter(self, scope: str, dispatch_id: str) -> DeadLetter | None:
        """The one with this id."""
        ...

    # -- threads and messages

    async def get_thread(self, scope: str, thread_id: str) -> Thread | None:
        """The thread with this id."""
        ...

    async def shared_state(self, thread_key: int) -> JsonObject:
        """The thread's shared state; empty while nobody wrote one."""
        ...

    async def list_threads(self, query: ThreadQuery) -> ThreadRows:
        """One page of threads."""
        ...

    async def list_messages(self, query: MessageQuery) -> MessageRows:
        """One page of messages."""
        ...

    async def history(self, thread_key: int) -> Sequence[Message]:
        """All messages of a thread, oldest first, internal ones included."""
        ...

    async def known_message_ids(self, thread_key: int, ids: Sequence[str]) -> frozenset[str]:
        """Which of these ids the thread already has."""
        ...
