"""Random sequences of calls on a store, compared with a small model of what it promises.

    class MyMachine(StoreMachine):
        def new_store(self):
            return MyStore(...)          # empty, not yet open

    TestMyMachine = MyMachine.TestCase

Proves: at most one active run per thread; tokens fence; finished runs stay as they are; every input message joins its
thread once and in order; a log only grows.
"""

# ruff: noqa: S101, FBT001  (a suite asserts; Hypothesis hands arguments in by name)

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from wakeful.contracts.errors import Conflict, LeaseLost
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.lifecycle import FINISHED, RunStatus
from wakeful.contracts.query import RunQuery
from wakeful.contracts.run import Lease
from wakeful.contracts.store import Accepted, Retirement, Store
from wakeful.testing.store_cases.builders import (
    LEASE,
    SCOPE,
    log,
    more,
    question,
    retirement,
    settlement,
    submission,
    worker,
)
from wakeful.testing.store_model import Model, ModelRun

T = TypeVar("T")

THREADS = st.sampled_from(["t1", "t2"])
# Negative: the newest are picked as easily as the oldest.
PICKS = st.integers(-6, 5)
ACTIVE = frozenset({RunStatus.RUNNING, RunStatus.WAITING})


class StoreMachine(RuleBasedStateMachine):
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

    def run_at(self, pick: int) -> ModelRun:
        """One of all runs."""
        return self.model.runs[pick % len(self.model.runs)]

    def lease_at(self, pick: int) -> Lease:
        """One of all leases ever granted."""
        return self.model.leases[pick % len(self.model.leases)]

    # -- rules

    @rule(milliseconds=st.sampled_from([1, 100, LEASE]))
    def time_passes(self, milliseconds: int) -> None:
        """Leases may run out."""
        self.model.now += milliseconds

    @rule(thread=THREADS, claim=st.booleans(), again=st.booleans())
    def accept(self, thread: str, claim: bool, again: bool) -> None:
        """A request arrives, sometimes twice; it is leased at once when wanted and its thread is free."""
        free = not self.model.unfinished(thread)

        accepted = self._submit(thread, claim=claim)

        assert (accepted.lease is not None) is (claim and free)
        if again:
            run = self.model.runs[-1]
            repeated = self.do(self.store.accept(submission(run.id, thread_id=thread)))
            assert repeated.replayed
            assert (repeated.run, repeated.dispatch_key) == (accepted.run, accepted.dispatch_key)

    @rule(thread=THREADS)
    def interrupt(self, thread: str) -> None:
        """A request asks what runs to stop and retires what only queues or waits."""
        others = self.model.unfinished(thread)
        idle = [run for run in others if run.status is not RunStatus.RUNNING]

        accepted = self._submit(thread, supersede=True, retire=tuple(self._retirement(run) for run in idle))

        running = next((run for run in others if run.status is RunStatus.RUNNING), None)
        assert accepted.cancelling == (running.key if running else None)
        if running:
            running.cancel = True
        for run in idle:
            self._retired(run)

    @precondition(lambda self: self.model.runs)
    @rule(limit=st.integers(1, 3))
    def claim(self, limit: int) -> None:
        """A worker takes what is ready, oldest first."""
        expected = self.model.ready()[:limit]
        before = [(run.status is RunStatus.RUNNING, run.cancel, run.log[-1]) for run in expected]

        claims = self.do(self.store.claim(worker(now=self.model.now), limit))

        assert [claim.run.id for claim in claims] == [run.id for run in expected]
        assert [(claim.lost, claim.cancel, claim.last_seq) for claim in claims] == before
        for run, claim in zip(expected, claims, strict=True):
            assert all(claim.lease.token > old.token for old in self._earlier(claim.lease))
            self.model.start(run, claim.lease)

    @precondition(lambda self: self.model.leases)
    @rule(pick=PICKS)
    def renew(self, pick: int) -> None:
        """A worker holds on."""
        lease = self.lease_at(pick)
        run = self.model.owner(lease)

        lost = self.do(self.store.renew([lease], self.model.now + LEASE))

        assert lost == (frozenset() if run.held(lease) else {run.key})
        if run.held(lease):
            run.due = self.model.now + LEASE

    @precondition(lambda self: self.model.leases)
    @rule(pick=PICKS, skip=st.integers(1, 3), count=st.integers(1, 3))
    def append(self, pick: int, skip: int, count: int) -> None:
        """A worker writes."""
        lease = self.lease_at(pick)
        run = self.model.owner(lease)
        first = run.log[-1] + skip

        lost = self.do(self.store.append([more(lease, log(first, first + count - 1), steps=1)]))

        assert lost == (frozenset() if run.held(lease) else {run.key})
        if run.held(lease):
            run.log.extend(range(first, first + count))
        self._log_is_as_modelled(run)

    @precondition(lambda self: self.model.leases)
    @rule(pick=PICKS, status=st.sampled_from(sorted(FINISHED | {RunStatus.WAITING})), questions=st.integers(1, 2))
    def settle(self, pick: int, status: RunStatus, questions: int) -> None:
        """A worker is done, or asks."""
        lease = self.lease_at(pick)
        run = self.model.owner(lease)
        last = run.log[-1] + 1
        waits = status is RunStatus.WAITING
        asked = tuple(question(f"q{last}.{number}") for number in range(questions)) if waits else ()

        ended = settlement(lease, status, interrupts=asked, entries=log(last, last))
        refused = self._fenced(run, lease, self.store.settle(ended))

        if not refused:
            run.log.append(last)
            run.open = [one.id for one in asked]
            self.model.rest(run, status)
        self._log_is_as_modelled(run)

    @precondition(lambda self: self.model.leases)
    @rule(pick=PICKS, delay=st.sampled_from([0, 150]))
    def requeue(self, pick: int, delay: int) -> None:
        """A worker hands back."""
        lease = self.lease_at(pick)
        run = self.model.owner(lease)
        available_at = self.model.now + delay

        if self._fenced(run, lease, self.store.requeue(lease, available_at=available_at, at=self.model.now)):
            return

        run.due = available_at
        self.model.rest(run, RunStatus.QUEUED)

    @precondition(lambda self: self.model.runs)
    @rule(pick=PICKS)
    def request_cancel(self, pick: int) -> None:
        """Somebody wants a run to stop."""
        run = self.run_at(pick)

        self.do(self.store.request_cancel(run.key, self.model.now))

        run.cancel = run.cancel or run.status not in FINISHED

    @precondition(lambda self: self.model.runs)
    @rule(pick=PICKS)
    def retire(self, pick: int) -> None:
        """Somebody ends a run nobody carries."""
        run = self.run_at(pick)
        call = self.store.retire(self._retirement(run))

        if run.status in {RunStatus.QUEUED, RunStatus.WAITING}:
            self.do(call)
            self._retired(run)
        else:
            assert isinstance(self._error(call), Conflict)
        self._log_is_as_modelled(run)

    @precondition(lambda self: any(run.open for run in self.model.runs))
    @rule(pick=PICKS, approved=st.booleans())
    def decide(self, pick: int, approved: bool) -> None:
        """Somebody answers a question."""
        asked = [run for run in self.model.runs if run.open]
        run = asked[pick % len(asked)]
        call = self.store.decide(run.key, [Decision(run.open[0], approved=approved)], self.model.now)

        if run.status is not RunStatus.WAITING:
            assert isinstance(self._error(call), Conflict)
            return

        decided = self.do(call)
        del run.open[0]
        assert decided.ready is (not run.open)
        if decided.ready:
            assert decided.dispatch_key is not None
            run.due, run.dispatch_key = self.model.now, decided.dispatch_key
            self.model.rest(run, RunStatus.QUEUED)

    # -- what holds after every step

    @invariant()
    def one_run_is_active_per_thread(self) -> None:
        """The store's open runs are the model's, in order, and only the first may be active."""
        for thread in self.model.messages:
            runs = [run for run in self.model.runs if run.thread == thread]
            found = self.do(self.store.open_runs(runs[0].thread_key))
            assert [run.id for run, _ in found] == [run.id for run in self.model.unfinished(thread)]
            assert all(run.status not in ACTIVE for run, _ in found[1:])

    @invariant()
    def runs_are_as_modelled(self) -> None:
        """Finished runs included: nothing moves them."""
        found = self.do(self.store.list_runs(RunQuery(scope=SCOPE, limit=1_000)))
        stored = sorted((run.key, run.status, run.attempt) for run in found.items)
        assert stored == [(run.key, run.status, run.attempt) for run in self.model.runs]

    @invariant()
    def every_message_joins_its_thread_once_and_in_order(self) -> None:
        """Also those that two requests brought."""
        for thread, expected in self.model.messages.items():
            run = next(run for run in self.model.runs if run.thread == thread)
            assert [one.id for one in self.do(self.store.history(run.thread_key))] == expected

    # -- steps of rules

    def _submit(
        self, thread: str, *, claim: bool = False, supersede: bool = False, retire: tuple[Retirement, ...] = ()
    ) -> Accepted:
        run = self.model.accept(thread)
        accepted = self.do(
            self.store.accept(
                submission(
                    run.id,
                    thread_id=thread,
                    at=self.model.now,
                    messages=run.input,
                    supersede=supersede,
                    retire=retire,
                    claim=worker(now=self.model.now) if claim else None,
                )
            )
        )
        self.model.bind(run, accepted)
        if accepted.lease:
            self.model.start(run, accepted.lease)
        return accepted

    def _retirement(self, run: ModelRun) -> Retirement:
        last = run.log[-1]
        stored = self.do(self.store.get_run(SCOPE, run.id))
        assert stored is not None
        return retirement(stored, last_seq=last, entries=log(last + 1, last + 1), at=self.model.now)

    def _retired(self, run: ModelRun) -> None:
        run.log.append(run.log[-1] + 1)
        self.model.rest(run, RunStatus.CANCELLED)

    def _log_is_as_modelled(self, run: ModelRun) -> None:
        page = self.do(self.store.read_log(run.key, after=0, limit=1_000))
        assert [one.seq for one in page.entries] == run.log

    def _earlier(self, lease: Lease) -> list[Lease]:
        return [old for old in self.model.leases if old.dispatch_key == lease.dispatch_key]

    def _fenced(self, run: ModelRun, lease: Lease, call: Coroutine[Any, Any, None]) -> bool:
        """Make a call that only the holder of the lease may make; whether it was refused."""
        error = self._error(call)
        assert isinstance(error, LeaseLost) is not run.held(lease)
        return error is not None

    def _error(self, call: Coroutine[Any, Any, object]) -> Exception | None:
        try:
            self.do(call)
        except (Conflict, LeaseLost) as error:
            return error
        return None
