"""What a store promises about runs, in plain Python: the model that `StoreMachine` compares a store with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from wakeful.contracts.document import Document
from wakeful.contracts.lifecycle import FINISHED, RunStatus
from wakeful.contracts.mailbox import EntryMode
from wakeful.contracts.message import Message
from wakeful.contracts.run import Lease
from wakeful.contracts.store import Accepted
from wakeful.testing.store_cases.builders import message

FAR = 600_000


@dataclass(eq=False)
class ModelRun:
    """A run. `due` is when a worker may take it, provided its turn on the thread has come; `turn` orders those."""

    id: str
    thread: str
    due: int
    input: tuple[Message, ...]
    turn: int
    dispatch: int
    mode: EntryMode = "queue"
    status: RunStatus = RunStatus.QUEUED
    lease: Lease | None = None
    attempt: int = 0
    cancel: bool = False
    log: list[int] = field(default_factory=lambda: [1])
    last_seq: int = 1
    open: list[str] = field(default_factory=list[str])
    key: int = 0
    thread_key: int = 0
    dispatch_id: str = ""
    created: int = 0
    steps: int = 0
    steps_at_claim: int = 0
    failures: int = 0
    packed: bool = False
    pruned: bool = False

    @property
    def entry(self) -> bool:
        """Whether it waits in the mailbox: queued and never carried."""
        return self.status is RunStatus.QUEUED and self.attempt == 0

    @property
    def begun(self) -> bool:
        """Whether it is carried, or was handed back."""
        return self.status is RunStatus.RUNNING or (self.status is RunStatus.QUEUED and self.attempt > 0)

    def held(self, lease: Lease) -> bool:
        """Whether this is the lease that may write."""
        mine = self.lease
        return mine is not None and (mine.dispatch_key, mine.token) == (lease.dispatch_key, lease.token)

    def asked_to_stop(self, now: int) -> None:
        """A pause before the next attempt is over, so that the run can end."""
        self.cancel = True
        if self.status is RunStatus.QUEUED:
            self.due = min(self.due, now)

    def wrote(self, *numbers: int) -> None:
        """The log went on."""
        self.log.extend(numbers)
        self.last_seq = self.log[-1]

    def failures_before(self) -> int:
        """Attempts in a row that came to nothing, unless the last one begun a step."""
        return 0 if self.steps > self.steps_at_claim else self.failures

    def failed(self) -> None:
        """Another attempt came to nothing."""
        self.failures, self.steps_at_claim = self.failures_before() + 1, self.steps


class Model:
    """All runs in the order they were accepted, every thread's messages, what was given up, and documents.

    `documents` are by scope and id.
    """

    def __init__(self) -> None:
        self.now = 1_000
        self.runs: list[ModelRun] = []
        self.leases: list[Lease] = []
        self.messages: dict[str, list[str]] = {}
        self.generations: Counter[str] = Counter()
        self.dead: list[tuple[str, int]] = []
        self.dispatches = 0
        self.documents: dict[tuple[str, str], Document] = {}

    def accept(self, thread: str, mode: EntryMode = "queue") -> ModelRun:
        """A new run; one of its two messages may be on the thread already."""
        number = len(self.runs)
        run = ModelRun(
            id=f"r{number}",
            thread=thread,
            due=self.now,
            input=(message(f"shared {number % 3}"), message(f"input {number}")),
            turn=number + 1,
            dispatch=self.next_dispatch(),
            mode=mode,
            created=self.now,
        )
        self.runs.append(run)
        return run

    def forget(self, run: ModelRun) -> None:
        """The newest run was refused."""
        assert self.runs.pop() is run  # noqa: S101

    def next_dispatch(self) -> int:
        """The number of a new dispatch."""
        self.dispatches += 1
        return self.dispatches

    def unfinished(self, thread: str) -> list[ModelRun]:
        """The thread's open runs in the order of their turns."""
        return sorted(
            (run for run in self.runs if run.thread == thread and run.status not in FINISHED), key=lambda run: run.turn
        )

    def entries(self, thread: str) -> list[ModelRun]:
        """What waits in the thread's mailbox."""
        return [run for run in self.unfinished(thread) if run.entry]

    def reorder(self, old: Sequence[ModelRun], new: Sequence[ModelRun]) -> None:
        """Entries change places; the one whose turn is next takes over when the former would have been due."""
        for run, turn in zip(new, sorted(run.turn for run in old), strict=True):
            run.turn = turn
        if old and new[0] is not old[0] and self.unfinished(old[0].thread)[0] is new[0]:
            new[0].due, old[0].due = old[0].due, old[0].created

    def ready(self) -> list[ModelRun]:
        """What a worker may take now, in the order it is handed out."""
        firsts = [open_runs[0] for thread in self.messages if (open_runs := self.unfinished(thread))]
        ready = [run for run in firsts if run.status is not RunStatus.WAITING and run.due <= self.now]
        return sorted(ready, key=lambda run: (run.due, run.dispatch))

    def start(self, run: ModelRun, lease: Lease) -> None:
        """The run is carried; its input joins the thread."""
        lost = run.status is RunStatus.RUNNING
        run.failures, run.steps_at_claim = run.failures_before() + lost, run.steps
        run.attempt = run.attempt + 1 if lost else max(run.attempt, 1)
        run.status, run.lease, run.due, run.turn = RunStatus.RUNNING, lease, lease.until, 0
        known = self.messages[run.thread]
        known.extend(one.id for one in run.input if one.id not in known)
        self.leases.append(lease)

    def rest(self, run: ModelRun, status: RunStatus) -> None:
        """The run is carried no longer."""
        run.status, run.lease = status, None

    def recover(self) -> int:
        """The process is the first one after a crash: how many dispatches become due."""
        made_due = 0
        for run in self.runs:
            if run.status is RunStatus.RUNNING and run.due > self.now:
                run.due = 0
                made_due += 1
        return made_due

    def owner(self, lease: Lease) -> ModelRun:
        """The run this lease was granted for."""
        return next(run for run in self.runs if run.key == lease.run_key)

    def bind(self, run: ModelRun, accepted: Accepted) -> None:
        """Remember the store's own numbers of a run."""
        run.key, run.thread_key = accepted.run.key, accepted.run.thread_key
        run.dispatch_id = accepted.dispatch_id
        self.messages.setdefault(run.thread, [])
