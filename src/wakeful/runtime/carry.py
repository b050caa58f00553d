"""Carries one claimed run to its rest: resolve, run the loop, settle."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import ConfigurationError, Damaged, LeaseLost, StoreUnavailable
from wakeful.contracts.event import (
    ErrorReport,
    HandedOff,
    RetryScheduled,
    RunFinished,
    RunStarted,
    RunWaiting,
    StateReplaced,
)
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.run import Run
from wakeful.contracts.store import Claim, Store
from wakeful.engine.assignment import Assignment, BackendSource, Ending
from wakeful.engine.loop import Loop
from wakeful.runtime.commit import GroupCommit
from wakeful.runtime.feed import Feed
from wakeful.runtime.recorder import Recorder
from wakeful.runtime.resolve import Resolver
from wakeful.runtime.steering import Steering

RETRY_MS = 250
BACK_OFF_MS = 1_000
LONGEST_BACK_OFF_MS = 60_000
MARGIN = 6
"""Which part of a lease is left when a run stops for want of a renewal: stopping takes time, and clocks differ."""
CLOSING_PATIENCE_MS = 2_000
"""How long a run that is handed back waits for a store that is away; else it waits as long as a lease lasts."""

DESERTING = frozenset({RunStatus.CANCELLED, RunStatus.FAILED})
LOST = ErrorReport("worker_lost", "The process that carried the run stopped without handing it back.")

T = TypeVar("T")
Stop = Literal["cancelled", "superseded", "lost", "shutdown"]
log = logging.getLogger("wakeful.worker")


@dataclass(frozen=True, slots=True)
class Means:
    """What it takes to carry runs. A run that fails `max_attempts` times in a row is given up.

    Of each run that ends before its work is done, where some of that may go on elsewhere, `deserting` is told before
    its end is written and `deserted` after.
    """

    store: Store
    feed: Feed
    group: GroupCommit
    resolver: Resolver
    clock: Clock
    lease_ms: int
    max_attempts: int
    deserting: Callable[[Run], Awaitable[None]]
    deserted: Callable[[Run], Awaitable[None]]


class Carry:
    """One claimed run. `ending` is how it was settled; None while it was not, or when it was handed back or lost.

    A stop cancels the task only while the loop runs: not before, and not while the end is written.
    """

    def __init__(self, claim: Claim, means: Means) -> None:
        self.lease = claim.lease
        self.thread_key = claim.run.thread_key
        self.ending: Ending | None = None
        self._claim = claim
        self._means = means
        self._stop: Stop | None = "cancelled" if claim.cancel else None
        self._held_until = claim.lease.until
        self._ending = False
        self._loop: Loop | None = None
        self._task: asyncio.Task[None] | None = None
        self._recorder: Recorder | None = None
        self._begun = False
        self._given_up_after = 0
        self._works_elsewhere = False

    def steer(self) -> None:
        """Input for the run waits on its thread."""
        if self._recorder is not None:
            self._recorder.steer()

    @property
    def lost(self) -> bool:
        """Whether the run is no longer carried under its lease."""
        return self._stop == "lost"

    def stop(self, reason: Stop) -> None:
        """Stop the run; the first reason counts, but a user's wins over a shutdown's, which lets the step finish."""
        if self._stop is None or (self._stop == "shutdown" and reason != "shutdown"):
            self._stop = reason
            if not (reason == "shutdown" and self._loop and self._loop.stop_at_boundary()):
                self.cut_off()

    def cut_off(self) -> None:
        """Let the step not finish either; does nothing unless the run was stopped."""
        if self._stop and self._loop and self._task:
            self._task.cancel()

    @property
    def begun(self) -> bool:
        """Whether anything is done under the lease."""
        return self._begun

    def renewed(self, until: int) -> None:
        """The lease lasts until then (ms)."""
        self._held_until = until

    def overdue(self, now: int) -> bool:
        """Whether to stop before others may claim the run.

        Not while its end is written: the work is done, and the store refuses the end when somebody else has the run.
        """
        return not (self._ending or self.lost) and now >= self._held_until - self._means.lease_ms // MARGIN

    def lose(self) -> None:
        """The lease is gone, or soon will be: stop the run and show nothing more of it."""
        self.stop("lost")
        self._stop = "lost"  # whatever else it was stopped for is done by who claims it next
        if self._recorder is not None and not self._ending:
            self._recorder.lost()

    def show(self) -> Recorder:
        """Let readers see what is known of the run, once no other carry of this process writes its log.

        `run` does so too; earlier is better for who reads at once what was just accepted.
        """
        means = self._means
        if self._recorder is None:
            self._recorder = Recorder(
                self._claim,
                means.feed.channel(self._claim.run.key),
                means.store,
                means.group,
                means.clock,
                steering=Steering(means.store, means.feed, means.clock),
                on_lost=self.lose,
            )
        return self._recorder

    async def run(self) -> None:
        """Carry the run until it rests, is handed back or is lost. Raises nothing else than cancellation."""
        means, recorder = self._means, self.show()
        self._begun = True
        try:
            ending = await self._until_end(recorder)
            self._ending = True
            if ending.status is RunStatus.QUEUED:
                await self._put_back(recorder, ending)
            else:
                deserts = ending.status in DESERTING and self._works_elsewhere
                if deserts:
                    await self._persist(lambda: means.deserting(self._claim.run))
                _emit_end(recorder, ending)
                await self._persist(lambda: recorder.settle(ending, given_up_after=self._given_up_after))
                means.feed.rested(self._claim.run.key)
                self.ending = ending
                if deserts:
                    await means.deserted(self._claim.run)
        except LeaseLost:
            log.warning("run %s: the lease is lost; the run goes on where it is claimed next", self._claim.run.id)
        except Exception:
            log.exception("run %s could not be settled; it goes on when its lease has run out", self._claim.run.id)
        finally:
            recorder.lost()

    async def _until_end(self, recorder: Recorder) -> Ending:
        """How this dispatch of the run ends. Raises `LeaseLost`."""
        claim = self._claim
        try:
            resolution = await self._persist(lambda: self._means.resolver.resolve(claim))
        except (ConfigurationError, Damaged) as error:
            return _failed(error.code, error.message)
        recorder.continue_step(resolution.step_seq)
        self._works_elsewhere = _works_elsewhere(resolution.assignment)
        loop = Loop(resolution.assignment, recorder, self._means.clock)
        if self._stop is None and claim.lost and claim.failures > 1:
            return self._again(loop, recorder, LOST, claim.failures, 0)
        if self._stop is None:
            _announce(recorder, resolution.assignment)
            ending = await self._stoppable(loop)
            if ending is not None:
                return self._tried(loop, recorder, ending)
        return _stopped(self._stop, loop)

    def _tried(self, loop: Loop, recorder: Recorder, ending: Ending) -> Ending:
        """The ending, or another attempt after a failure that may pass."""
        if ending.error is None or ending.status is not RunStatus.QUEUED:
            return ending
        before = 0 if recorder.steps > self._claim.run.steps else self._claim.failures
        return self._again(loop, recorder, ending.error, before + 1, ending.retry_after_ms or 0)

    def _again(self, loop: Loop, recorder: Recorder, error: ErrorReport, failures: int, least_ms: int) -> Ending:
        """Put the run back with a notice, or give it up when it failed too often."""
        if failures >= self._means.max_attempts:
            self._given_up_after = failures
            loop.salvage()
            return _failed(error.code, f"{error.message} The run was tried {failures} times and given up.")
        delay = max(back_off(failures), least_ms)
        recorder.emit(RetryScheduled(failures, delay, error, "run"))
        return Ending(status=RunStatus.QUEUED, error=None if error is LOST else error, retry_after_ms=delay)

    async def _put_back(self, recorder: Recorder, ending: Ending) -> None:
        nothing_new = recorder.steps == self._claim.run.steps
        if self._claim.lost and nothing_new and ending.retry_after_ms is None:
            # The store forgets with this that an attempt was lost. An entry in the log keeps the next one from giving
            # numbers again that the lost attempt has shown.
            recorder.emit(RetryScheduled(self._claim.failures, 0, LOST, "run"))
        if ending.agent_id is not None:
            recorder.emit(HandedOff(ending.agent_id))
        due = self._means.clock.now() + (ending.retry_after_ms or 0)
        await self._persist(lambda: recorder.hand_back(due, ending.error, ending.agent_id))

    async def _stoppable(self, loop: Loop) -> Ending | None:
        """Run the loop; None when it was stopped. Whatever else goes wrong in it is the end of this run only."""
        task = self._task = asyncio.current_task()
        self._loop = loop
        try:
            return await loop.run()
        except LeaseLost:
            raise
        except asyncio.CancelledError as error:
            if task is None or not task.cancelling():
                return _broken(loop, error)
            if self._stop is None:
                raise
            task.uncancel()
            return None
        except Exception as error:
            return None if self._stop else _broken(loop, error)
        finally:
            self._loop = None

    async def _persist(self, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` gives, tried again while the store is away, for as long as the lease can last."""
        began = self._means.clock.now()
        while True:
            try:
                return await work()
            except StoreUnavailable as error:
                patience = CLOSING_PATIENCE_MS if self._stop == "shutdown" else self._means.lease_ms
                if self._stop == "lost":
                    raise LeaseLost("the lease ran out while the store was away") from error
                if isinstance(error, Damaged) or self._means.clock.now() - began >= patience:
                    raise
                log.warning("the store is away, trying again: %s", error.message)
                await self._means.clock.sleep(RETRY_MS)


def back_off(failures: int) -> int:
    """Milliseconds before the next attempt after so many failures in a row: exponential with jitter."""
    ceiling = min(BACK_OFF_MS * 2 ** (failures - 1), LONGEST_BACK_OFF_MS)
    return ceiling // 2 + random.randrange(ceiling // 2 + 1)  # noqa: S311 - spreads load, protects nothing


def _works_elsewhere(assignment: Assignment) -> bool:
    return bool(assignment.agent.delegates) or isinstance(assignment.source, BackendSource)


def _stopped(stop: Stop | None, loop: Loop) -> Ending:
    match stop:
        case "cancelled" | "superseded":
            loop.salvage()
            return Ending(status=RunStatus.CANCELLED, stop_reason=stop)
        case "lost":
            raise LeaseLost("the lease ran out")
        case _:
            return Ending(status=RunStatus.QUEUED)


def _broken(loop: Loop, error: BaseException) -> Ending:
    log.error("a run failed", exc_info=error)
    loop.salvage()
    return _failed("internal", "The run failed because of an internal error.")


def _failed(code: str, message: str) -> Ending:
    return Ending(status=RunStatus.FAILED, stop_reason="error", error=ErrorReport(code, message))


def _announce(recorder: Recorder, assignment: Assignment) -> None:
    """The run's start, and the shared state it starts with, as far as the log does not tell them yet."""
    run, state = assignment.run, assignment.state
    if not assignment.announced:
        recorder.emit(RunStarted(run.agent_id, resumed=run.steps > 0))
    if state and not assignment.stated:
        recorder.change_state(StateReplaced(state), state)


def _emit_end(recorder: Recorder, ending: Ending) -> None:
    if ending.status is RunStatus.WAITING:
        recorder.emit(RunWaiting(ending.interrupts))
    elif ending.status is RunStatus.FAILED:
        recorder.emit(RunFinished("failed", "error", recorder.usage, ending.error))
    else:
        outcome = "cancelled" if ending.status is RunStatus.CANCELLED else "completed"
        recorder.emit(RunFinished(outcome, ending.stop_reason or "answered", recorder.usage))
