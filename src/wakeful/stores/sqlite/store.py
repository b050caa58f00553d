"""The store in one SQLite file, or in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from wakeful.contracts.interrupt import Decision, InterruptRecord
from wakeful.contracts.message import Message
from wakeful.contracts.query import (
    LogPage,
    MessageQuery,
    MessageRows,
    RunQuery,
    RunRows,
    ThreadChange,
    ThreadQuery,
    ThreadRows,
)
from wakeful.contracts.run import Lease, Run
from wakeful.contracts.store import (
    Accepted,
    Append,
    ChildStrategy,
    Claim,
    ClaimRequest,
    Decided,
    Retirement,
    Settlement,
    Submission,
)
from wakeful.contracts.thread import Thread
from wakeful.stores.sqlite import decisions as answers
from wakeful.stores.sqlite import dispatches, messages, progress, runs, threads
from wakeful.stores.sqlite.accept import accept
from wakeful.stores.sqlite.database import Database, Synchronous
from wakeful.stores.sqlite.failures import DRIVER_ERRORS, readable
from wakeful.stores.sqlite.lane import ClosedLane, Lane
from wakeful.stores.sqlite.named_sql import load_queries
from wakeful.stores.sqlite.readers import Readers
from wakeful.stores.sqlite.session import Session
from wakeful.stores.sqlite.writer import Writer


class SQLiteStore:
    """Keeps every promise of `contracts.store.Store` in the file at `path`, or in memory for `":memory:"`.

    `synchronous="normal"` survives a crash of the process, `"full"` also a loss of power at once after a commit.
    `readers` is how many reads run side by side. `busy_timeout` is how many milliseconds to wait for another
    process that has the file locked.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        synchronous: Synchronous = "normal",
        readers: int = 4,
        busy_timeout: int = 5_000,
    ) -> None:
        self._database = Database(path, synchronous=synchronous, busy_timeout=busy_timeout)
        self._reader_count = readers
        self._queries = load_queries()
        self._writes: Lane = ClosedLane()
        self._reads: Lane = ClosedLane()

    async def open(self) -> None:
        """Open the file and bring its schema up to date.

        Raises `ConfigurationError` when a newer Wakeful wrote the database, `StoreUnavailable`.
        """
        writing, *reading = await asyncio.to_thread(self._connect)
        self._writes = Writer(writing, self._database.name)
        # An in-memory database lives in its one connection.
        self._reads = Readers(reading, self._database.name) if reading else self._writes

    def _connect(self) -> list[Session]:
        """The session that writes, then those that only read."""
        sessions: list[Session] = []
        try:
            sessions.append(Session(self._database.open_writing(), self._queries))
            for _ in range(0 if self._database.in_memory else self._reader_count):
                sessions.append(Session(self._database.open_reading(), self._queries))
        except DRIVER_ERRORS as error:
            for session in sessions:
                session.close()
            raise readable(error, self._database.name) from error
        return sessions

    async def aclose(self) -> None:
        """Finish pending writes and release everything. Idempotent."""
        reads, writes = self._reads, self._writes
        self._reads = self._writes = ClosedLane()
        await reads.aclose()
        await writes.aclose()

    async def probe(self) -> None:
        """Return when the file can be read; raises `StoreUnavailable`."""
        await self._reads.run(lambda session: session.row("probe"))

    # -- the life of a run

    async def accept(self, submission: Submission) -> Accepted:
        """Write one request, or recognise it as one accepted earlier."""
        return await self._writes.run(lambda session: accept(session, submission))

    async def claim(self, request: ClaimRequest, limit: int) -> Sequence[Claim]:
        """Lease up to `limit` runs that are due."""
        return await self._writes.run(lambda session: dispatches.claim(session, request, limit))

    async def renew(self, leases: Sequence[Lease], until: int) -> frozenset[int]:
        """Extend leases; the keys of runs whose lease is lost."""
        return await self._writes.run(lambda session: dispatches.renew(session, leases, until))

    async def append(self, batch: Sequence[Append]) -> frozenset[int]:
        """Write logs and messages; the keys of runs whose lease is lost.

        Raises `Conflict`, and writes nothing of the batch, when entries do not continue their run's log.
        """
        return await self._writes.run(lambda session: progress.append(session, batch))

    async def settle(self, settlement: Settlement) -> None:
        """End a dispatch."""
        await self._writes.run(lambda session: progress.settle(session, settlement))

    async def requeue(self, lease: Lease, *, available_at: int, at: int) -> None:
        """Hand a run back."""
        await self._writes.run(lambda session: dispatches.requeue(session, lease, available_at, at))

    async def request_cancel(self, run_key: int, at: int) -> Run:
        """Flag an unfinished run. Raises `NotFound` when its thread was removed."""
        return await self._writes.run(lambda session: runs.request_cancel(session, run_key, at))

    async def retire(self, retirement: Retirement) -> Run:
        """End a queued or waiting run."""
        return await self._writes.run(lambda session: runs.retire(session, retirement))

    async def decide(self, run_key: int, decisions: Sequence[Decision], at: int) -> Decided:
        """Record answers.

        Repeating answers that were recorded is welcome even when the run is no longer waiting for them.
        """
        return await self._writes.run(lambda session: answers.decide(session, run_key, decisions, at))

    # -- reads of runs

    async def get_run(self, scope: str, run_id: str) -> Run | None:
        """The run with this id."""
        return await self._reads.run(lambda session: runs.get_run(session, scope, run_id))

    async def list_runs(self, query: RunQuery) -> RunRows:
        """One page of runs."""
        return await self._reads.run(lambda session: runs.list_runs(session, query))

    async def active_run(self, thread_key: int) -> Run | None:
        """The thread's running run, else its waiting one, else its oldest queued one."""
        return await self._reads.run(lambda session: runs.active_run(session, thread_key))

    async def latest_run(self, thread_key: int) -> Run | None:
        """The thread's newest run."""
        return await self._reads.run(lambda session: runs.latest_run(session, thread_key))

    async def open_runs(self, thread_key: int) -> Sequence[tuple[Run, int]]:
        """All unfinished runs with their last sequence number, oldest first."""
        return await self._reads.run(lambda session: runs.open_runs(session, thread_key))

    async def read_log(self, run_key: int, *, after: int, limit: int) -> LogPage:
        """Entries with `seq > after`, ascending. Raises `NotFound` when the run's thread was removed."""
        return await self._reads.run(lambda session: runs.read_log(session, run_key, after, limit))

    async def interrupts(self, run_key: int) -> Sequence[InterruptRecord]:
        """All interrupts of a run, in the order they were raised."""
        return await self._reads.run(lambda session: runs.interrupts(session, run_key))

    # -- threads and messages

    async def create_thread(self, thread: Thread) -> Thread:
        """Store a new thread."""
        return await self._writes.run(lambda session: threads.create_thread(session, thread))

    async def get_thread(self, scope: str, thread_id: str) -> Thread | None:
        """The thread with this id."""
        return await self._reads.run(lambda session: threads.get_thread(session, scope, thread_id))

    async def list_threads(self, query: ThreadQuery) -> ThreadRows:
        """One page of threads."""
        return await self._reads.run(lambda session: threads.list_threads(session, query))

    async def update_thread(self, thread_key: int, change: ThreadChange, at: int) -> Thread:
        """Apply a change. A null in `custom` removes that key."""
        return await self._writes.run(lambda session: threads.update_thread(session, thread_key, change, at))

    async def delete_thread(self, thread_key: int, strategy: ChildStrategy) -> None:
        """Remove a thread with its messages, runs and logs."""
        await self._writes.run(lambda session: threads.delete_thread(session, thread_key, strategy))

    async def list_messages(self, query: MessageQuery) -> MessageRows:
        """One page of messages."""
        return await self._reads.run(lambda session: messages.list_messages(session, query))

    async def history(self, thread_key: int) -> Sequence[Message]:
        """All messages of a thread, oldest first."""
        return await self._reads.run(lambda session: messages.history(session, thread_key))

    async def known_message_ids(self, thread_key: int, ids: Sequence[str]) -> frozenset[str]:
        """Which of these ids the thread already has."""
        return await self._reads.run(lambda session: messages.known_message_ids(session, thread_key, ids))
