"""Rules of the store machine: requests arrive, and somebody interrupts, stops, ends or answers runs."""

# ruff: noqa: S101, FBT001  (a suite asserts; Hypothesis hands arguments in by name)

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from wakeful.contracts.errors import Backlogged, Conflict
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.lifecycle import FINISHED, RunStatus
from wakeful.contracts.mailbox import EntryMode
from wakeful.contracts.run import Run
from wakeful.contracts.store import Accepted, Answers, Interruption, Retirement
from wakeful.testing.store_cases.builders import submission, worker
from wakeful.testing.store_model import ModelRun
from wakeful.testing.store_rules.driver import PICKS, THREADS, StoreDriver


class RequestRules(StoreDriver):
    """`accept`, `interrupt`, `request_cancel`, `retire`, `decide`."""

    @rule(thread=THREADS, claim=st.booleans(), again=st.booleans(), mode=st.sampled_from(["queue", "steer"]))
    def accept(self, thread: str, claim: bool, again: bool, mode: EntryMode) -> None:
        """A request arrives, sometimes twice; it is leased at once when wanted and its thread is free."""
        others = self.model.unfinished(thread)

        accepted = self._submit(thread, mode=mode, claim=claim)

        assert (accepted.lease is not None) is (claim and not others)
        assert _key(accepted.running) == next((run.key for run in others if run.status is RunStatus.RUNNING), None)
        if again:
            run = self.model.runs[-1]
            repeated = self.do(self.store.accept(submission(run.id, thread_id=thread, max_backlog=0)))
            assert repeated.replayed
            assert (repeated.run, repeated.dispatch_id) == (accepted.run, accepted.dispatch_id)

    @precondition(lambda self: self.model.runs)
    @rule(pick=PICKS, room=st.integers(0, 1))
    def accept_on_a_long_queue(self, pick: int, room: int) -> None:
        """A request arrives that may be one too many."""
        thread = self.run_at(pick).thread
        backlog = len(self.model.unfinished(thread))
        if backlog == 0 or room:
            self._submit(thread, max_backlog=backlog + room)
            return

        run = self.model.accept(thread)
        try:
            self.do(self.store.accept(submission(run.id, thread_id=thread, at=self.model.now, max_backlog=backlog)))
        except Backlogged:
            self.model.forget(run)
        else:
            raise AssertionError("a request was accepted that is one too many")

    @rule(thread=THREADS, spare=st.booleans())
    def supersede(self, thread: str, spare: bool) -> None:
        """A request asks what was begun to stop and retires the rest; what was handed back may be either."""
        others = self.model.unfinished(thread)
        idle = _idle(others, spare=spare)

        accepted = self._submit(thread, supersede=True, retire=self._retirements(idle))

        self.model.generations[thread] += 1
        assert accepted.cancelling == self._stopped(others, idle)

    @precondition(lambda self: self.model.runs)
    @rule(pick=PICKS, spare=st.booleans())
    def interrupt(self, pick: int, spare: bool) -> None:
        """Somebody ends all that a thread does."""
        run = self.run_at(pick)
        others = self.model.unfinished(run.thread)
        idle = _idle(others, spare=spare)

        interruption = Interruption(thread_key=run.thread_key, retire=self._retirements(idle), at=self.model.now)
        interrupted = self.do(self.store.interrupt(interruption))

        for ended in idle:
            self.retired(ended)
        self.model.generations[run.thread] += 1
        assert interrupted.generation == self.model.generations[run.thread]
        assert interrupted.cancelling == self._stopped(others, idle)

    @precondition(lambda self: any(run.entry or run.status is RunStatus.WAITING for run in self.model.runs))
    @rule(pick=PICKS)
    def interrupt_without_knowing(self, pick: int) -> None:
        """Something waits or queues that nobody thought of."""
        runs = [run for run in self.model.runs if run.entry or run.status is RunStatus.WAITING]
        key = runs[pick % len(runs)].thread_key

        refused = self.refusal(self.store.interrupt(Interruption(thread_key=key, retire=(), at=self.model.now)))

        assert isinstance(refused, Conflict)

    @precondition(lambda self: self.model.runs)
    @rule(pick=PICKS)
    def request_cancel(self, pick: int) -> None:
        """Somebody wants a run to stop."""
        run = self.run_at(pick)

        self.do(self.store.request_cancel(run.key, self.model.now))

        if run.status not in FINISHED:
            run.asked_to_stop(self.model.now)

    @precondition(lambda self: self.model.runs)
    @rule(pick=PICKS)
    def retire(self, pick: int) -> None:
        """Somebody ends a run nobody carries."""
        run = self.run_at(pick)
        call = self.store.retire(self.retirement_of(run))

        if run.status in {RunStatus.QUEUED, RunStatus.WAITING}:
            self.do(call)
            self.retired(run)
        else:
            assert isinstance(self.refusal(call), Conflict)
        self.check_log(run)

    @precondition(lambda self: any(run.open for run in self.model.runs))
    @rule(pick=PICKS, approved=st.booleans())
    def decide(self, pick: int, approved: bool) -> None:
        """Somebody answers a question."""
        asked = [run for run in self.model.runs if run.open]
        run = asked[pick % len(asked)]
        dispatch = self.model.next_dispatch()
        answers = Answers(
            run_key=run.key,
            decisions=(Decision(run.open[0], approved=approved),),
            dispatch_id=f"dispatch {dispatch}",
            at=self.model.now,
        )
        call = self.store.decide(answers)

        if run.status is not RunStatus.WAITING:
            assert isinstance(self.refusal(call), Conflict)
            return

        decided = self.do(call)
        del run.open[0]
        assert decided.ready is (not run.open)
        if decided.ready:
            run.due, run.dispatch, run.dispatch_id = self.model.now, dispatch, answers.dispatch_id
            run.failures = run.steps_at_claim = 0
            self.model.rest(run, RunStatus.QUEUED)
        assert decided.dispatch_id == run.dispatch_id

    def _submit(self, thread: str, *, mode: EntryMode = "queue", claim: bool = False, **changes: Any) -> Accepted:
        run = self.model.accept(thread, mode)
        claim_request = worker(now=self.model.now) if claim else None
        plain = submission(run.id, thread_id=thread, at=self.model.now, messages=run.input, mode=mode)
        accepted = self.do(self.store.accept(msgspec.structs.replace(plain, claim=claim_request, **changes)))
        for retirement in changes.get("retire", ()):
            self.retired(next(other for other in self.model.runs if other.key == retirement.run_key))
        self.model.bind(run, accepted)
        if accepted.lease:
            self.model.start(run, accepted.lease)
        return accepted

    def _retirements(self, runs: list[ModelRun]) -> tuple[Retirement, ...]:
        return tuple(self.retirement_of(run) for run in runs)

    def _stopped(self, others: list[ModelRun], idle: list[ModelRun]) -> int | None:
        """What was asked to stop."""
        for run in others:
            if run not in idle:
                run.asked_to_stop(self.model.now)
                return run.key
        return None


def _idle(runs: list[ModelRun], *, spare: bool) -> list[ModelRun]:
    """What has to be retired; what was handed back only when it is not spared."""
    return [run for run in runs if not (run.begun if spare else run.status is RunStatus.RUNNING)]


def _key(run: Run | None) -> int | None:
    return run.key if run else None
