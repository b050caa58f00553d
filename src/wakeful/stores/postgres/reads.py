"""The doors of the PostgreSQL store that only read, each from one snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
from wakeful.stores.postgres import dead_letters as letters
from wakeful.stores.postgres import dispatches, logs, mailbox, messages, runs, threads
from wakeful.stores.postgres import interrupts as questions
from wakeful.stores.postgres.lane import ClosedLane, ReadingLane


class PostgresReads:
    """Keeps the promises of `contracts.reads.Reads`. What cannot be read any more raises `Damaged`, alone."""

    def __init__(self) -> None:
        self._reads: ReadingLane = ClosedLane()

    async def probe(self) -> None:
        """Return when the server answers; raises `StoreUnavailable`."""
        await self._reads.run_one(lambda session: session.rows("probe"))

    # -- runs

    async def get_run(self, scope: str, run_id: str) -> Run | None:
        """The run with this id."""
        return await self._reads.run_one(lambda session: runs.get_run(session, scope, run_id))

    async def list_runs(self, query: RunQuery) -> RunRows:
        """One page of runs."""
        return await self._reads.run(lambda session: runs.list_runs(session, query))

    async def active_run(self, thread_key: int) -> Run | None:
        """The thread's running run, else its waiting one, else the queued one whose turn is next."""
        return await self._reads.run_one(lambda session: runs.active_run(session, thread_key))

    async def latest_run(self, thread_key: int) -> Run | None:
        """The thread's newest run."""
        return await self._reads.run_one(lambda session: runs.latest_run(session, thread_key))

    async def open_runs(self, thread_key: int) -> Sequence[tuple[Run, int]]:
        """All unfinished runs with their last sequence number, in the order of their turns."""
        return await self._reads.run_one(lambda session: runs.open_runs(session, thread_key))

    async def read_log(self, run_key: int, *, after: int, limit: int) -> LogPage:
        """Entries with `seq > after`, ascending. Raises `NotFound` when the run's thread was removed."""
        page = await self._reads.run_one(lambda session: logs.read_open_log(session, run_key, after, limit))
        if page is not None:
            return page
        return await self._reads.run(lambda session: logs.read_packed_log(session, run_key, after, limit))

    async def last_seqs(self, run_keys: Sequence[int]) -> Mapping[int, int]:
        """The last sequence number of each of these runs that exists."""
        return await self._reads.run_one(lambda session: logs.last_seqs(session, run_keys))

    async def orders(self, run_keys: Sequence[int]) -> Orders:
        """What these running runs were asked."""
        return await self._reads.run_one(lambda session: dispatches.orders(session, run_keys))

    async def interrupts(self, run_key: int) -> Sequence[InterruptRecord]:
        """All interrupts of a run, in the order they were raised."""
        return await self._reads.run_one(lambda session: questions.interrupts(session, run_key))

    async def newest_dispatch(self, run_key: int) -> str:
        """The id of a run's newest dispatch; raises `NotFound` when the run was removed."""
        return await self._reads.run_one(lambda session: runs.newest_dispatch(session, run_key))

    async def expired_interrupts(self, now: int, limit: int) -> Sequence[tuple[Run, Interrupt]]:
        """Open questions whose time is over, with their waiting runs, oldest first."""
        return await self._reads.run_one(lambda session: questions.expired_interrupts(session, now, limit))

    async def count_runs(self, scope: str) -> RunCounts:
        """How many unfinished runs a scope has."""
        return await self._reads.run_one(lambda session: runs.count_unfinished(session, scope))

    # -- what waits on a thread, and what was given up

    async def mailbox(self, thread_key: int) -> Sequence[MailboxEntry]:
        """The thread's queued runs that were never carried, in the order of their turns."""
        return await self._reads.run_one(lambda session: mailbox.mailbox(session, thread_key))

    async def dead_letters(self, scope: str, *, before: int | None, limit: int) -> Sequence[tuple[int, DeadLetter]]:
        """Dispatches that were given up, newest first, each with its number for paging."""
        return await self._reads.run(lambda session: letters.dead_letters(session, scope, before, limit))

    async def dead_letter(self, scope: str, dispatch_id: str) -> DeadLetter | None:
        """The one with this id."""
        return await self._reads.run(lambda session: letters.dead_letter(session, scope, dispatch_id))

    # -- threads and messages

    async def get_thread(self, scope: str, thread_id: str) -> Thread | None:
        """The thread with this id."""
        return await self._reads.run_one(lambda session: threads.get_thread(session, scope, thread_id))

    async def shared_state(self, thread_key: int) -> JsonObject:
        """What the thread's agents, tools and client share."""
        return await self._reads.run_one(lambda session: threads.shared_state(session, thread_key))

    async def list_threads(self, query: ThreadQuery) -> ThreadRows:
        """One page of threads."""
        return await self._reads.run(lambda session: threads.list_threads(session, query))

    async def list_messages(self, query: MessageQuery) -> MessageRows:
        """One page of messages."""
        return await self._reads.run(lambda session: messages.list_messages(session, query))

    async def history(self, thread_key: int) -> Sequence[Message]:
        """All messages of a thread, oldest first."""
        return await self._reads.run_one(lambda session: messages.history(session, thread_key))

    async def known_message_ids(self, thread_key: int, ids: Sequence[str]) -> frozenset[str]:
        """Which of these ids the thread already has."""
        return await self._reads.run_one(lambda session: messages.known_message_ids(session, thread_key, ids))
