"""The store socket. One method is one transaction; a backend that does not keep all of it is not shipped.

Writes about a running run carry its lease and are refused with `LeaseLost` when the token is no longer current.
Driver errors never leave a store: they become `StoreUnavailable`. Rows never leave it either.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from wakeful.contracts.event import ErrorReport, LogEntry, StopReason
from wakeful.contracts.interrupt import Decision, Interrupt, InterruptRecord
from wakeful.contracts.lifecycle import RunStatus
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
from wakeful.contracts.run import Lease, Run, RunOptions
from wakeful.contracts.thread import Thread
from wakeful.contracts.usage import Usage

ChildStrategy = Literal["detach", "reject", "cascade"]


class ClaimRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants work: leases are granted to `worker` until `until` (ms)."""

    worker: str
    now: int
    until: int


class Retirement(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a run nobody carries (queued or waiting), applied only if it still has `expected` status.

    `entries` continue the run's log after `last_seq`; `messages` go to the thread (results of open calls).
    """

    run_key: int
    expected: RunStatus
    last_seq: int
    entries: tuple[LogEntry, ...]
    messages: tuple[Message, ...]
    stop_reason: StopReason
    at: int


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one accepted request writes.

    The thread is created when absent. `messages` join the thread when the run is claimed, those whose id the
    thread already has are left out. `digest` recognises the same request sent twice under one run id or
    `idempotency_key`. `supersede` asks the thread's running run to stop and applies `retire` first. With
    `claim`, the run is leased in the same transaction when nothing else runs or waits on the thread.
    """

    scope: str
    thread_id: str
    run_id: str
    agent_id: str
    origin: str
    messages: tuple[Message, ...]
    entries: tuple[LogEntry, ...]
    digest: str
    at: int
    options: RunOptions = RunOptions()
    parent_run_id: str | None = None
    idempotency_key: str | None = None
    supersede: bool = False
    retire: tuple[Retirement, ...] = ()
    claim: ClaimRequest | None = None


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """What `accept` did. `replayed`: the request was known, `run` is the earlier one and nothing was written.

    `cancelling` is the key of the running run that was asked to stop.
    """

    run: Run
    dispatch_key: int
    lease: Lease | None = None
    replayed: bool = False
    cancelling: int | None = None


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A run to carry, leased. `last_seq` is the last committed sequence number; `cancel` a stop already asked for.

    `lost` says that an earlier attempt ended without settling, so more may have been shown than was committed.
    """

    run: Run
    lease: Lease
    last_seq: int
    lost: bool = False
    cancel: bool = False


class Append(msgspec.Struct, frozen=True, kw_only=True):
    """More log and messages of one leased run. `steps` and `usage` are the run's totals so far."""

    lease: Lease
    entries: tuple[LogEntry, ...]
    messages: tuple[Message, ...]
    steps: int
    usage: Usage


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one dispatch: the run comes to rest as `status` (waiting, completed, failed, cancelled)."""

    lease: Lease
    status: RunStatus
    stop_reason: StopReason | None
    error: ErrorReport | None
    interrupts: tuple[Interrupt, ...]
    entries: tuple[LogEntry, ...]
    messages: tuple[Message, ...]
    steps: int
    usage: Usage
    at: int


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What `decide` did. `ready`: no interrupt is open any more and the run is queued again."""

    run: Run
    accepted: tuple[str, ...]
    already: tuple[str, ...]
    ready: bool
    dispatch_key: int | None = None


class Store(Protocol):
    """All promises of persistence. Times are milliseconds, handed in by the caller."""

    async def open(self) -> None:
        """Connect and bring the schema up to date; raises `ConfigurationError` on a newer schema."""
        ...

    async def aclose(self) -> None:
        """Finish pending writes and release everything."""
        ...

    async def probe(self) -> None:
        """Return when a trivial read succeeds; raises `StoreUnavailable`."""
        ...

    # -- the life of a run

    async def accept(self, submission: Submission) -> Accepted:
        """Write one request.

        Raises `Conflict` when the run id or idempotency key is taken by another request, when the run id belongs
        to another thread, or when a retirement's expectation no longer holds; then nothing was written.
        """
        ...

    async def claim(self, request: ClaimRequest, limit: int) -> Sequence[Claim]:
        """Lease up to `limit` runs that are ready: available and due, or leased but past their lease.

        Never a second active run on one thread; oldest first. The run becomes running, its queued input joins
        the thread's messages. A run claimed again after a loss has `attempt` one higher and `lost` set.
        """
        ...

    async def renew(self, leases: Sequence[Lease], until: int) -> frozenset[int]:
        """Extend leases; returns the keys of runs whose lease is no longer held."""
        ...

    async def append(self, batch: Sequence[Append]) -> frozenset[int]:
        """Write logs and messages of many runs in one transaction.

        Returns the keys of runs whose lease is lost, of which nothing was written.
        """
        ...

    async def settle(self, settlement: Settlement) -> None:
        """End a dispatch. Raises `LeaseLost`; then nothing was written."""
        ...

    async def requeue(self, lease: Lease, *, available_at: int, at: int) -> None:
        """Hand a run back: queued, its dispatch available from `available_at`. Raises `LeaseLost`."""
        ...

    async def request_cancel(self, run_key: int, at: int) -> Run:
        """Note that a run should stop, if it is not finished; returns it. Idempotent."""
        ...

    async def retire(self, retirement: Retirement) -> Run:
        """End a queued or waiting run. Raises `Conflict` when it is no longer in the expected status."""
        ...

    async def decide(self, run_key: int, decisions: Sequence[Decision], at: int) -> Decided:
        """Record answers to open interrupts of a waiting run; the run is queued when none is left open.

        An answer to an interrupt already decided the same way changes nothing (`already`). Raises `NotFound` for
        a target the run never asked about, `Conflict` when the run is not waiting or the answer differs from the first.
        """
        ...

    # -- reads of runs

    async def get_run(self, scope: str, run_id: str) -> Run | None:
        """The run with this id."""
        ...

    async def list_runs(self, query: RunQuery) -> RunRows:
        """One page of runs."""
        ...

    async def active_run(self, thread_key: int) -> Run | None:
        """The thread's running run, else its waiting one, else its oldest queued one."""
        ...

    async def latest_run(self, thread_key: int) -> Run | None:
        """The thread's newest run."""
        ...

    async def open_runs(self, thread_key: int) -> Sequence[tuple[Run, int]]:
        """All unfinished runs of a thread with their last committed sequence number, oldest first."""
        ...

    async def read_log(self, run_key: int, *, after: int, limit: int) -> LogPage:
        """Entries with `seq > after`, ascending."""
        ...

    async def interrupts(self, run_key: int) -> Sequence[InterruptRecord]:
        """All interrupts of a run with their decisions, in the order they were raised."""
        ...

    # -- threads and messages

    async def create_thread(self, thread: Thread) -> Thread:
        """Store a new thread; its `key` is ignored.

        Raises `Conflict` when the id is taken, `BadRequest` when the parent does not exist.
        """
        ...

    async def get_thread(self, scope: str, thread_id: str) -> Thread | None:
        """The thread with this id."""
        ...

    async def list_threads(self, query: ThreadQuery) -> ThreadRows:
        """One page of threads."""
        ...

    async def update_thread(self, thread_key: int, change: ThreadChange, at: int) -> Thread:
        """Apply a change. Raises `BadRequest` for a missing parent or a cycle, `NotFound`."""
        ...

    async def delete_thread(self, thread_key: int, strategy: ChildStrategy) -> None:
        """Remove a thread with its messages, runs and logs.

        Children are detached, a reason to refuse (`BadRequest`), or removed too. Raises `NotFound`, and
        `Conflict` while a run of it (or of a child to be removed) is running.
        """
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
