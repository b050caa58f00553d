"""What all rules of the store machine are written with: the store, the model, and what holds after every step."""

# ruff: noqa: S101  (a suite asserts)

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant

from wakeful.contracts.errors import BadRequest, Conflict, LeaseLost
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.query import RunQuery
from wakeful.contracts.run import Lease
from wakeful.contracts.store import Retirement, Store
from wakeful.testing.store_cases.builders import SCOPE, log, retirement
from wakeful.testing.store_model import Model, ModelRun

T = TypeVar("T")

THREADS = st.sampled_from(["t1", "t2"])
# Negative: the newest are picked as easily as the oldest.
PICKS = st.integers(-6, 5)
ACTIVE = frozenset({RunStatus.RUNNING, RunStatus.WAITING})


class StoreDriver(RuleBasedStateMachine):
    """Calls the store and the model alike and compares them after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.store = self.new_store()
        self.model = Model()
        self.do(self.store.open())

    def new_store(self) -> Store:
        """An empty store, not yet open."""
        raise NotImplementedError

    def teardown(self) -> None:
        """Close the store and the event loop."""
        self.do(self.store.aclose())
        self.runner.close()

    def do(self, call: Coroutine[Any, Any, T]) -> T:
        """The call's result."""
        return self.runner.run(call)

    def refusal(self, call: Coroutine[Any, Any, object]) -> Exception | None:
        """Why the store refuses a call, None when it does not."""
        try:
            self.do(call)
        except (BadRequest, Conflict, LeaseLost) as error:
            return error
        return None

    def fenced(self, run: ModelRun, lease: Lease, call: Coroutine[Any, Any, None]) -> bool:
        """Make a call that only the holder of the lease may make; whether it was refused."""
        error = self.refusal(call)
        assert isinstance(error, LeaseLost) is not run.held(lease)
        return error is not None

    def run_at(self, pick: int) -> ModelRun:
        """One of all runs."""
        return self.model.runs[pick % len(self.model.runs)]

    def lease_at(self, pick: int) -> Lease:
        """One of all leases ever granted."""
        return self.model.leases[pick % len(self.model.leases)]

    def retirement_of(self, run: ModelRun, **changes: Any) -> Retirement:
        """The end of a run nobody carries."""
        stored = self.do(self.store.get_run(SCOPE, run.id))
        assert stored is not None
        last = run.last_seq
        plain = retirement(stored, last_seq=last, entries=log(last + 1, last + 1), at=self.model.now)
        return msgspec.structs.replace(plain, **changes)

    def retired(self, run: ModelRun, status: RunStatus = RunStatus.CANCELLED) -> None:
        """A retirement was applied."""
        run.wrote(run.last_seq + 1)
        self.model.rest(run, status)

    def check_log(self, run: ModelRun) -> None:
        """The store's log is the model's, read in one page and in small ones."""
        page = self.do(self.store.read_log(run.key, after=0, limit=1_000))
        assert [one.seq for one in page.entries] == run.log
        paged: list[int] = []
        more = True
        while more:
            page = self.do(self.store.read_log(run.key, after=paged[-1] if paged else 0, limit=3))
            paged.extend(one.seq for one in page.entries)
            more = page.has_more
        assert paged == run.log

    # -- what holds after every step

    @invariant()
    def one_run_is_active_per_thread(self) -> None:
        """The store's open runs are the model's, in order, and only the first may be active."""
        for thread in self.model.messages:
            found = self.do(self.store.open_runs(self.thread_key(thread)))
            assert [(run.id, seq) for run, seq in found] == [
                (run.id, run.last_seq) for run in self.model.unfinished(thread)
            ]
            assert all(run.status not in ACTIVE for run, _ in found[1:])

    @invariant()
    def runs_are_as_modelled(self) -> None:
        """Finished runs included: nothing moves them."""
        found = self.do(self.store.list_runs(RunQuery(scope=SCOPE, limit=1_000)))
        stored = sorted((run.key, run.status, run.attempt, run.steps, run.pruned) for run in found.items)
        assert stored == [(run.key, run.status, run.attempt, run.steps, run.pruned) for run in self.model.runs]

    @invariant()
    def every_message_joins_its_thread_once_and_in_order(self) -> None:
        """Also those that two requests brought."""
        for thread, expected in self.model.messages.items():
            assert [one.id for one in self.do(self.store.history(self.thread_key(thread)))] == expected

    @invariant()
    def mailboxes_are_as_modelled(self) -> None:
        """In the order of turns, with what they will bring."""
        for thread in self.model.messages:
            found = self.do(self.store.mailbox(self.thread_key(thread)))
            assert [(one.run.id, one.mode, one.messages, one.revision, one.dispatch_id) for one in found] == [
                (run.id, run.mode, run.input, run.last_seq, run.dispatch_id) for run in self.model.entries(thread)
            ]

    @invariant()
    def generations_and_dead_letters_are_as_modelled(self) -> None:
        """Nothing else moves them."""
        for thread in self.model.messages:
            stored = self.do(self.store.get_thread(SCOPE, thread))
            assert stored is not None
            assert stored.generation == self.model.generations[thread]
        letters = self.do(self.store.dead_letters(SCOPE, before=None, limit=1_000))
        assert [(letter.dispatch_id, letter.failures) for _, letter in letters] == self.model.dead[::-1]

    def thread_key(self, thread: str) -> int:
        """The store's own number of a thread that has runs."""
        return next(run.thread_key for run in self.model.runs if run.thread == thread)
