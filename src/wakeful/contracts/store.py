"""The store socket. One method is one transaction; a backend that does not keep all of it is not shipped.

What only reads is in `reads.py`, what keeps the database small in `upkeep.py`, moving house in `portable.py`,
documents in `document.py`. Writes about a running run carry its lease and are refused with `LeaseLost` when the token
is no longer current. Driver errors never leave a store: they become `StoreUnavailable`. Rows leave it only to move
house.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import msgspec

from wakeful.contracts.document import Documents
from wakeful.contracts.event import ErrorReport, LogEntry, StopReason
from wakeful.contracts.interrupt import Decision, Interrupt
from wakeful.contracts.json import JsonObject
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.mailbox import EntryEdit, EntryMode, MailboxEntry
from wakeful.contracts.message import Message
from wakeful.contracts.portable import Moving
from wakeful.contracts.query import ThreadChange
from wakeful.contracts.reads import Reads
from wakeful.contracts.run import Lease, Run, RunOptions, Voids
from wakeful.contracts.signal import Signal
from wakeful.contracts.thread import Thread
from wakeful.contracts.upkeep import Upkeep
from wakeful.contracts.usage import Usage

ChildStrategy = Literal["detach", "reject", "cascade"]


class ClaimRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants work: leases are granted to `worker` until `until` (ms)."""

    worker: str
    now: int
    until: int


class Retirement(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a run nobody carries (queued or waiting), applied only if it still has `expected` status.

    `entries` continue the run's log after `last_seq`; `messages` go to the thread (results of open calls). `status`
    is `completed` for a queued run whose input was steered into the running one.
    """

    run_key: int
    expected: RunStatus
    last_seq: int
    status: RunStatus = RunStatus.CANCELLED
    entries: tuple[LogEntry, ...]
    messages: tuple[Message, ...]
    stop_reason: StopReason
    at: int


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one accepted request writes.

    The thread is created when absent. `messages` join the thread when the run is claimed, those whose id the
    thread already has are left out. `digest` recognises the same request sent twice under one run id or
    `idempotency_key`. `supersede` asks the thread's running run to stop, applies `retire` first and moves the thread
    to its next generation. With `claim`, the run is leased in the same transaction when nothing else runs or waits
    on the thread, and `started` then continues `entries`. At most `max_backlog` runs may be unfinished on the thread
    afterwards. When the run begins, the messages of the thread from `replace_from` (a message id) on are replaced by
    its own.
    """

    scope: str
    thread_id: str
    run_id: str
    agent_id: str
    dispatch_id: str
    origin: str
    messages: tuple[Message, ...]
    entries: tuple[LogEntry, ...]
    digest: str
    at: int
    mode: EntryMode = "queue"
    max_backlog: int = 1_000_000
    replace_from: str | None = None
    options: RunOptions = RunOptions()
    parent_run_id: str | None = None
    idempotency_key: str | None = None
    supersede: bool = False
    retire: tuple[Retirement, ...] = ()
    claim: ClaimRequest | None = None
    started: tuple[LogEntry, ...] = ()


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """What `accept` did. `replayed`: the request was known, `run` is the earlier one and nothing was written.

    `dispatch_id` is the run's newest. `cancelling` is the key of the running run that was asked to stop. `running`
    is the thread's running run, where the new one waits behind it. `opened`: the thread was made for it.
    """

    run: Run
    dispatch_id: str
    lease: Lease | None = None
    replayed: bool = False
    cancelling: int | None = None
    running: Run | None = None
    opened: bool = False


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A run to carry, leased. `last_seq` is the last committed sequence number; `cancel` a stop already asked for.

    `lost` says that an earlier attempt ended without settling, so more may have been shown than was committed.
    `failures` counts the attempts in a row, without a step finished between them, that were lost or put back with an
    error. `steered` says that input for the running run waits on its thread. `entries` are the end of its log and
    `history` is all that its thread has, where that is known without reading: of a thread that was made for the run.
    """

    run: Run
    lease: Lease
    last_seq: int
    lost: bool = False
    cancel: bool = False
    failures: int = 0
    steered: bool = False
    entries: tuple[LogEntry, ...] = ()
    history: tuple[Message, ...] | None = None


class Append(msgspec.Struct, frozen=True, kw_only=True):
    """More log and messages of one leased run. `steps`, `usage` and `voids` are the run's totals so far.

    `state` is the thread's shared state where the entries changed it.
    """

    lease: Lease
    entries: tuple[LogEntry, ...]
    messages: tuple[Message, ...]
    steps: int
    usage: Usage
    voids: Voids = ()
    state: JsonObject | None = None


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one dispatch: the run comes to rest as `status` (waiting, completed, failed, cancelled).

    `given_up_after` so many failures in a row the dispatch is kept as a dead letter; 0: it is not given up. `state` is
    the thread's shared state where the entries changed it.
    """

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
    voids: Voids = ()
    given_up_after: int = 0
    state: JsonObject | None = None


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """Answers to questions of a waiting run; `dispatch_id` names its next delivery if none stays open.

    `messages` join the thread with them and `state`, where given, is its shared state from then on; `entries` continue
    the run's log after `last_seq` and are refused with `Conflict` when it went on meanwhile.
    """

    run_key: int
    decisions: tuple[Decision, ...]
    dispatch_id: str
    at: int
    messages: tuple[Message, ...] = ()
    entries: tuple[LogEntry, ...] = ()
    last_seq: int = 0
    state: JsonObject | None = None


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What `decide` did. `ready`: no interrupt is open any more and the run is queued again."""

    run: Run
    accepted: tuple[str, ...]
    already: tuple[str, ...]
    ready: bool
    dispatch_id: str


class Interruption(msgspec.Struct, frozen=True, kw_only=True):
    """The end of everything a thread does: `retire` ends what is queued or waits, the running run is asked to stop."""

    thread_key: int
    retire: tuple[Retirement, ...]
    at: int


class Interrupted(msgspec.Struct, frozen=True, kw_only=True):
    """What `interrupt` did: the thread's new generation, and the key of the running run that was asked to stop."""

    generation: int
    cancelling: int | None = None


class Store(Reads, Upkeep, Moving, Documents, Protocol):
    """All promises of persistence. Times are milliseconds, handed in by the caller."""

    @property
    def shared(self) -> bool:
        """Whether other processes can use it too."""
        ...

    @property
    def remote(self) -> bool:
        """Whether this process can be cut off from it while others still reach it."""
        ...

    async def open(self) -> None:
        """Connect and bring the schema up to date; raises `ConfigurationError` on a newer schema."""
        ...

    async def aclose(self) -> None:
        """Finish pending writes and release everything."""
        ...

    async def recover(self, now: int) -> int:
        """Make work due that would wait in vain: once, after `open`, before anything is claimed.

        That is every lease whose holder is known to be dead (of this process's own earlier life, or of anybody when
        no other process has the store open), and whatever a clock that ran ahead put far into the future. Returns how
        many dispatches it made due.

        Raises `ConfigurationError` while a copy into the store is under way.
        """
        ...

    async def listen(self, hear: Callable[[Signal], None]) -> None:
        """Tell what other processes change, until cancelled; a lost connection is made anew and reported as `missed`.

        A store that cannot tell stays silent: then changes are found by looking again now and then.
        """
        ...

    # -- the life of a run

    async def accept(self, submission: Submission) -> Accepted:
        """Write one request.

        Raises `Conflict` when the run id or idempotency key is taken by another request, when the run id belongs
        to another thread, or when a retirement's expectation no longer holds; `Backlogged` when too many runs wait
        on the thread; `BadRequest` when `replace_from` is no message of the thread. Then nothing was written.
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

    async def absorb(self, more: Append, entries: Sequence[Retirement]) -> None:
        """Let mailbox entries of the thread end in its running run: `more` is that run's part, messages included.

        Raises `LeaseLost`, and `Conflict` when an entry was changed meanwhile; then nothing was written.
        """
        ...

    async def settle(self, settlement: Settlement) -> None:
        """End a dispatch. Raises `LeaseLost`; then nothing was written."""
        ...

    async def requeue(
        self,
        lease: Lease,
        *,
        available_at: int,
        at: int,
        error: ErrorReport | None = None,
        agent_id: str | None = None,
    ) -> None:
        """Hand a run back: queued, its dispatch available from `available_at`; with `error` it counts as a failure.

        With `agent_id` it goes on with that agent, who becomes the newest of its thread.

        Raises `LeaseLost`.
        """
        ...

    async def request_cancel(self, run_key: int, at: int) -> Run:
        """Note that a run should stop, if it is not finished; returns it. Idempotent."""
        ...

    async def retire(self, retirement: Retirement) -> Run:
        """End a queued or waiting run. Raises `Conflict` when it is no longer in the expected status."""
        ...

    async def interrupt(self, interruption: Interruption) -> Interrupted:
        """End everything a thread does; raises `Conflict` when that changed meanwhile, then nothing was written."""
        ...

    async def decide(self, answers: Answers) -> Decided:
        """Record answers to open interrupts of a waiting run; the run is queued when none is left open.

        An answer to an interrupt already decided the same way changes nothing (`already`). Raises `NotFound` for
        a target the run never asked about, `Conflict` when the run is not waiting or the answer differs from the first.
        """
        ...

    # -- what waits on a thread

    async def edit_entry(self, edit: EntryEdit) -> MailboxEntry:
        """Give a queued run other messages; raises `Conflict` when it is carried already or its revision is another."""
        ...

    async def reorder(self, thread_key: int, run_keys: Sequence[int], revision: str) -> Sequence[MailboxEntry]:
        """Put a thread's entries into this order; returns them.

        Raises `Conflict` when the queue's revision is another, `BadRequest` when `run_keys` are not its entries.
        """
        ...

    # -- threads

    async def create_thread(self, thread: Thread) -> Thread:
        """Store a new thread; its `key` is ignored.

        Raises `Conflict` when the id is taken, `BadRequest` when the parent does not exist.
        """
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
