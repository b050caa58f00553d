"""Rules of the store machine: what workers do."""

# ruff: noqa: S101, FBT001  (a suite asserts; Hypothesis hands arguments in by name)

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from wakeful.contracts.event import ErrorReport
from wakeful.contracts.lifecycle import FINISHED, RunStatus
from wakeful.contracts.run import Lease
from wakeful.testing.store_cases.builders import LEASE, log, more, question, settlement, worker
from wakeful.testing.store_rules.driver import PICKS, StoreDriver

BROKEN = ErrorReport("model_error", "the model is gone")


class CarryingRules(StoreDriver):
    """`claim`, `renew`, `append`, `settle`, `requeue`, `recover`, and time."""

    @rule(milliseconds=st.sampled_from([1, 100, LEASE]))
    def time_passes(self, milliseconds: int) -> None:
        """Leases may run out."""
        self.model.now += milliseconds

    @rule()
    def recover(self) -> None:
        """As after a crash of everybody."""
        expected = self.model.recover()

        assert self.do(self.store.recover(self.model.now)) == expected

    @precondition(lambda self: self.model.runs)
    @rule(limit=st.integers(1, 3))
    def claim(self, limit: int) -> None:
        """A worker takes what is ready, oldest first."""
        expected = self.model.ready()[:limit]
        before = [(run.status is RunStatus.RUNNING, run.cancel, run.last_seq) for run in expected]

        claims = self.do(self.store.claim(worker(now=self.model.now), limit))

        assert [claim.run.id for claim in claims] == [run.id for run in expected]
        assert [(claim.lost, claim.cancel, claim.last_seq) for claim in claims] == before
        for run, claim in zip(expected, claims, strict=True):
            assert all(claim.lease.token > old.token for old in self._earlier(claim.lease))
            self.model.start(run, claim.lease)
            assert claim.failures == run.failures
            assert claim.steered is any(entry.mode == "steer" for entry in self.model.entries(run.thread))

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
    @rule(pick=PICKS, skip=st.integers(1, 3), count=st.integers(1, 3), step=st.booleans())
    def append(self, pick: int, skip: int, count: int, step: bool) -> None:
        """A worker writes, and may begin a step."""
        lease = self.lease_at(pick)
        run = self.model.owner(lease)
        first = run.last_seq + skip
        steps = run.steps + step

        lost = self.do(self.store.append([more(lease, log(first, first + count - 1), steps=steps)]))

        assert lost == (frozenset() if run.held(lease) else {run.key})
        if run.held(lease):
            run.wrote(*range(first, first + count))
            run.steps = steps
        self.check_log(run)

    @precondition(lambda self: self.model.leases)
    @rule(
        pick=PICKS,
        status=st.sampled_from(sorted(FINISHED | {RunStatus.WAITING})),
        questions=st.integers(1, 2),
        failures=st.integers(0, 5),
    )
    def settle(self, pick: int, status: RunStatus, questions: int, failures: int) -> None:
        """A worker is done, or asks, or gives up."""
        lease = self.lease_at(pick)
        run = self.model.owner(lease)
        last = run.last_seq + 1
        waits = status is RunStatus.WAITING
        failures = failures if status is RunStatus.FAILED else 0
        asked = tuple(question(f"q{last}.{number}") for number in range(questions)) if waits else ()

        ended = settlement(
            lease,
            status,
            interrupts=asked,
            entries=log(last, last),
            steps=run.steps,
            at=self.model.now,
            given_up_after=failures,
        )
        refused = self.fenced(run, lease, self.store.settle(ended))

        if not refused:
            run.wrote(last)
            run.open = [one.id for one in asked]
            self.model.rest(run, status)
            if failures:
                self.model.dead.append((run.dispatch_id, failures))
                self.model.dead.sort(key=self._dispatch_number)
        self.check_log(run)

    @precondition(lambda self: self.model.leases)
    @rule(pick=PICKS, delay=st.sampled_from([0, 150]), fails=st.booleans())
    def requeue(self, pick: int, delay: int, fails: bool) -> None:
        """A worker hands back, or failed."""
        lease = self.lease_at(pick)
        run = self.model.owner(lease)
        available_at = self.model.now + delay
        error = BROKEN if fails else None

        handed_back = self.store.requeue(lease, available_at=available_at, at=self.model.now, error=error)
        if self.fenced(run, lease, handed_back):
            return

        run.due = available_at
        if fails:
            run.failed()
        self.model.rest(run, RunStatus.QUEUED)

    def _earlier(self, lease: Lease) -> list[Lease]:
        return [old for old in self.model.leases if old.dispatch_key == lease.dispatch_key]

    def _dispatch_number(self, letter: tuple[str, int]) -> int:
        return next(run.dispatch for run in self.model.runs if run.dispatch_id == letter[0])
