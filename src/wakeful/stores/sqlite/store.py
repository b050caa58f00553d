"""The store in one SQLite file, or in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from wakeful.contracts.event import ErrorReport
from wakeful.contracts.mailbox import EntryEdit, MailboxEntry
from wakeful.contracts.query import ThreadChange
from wakeful.contracts.run import Lease, Run
from wakeful.contracts.signal import Signal
from wakeful.contracts.store import (
    Accepted,
    Answers,
    Append,
    ChildStrategy,
    Claim,
    ClaimRequest,
    Decided,
    Interrupted,
    Interruption,
    Retirement,
    Settlement,
    Submission,
)
from wakeful.contracts.thread import Thread
from wakeful.contracts.upkeep import Sizes
from wakeful.stores.named_sql import load_queries
from wakeful.stores.sqlite import decisions, dispatches, endings, mailbox, progress, threads, upkeep
from wakeful.stores.sqlite.accept import accept
from wakeful.stores.sqlite.database import Database, Synchronous
from wakeful.stores.sqlite.documents import SQLiteDocuments
from wakeful.stores.sqlite.failures import DRIVER_ERRORS, readable
from wakeful.stores.sqlite.lane import ClosedLane
from wakeful.stores.sqlite.owner import Owner
from wakeful.stores.sqlite.readers import Readers
from wakeful.stores.sqlite.session import Session
from wakeful.stores.sqlite.writer import Writer


class SQLiteStore(SQLiteDocuments):
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
        super().__init__()
        self._database = Database(path, synchronous=synchronous, busy_timeout=busy_timeout)
        self._reader_count = readers
        self._queries = load_queries("wakeful.stores.sqlite")
        self._owner: Owner | None = None

    @property
    def shared(self) -> bool:
        """Whether other processes can use it too: a file is shared, memory is not."""
        return not self._database.in_memory

    @property
    def remote(self) -> bool:
        """Whether this process can be cut off alone: no, a disk that stalls does so for the whole host."""
        return False

    async def open(self) -> None:
        """Open the file and bring its schema up to date.

        Raises `ConfigurationError` when a newer Wakeful wrote the database, `StoreUnavailable`.
        """
        writing, *reading = await asyncio.to_thread(self._connect)
        writer = Writer(writing, self._database.name)
        self._writes = writer
        # An in-memory database lives in its one connection.
        self._reads = Readers(reading, self._database.name) if reading else writer

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
        self._owner = None if self._database.in_memory else Owner(self._database.file)
        return sessions

    async def aclose(self) -> None:
        """Finish pending writes and release everything. Idempotent."""
        reads, writes = self._reads, self._writes
        self._reads = self._writes = ClosedLane()
        await reads.aclose()
        await writes.aclose()
        if self._owner is not None:
            self._owner.release()

    async def recover(self, now: int) -> int:
        """Make due what would wait in vain; how many dispatches that were."""
        alone = self._owner is None or self._owner.alone
        return await self._writes.run(lambda session: dispatches.recover(session, now, alone=alone))

    async def listen(self, hear: Callable[[Signal], None]) -> None:
        """Stay silent: a file tells nobody. What other processes write to it is found by looking again."""
        await asyncio.Event().wait()

    # -- the life of a run

    async def accept(self, submission: Submission) -> Accepted:
        """Write one request, or recognise it as one accepted earlier."""
        return await self._writes.run(lambda session: accept(session, submission))

    async def claim(self, request: ClaimRequest, limit: int) -> Sequence[Claim]:
        """Lease up to `limit` runs that are due. One whose rows are damaged fails and becomes a dead letter."""
        return await self._writes.run(lambda session: dispatches.claim(session, request, limit))

    async def renew(self, leases: Sequence[Lease], until: int) -> frozenset[int]:
        """Extend leases; the keys of runs whose lease is lost."""
        return await self._writes.run(lambda session: dispatches.renew(session, leases, until))

    async def append(self, batch: Sequence[Append]) -> frozenset[int]:
        """Write logs and messages of many runs in one transaction; the keys of runs whose lease is lost."""
        return await self._writes.run(lambda session: progress.append(session, batch))

    async def absorb(self, more: Append, entries: Sequence[Retirement]) -> None:
        """Let mailbox entries of the thread end in its running run."""
        await self._writes.run(lambda session: progress.absorb(session, more, entries))

    async def settle(self, settlement: Settlement) -> None:
        """End a dispatch."""
        await self._writes.run(lambda session: progress.settle(session, settlement))

    async def requeue(
        self,
        lease: Lease,
        *,
        available_at: int,
        at: int,
        error: ErrorReport | None = None,
        agent_id: str | None = None,
    ) -> None:
        """Hand a run back; with `error` it counts as a failure."""
        await self._writes.run(
            lambda session: dispatches.requeue(session, lease, available_at, at, error=error, agent_id=agent_id)
        )

    async def request_cancel(self, run_key: int, at: int) -> Run:
        """Flag an unfinished run. Raises `NotFound` when its thread was removed."""
        return await self._writes.run(lambda session: endings.request_cancel(session, run_key, at))

    async def retire(self, retirement: Retirement) -> Run:
        """End a queued or waiting run."""
        return await self._writes.run(lambda session: endings.retire(session, retirement))

    async def interrupt(self, interruption: Interruption) -> Interrupted:
        """End everything a thread does. Raises `NotFound` when it was removed."""
        return await self._writes.run(lambda session: endings.interrupt(session, interruption))

    async def decide(self, answers: Answers) -> Decided:
        """Record answers.

        Repeating answers that were recorded is welcome even when the run is no longer waiting for them.
        """
        return await self._writes.run(lambda session: decisions.decide(session, answers))

    # -- what waits on a thread

    async def edit_entry(self, edit: EntryEdit) -> MailboxEntry:
        """Give a queued run other messages. Raises `NotFound` when its thread was removed."""
        return await self._writes.run(lambda session: mailbox.edit_entry(session, edit))

    async def reorder(self, thread_key: int, run_keys: Sequence[int], revision: str) -> Sequence[MailboxEntry]:
        """Put a thread's entries into this order."""
        return await self._writes.run(lambda session: mailbox.reorder(session, thread_key, run_keys, revision))

    # -- threads

    async def create_thread(self, thread: Thread) -> Thread:
        """Store a new thread."""
        return await self._writes.run(lambda session: threads.create_thread(session, thread))

    async def update_thread(self, thread_key: int, change: ThreadChange, at: int) -> Thread:
        """Apply a change. A null in `custom` removes that key."""
        return await self._writes.run(lambda session: threads.update_thread(session, thread_key, change, at))

    async def delete_thread(self, thread_key: int, strategy: ChildStrategy) -> None:
        """Remove a thread with its messages, runs and logs."""
        await self._writes.run(lambda session: threads.delete_thread(session, thread_key, strategy))

    # -- upkeep

    async def compact(self, before: int, limit: int) -> int:
        """Pack old logs. The packing itself is done beside the writer, which only exchanges rows for packs."""
        keys = await self._reads.run(lambda session: upkeep.runs_to_pack(session, before, limit))
        return sum([await self._pack(key) for key in keys])

    async def _pack(self, run_key: int) -> bool:
        packs = await self._reads.run(lambda session: upkeep.packs_of(session, run_key))
        return await self._writes.run(lambda session: upkeep.put_packs(session, run_key, packs))

    async def prune(self, before: int, limit: int) -> int:
        """Remove old logs, one run at a time."""
        keys = await self._reads.run(lambda session: upkeep.runs_to_prune(session, before, limit))
        return sum([await self._writes.run(lambda session, key=key: upkeep.prune(session, key)) for key in keys])

    async def sizes(self) -> Sizes:
        """How much there is; reads the header of every row."""
        return await self._reads.run(lambda session: upkeep.sizes(session, self._database.file_bytes()))

    async def reclaim(self) -> None:
        """Give free space back to the disk; other writes wait meanwhile."""
        await self._writes.run_alone(upkeep.reclaim)
