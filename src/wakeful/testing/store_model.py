"""What a store promises about runs, in plain Python: the model that `StoreMachine` compares a store with."""

from __future__ import annotations

from dataclasses import dataclass, field

from wakeful.contracts.lifecycle import FINISHED, RunStatus
from wakeful.contracts.message import Message
from wakeful.contracts.run import Lease
from wakeful.contracts.store import Accepted
from wakeful.testing.store_cases.builders import message


@dataclass(eq=False)
class ModelRun:
    """A run. `due` is when a worker may take it, provided it is the oldest unfinished one of its thread."""

    id: str
    thread: str
    due: int
    input: tuple[Message, ...]
    status: RunStatus = RunStatus.QUEUED
    lease: Lease | None = None
    attempt: int = 0
    cancel: bool = False
    log: list[int] = field(default_factory=lambda: [1])
    open: list[str] = field(default_factory=list[str])
    key: int = 0
    thread_key: int = 0
    dispatch_key: int = 0

    def held(self, lease: Lease) -> bool:
        """Whether this is the lease that may write."""
        mine = self.lease
        return mine is not None and (mine.dispatch_key, mine.token) == (lease.dispatch_key, lease.token)


class Model:
    """All runs in the order they were accepted, and every thread's messages."""

    def __init__(self) -> None:
        self.now = 1_000
        self.runs: list[ModelRun] = []
        self.leases: list[Lease] = []
        self.messages: dict[str, list[str]] = {}

    def accept(self, thread: str) -> ModelRun:
        """A new run; one of its two messages may be on the thread already."""
        number = len(self.runs)
        brought = (message(f"shared {number % 3}"), message(f"input {number}"))
        run = ModelRun(f"r{number}", thread, self.now, brought)
        self.runs.append(run)
        return run

    def unfinished(self, thread: str) -> list[ModelRun]:
        """The thread's open runs, oldest first."""
        return [run for run in self.runs if run.thread == thread and run.status not in FINISHED]

    def ready(self) -> list[ModelRun]:
        """What a worker may take now, in the order it is handed out."""
        firsts = [open_runs[0] for thread in self.messages if (open_runs := self.unfinished(thread))]
        ready = [run for run in firsts if run.status is not RunStatus.WAITING and run.due <= self.now]
        return sorted(ready, key=lambda run: (run.due, run.dispatch_key))

    def start(self, run: ModelRun, lease: Lease) -> None:
        """The run is carried; its input joins the thread."""
        lost = run.status is RunStatus.RUNNING
        run.attempt = run.attempt + 1 if lost else max(run.attempt, 1)
        run.status, run.lease, run.due = RunStatus.RUNNING, lease, lease.until
        known = self.messages[run.thread]
        known.extend(one.id for one in run.input if one.id not in known)
        self.leases.append(lease)

    def rest(self, run: ModelRun, status: RunStatus) -> None:
        """The run is carried no longer."""
        run.status, run.lease = status, None

    def owner(self, lease: Lease) -> ModelRun:
        """The run this lease was granted for."""
        return next(run for run in self.runs if run.key == lease.run_key)

    def bind(self, run: ModelRun, accepted: Accepted) -> None:
        """Remember the store's own numbers of a run."""
        run.key, run.thread_key = accepted.run.key, accepted.run.thread_key
        run.dispatch_key = accepted.dispatch_key
        self.messages.setdefault(run.thread, [])
