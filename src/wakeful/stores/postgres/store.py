"""The store in one PostgreSQL database, which any number of processes share."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence

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
from wakeful.stores.postgres import decisions, dispatches, endings, mailbox, progress, schema, threads, upkeep
from wakeful.stores.postgres.accept import accept
from wakeful.stores.postgres.address import budget, read_address
from wakeful.stores.postgres.documents import PostgresDocuments
from wakeful.stores.postgres.lane import ClosedLane
from wakeful.stores.postgres.listener import Listener
from wakeful.stores.postgres.locks import lock_run
from wakeful.stores.postgres.pool import Pool
from wakeful.stores.postgres.readers import Readers
from wakeful.stores.postgres.session import Session, Statements
from wakeful.stores.postgres.transaction import transaction
from wakeful.stores.postgres.writer import Writer

log = logging.getLogger("wakeful.store")


class PostgresStore(PostgresDocuments):
    """Keeps every promise of `contracts.store.Store` in the database at `url`; `address.py` says what that may hold.

    With `migrate` it brings the schema up to date on opening, else it refuses an old one. Each store object is a
    process of its own to all others, also to those in the same process.
    """

    def __init__(self, url: str, *, migrate: bool = True) -> None:
        super().__init__()
        self._address = read_address(url)
        self._migrate = migrate
        self._statements = Statements(load_queries("wakeful.stores.postgres"))
        self._process = secrets.token_hex(8)
        self._pool: Pool | None = None

    @property
    def shared(self) -> bool:
        """Whether other processes can use it too: yes."""
        return True

    @property
    def remote(self) -> bool:
        """Whether this process can be cut off alone: yes."""
        return True

    async def open(self) -> None:
        """Connect and bring the schema up to date, or refuse an old one.

        Raises `ConfigurationError`, also when a newer Wakeful wrote the database, and `StoreUnavailable`.
        """
        pool = await Pool.open(self._address)
        try:
            async with pool.lend() as connection, transaction(connection, "begin"):
                ready = schema.migrate if self._migrate else schema.check
                await ready(connection, self._address.name)
        except BaseException:
            await pool.aclose()
            raise
        log.info("database %s: %s", self._address.name, budget(self._address))
        self._pool = pool
        self._writes = Writer(pool, self._address, self._statements, self._process)
        self._reads = Readers(pool, self._statements, self._process)

    async def aclose(self) -> None:
        """Finish pending writes and release everything. Idempotent."""
        pool, self._pool = self._pool, None
        self._reads = self._writes = ClosedLane()
        if pool is not None:
            await pool.aclose()

    async def recover(self, now: int) -> int:
        """Make due what would wait in vain; how many dispatches that were.

        Other processes may be alive, so their leases stay and run out by themselves.
        """
        return await self._writes.run(lambda session: dispatches.recover(session, now))

    async def listen(self, hear: Callable[[Signal], None]) -> None:
        """Call `hear` with what other processes write, until cancelled, on a connection of its own.

        After each connecting `hear` is told that something may have been missed. Never raises on its own.
        """
        await Listener(self._address, self._process).listen(hear)

    # -- the life of a run

    async def accept(self, submission: Submission) -> Accepted:
        """Write one request, or recognise it as one accepted earlier."""
        return await self._writes.run(lambda session: accept(session, submission))

    async def claim(self, request: ClaimRequest, limit: int) -> Sequence[Claim]:
        """Lease up to `limit` runs that are due. One whose rows are damaged fails and becomes a dead letter.

        What another process writes about at this moment is passed by.
        """
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

        async def flag(session: Session) -> Run:
            await lock_run(session, run_key)
            return await endings.request_cancel(session, run_key, at)

        return await self._writes.run(flag)

    async def retire(self, retirement: Retirement) -> Run:
        """End a queued or waiting run. Raises `NotFound` when its thread was removed."""

        async def end(session: Session) -> Run:
            thread_key = await lock_run(session, retirement.run_key)
            return await endings.retire(session, retirement, thread_key=thread_key)

        return await self._writes.run(end)

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
        """Pack old logs, one run at a time; the packing itself is done outside of any writing transaction."""
        keys = await self._reads.run_one(lambda session: upkeep.runs_to_pack(session, before, limit))
        return sum([await self._pack(key) for key in keys])

    async def _pack(self, run_key: int) -> bool:
        packs = await self._reads.run(lambda session: upkeep.packs_of(session, run_key))
        return await self._writes.run(lambda session: upkeep.put_packs(session, run_key, packs))

    async def prune(self, before: int, limit: int) -> int:
        """Remove old logs, one run at a time."""
        keys = await self._reads.run_one(lambda session: upkeep.runs_to_prune(session, before, limit))
        return sum([await self._writes.run(lambda session, key=key: upkeep.prune(session, key)) for key in keys])

    async def sizes(self) -> Sizes:
        """How much there is; reads the header of every row."""
        return await self._reads.run_one(upkeep.sizes)

    async def reclaim(self) -> None:
        """Give free space back to the disk; other writes wait meanwhile."""
        await self._writes.run_alone(upkeep.RECLAIM)
