"""Small complete nouns for store tests; times are milliseconds since 0 to keep them readable."""

# ruff: noqa: S101  (a suite asserts)

from __future__ import annotations

from typing import Any

import msgspec

from wakeful.contracts.codec import entry
from wakeful.contracts.event import LogEntry, TextDelta
from wakeful.contracts.interrupt import Decision, Interrupt
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import Message, Role, TextPart
from wakeful.contracts.run import Lease, Run
from wakeful.contracts.store import Accepted, Answers, Append, ClaimRequest, Retirement, Settlement, Store, Submission
from wakeful.contracts.thread import Thread
from wakeful.contracts.usage import Usage

SCOPE = "acme"
LEASE = 30_000


def message(id: str, role: Role = "user", **changes: Any) -> Message:
    """A message with a text of its own."""
    return msgspec.structs.replace(Message(id, role, (TextPart(f"text of {id}"),), created_at=1), **changes)


def log(first: int, last: int, *, at: int = 1) -> tuple[LogEntry, ...]:
    """Log entries numbered from `first` to `last`."""
    return tuple(entry(seq, at, TextDelta(f"delta {seq}")) for seq in range(first, last + 1))


def submission(run_id: str, **changes: Any) -> Submission:
    """A request on thread `t1` with one message named after the run."""
    plain = Submission(
        scope=SCOPE,
        thread_id="t1",
        run_id=run_id,
        agent_id="assistant",
        dispatch_id=f"dispatch of {run_id}",
        origin="native",
        messages=(message(f"input of {run_id}"),),
        entries=log(1, 1),
        digest=f"digest of {run_id}",
        at=1_000,
    )
    return msgspec.structs.replace(plain, **changes)


def worker(name: str = "w1", *, now: int = 1_000) -> ClaimRequest:
    """A worker that wants work at `now` and keeps it for `LEASE`."""
    return ClaimRequest(worker=name, now=now, until=now + LEASE)


def more(lease: Lease, entries: tuple[LogEntry, ...], **changes: Any) -> Append:
    """What a worker appends."""
    return msgspec.structs.replace(Append(lease=lease, entries=entries, messages=(), steps=0, usage=Usage()), **changes)


def settlement(lease: Lease, status: RunStatus = RunStatus.COMPLETED, **changes: Any) -> Settlement:
    """The end of a dispatch."""
    plain = Settlement(
        lease=lease,
        status=status,
        stop_reason=None if status is RunStatus.WAITING else "answered",
        error=None,
        interrupts=(),
        entries=(),
        messages=(),
        steps=1,
        usage=Usage(),
        at=2_000,
    )
    return msgspec.structs.replace(plain, **changes)


def retirement(run: Run, **changes: Any) -> Retirement:
    """The end of a run nobody carries, as it was just after it was accepted."""
    plain = Retirement(
        run_key=run.key,
        expected=run.status,
        last_seq=1,
        entries=log(2, 2),
        messages=(),
        stop_reason="superseded",
        at=3_000,
    )
    return msgspec.structs.replace(plain, **changes)


def answers(run: Run, *decisions: Decision, at: int = 3_000, **changes: Any) -> Answers:
    """What somebody answers; the run goes on with a dispatch named after it and the time."""
    plain = Answers(run_key=run.key, decisions=decisions, dispatch_id=f"dispatch of {run.id} at {at}", at=at)
    return msgspec.structs.replace(plain, **changes)


def question(id: str, **changes: Any) -> Interrupt:
    """An approval question about call `call of <id>`."""
    return msgspec.structs.replace(Interrupt(id, "approval", f"call of {id}", "delete_file", "{}"), **changes)


def thread(id: str, **changes: Any) -> Thread:
    """A thread with nothing on it."""
    return msgspec.structs.replace(Thread(key=0, scope=SCOPE, id=id, created_at=1, updated_at=1), **changes)


async def start(store: Store, run_id: str, **changes: Any) -> tuple[Run, Lease]:
    """Accept a request and lease its run in one call; nothing else may be open on its thread."""
    accepted = await store.accept(submission(run_id, claim=worker(), **changes))
    return accepted.run, leased(accepted)


async def ask(store: Store, run_id: str, *questions: Interrupt, **changes: Any) -> Run:
    """A run that waits for answers to these questions."""
    run, lease = await start(store, run_id, **changes)
    await store.settle(settlement(lease, RunStatus.WAITING, interrupts=questions))
    return run


async def reread(store: Store, run: Run) -> Run:
    """The run as it is now."""
    found = await store.get_run(run.scope, run.id)
    assert found is not None
    return found


async def log_numbers(store: Store, run: Run) -> list[int]:
    """The sequence numbers of a run's whole log."""
    page = await store.read_log(run.key, after=0, limit=1_000)
    return [one.seq for one in page.entries]


async def message_ids(store: Store, run: Run) -> list[str]:
    """The ids of all messages of a run's thread."""
    return [one.id for one in await store.history(run.thread_key)]


def leased(accepted: Accepted) -> Lease:
    """The lease of a request that was claimed at once."""
    assert accepted.lease is not None
    return accepted.lease
