"""Carries one claimed run to its rest: resolve, run the loop, settle."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import ConfigurationError, LeaseLost, StoreUnavailable
from wakeful.contracts.event import ErrorReport, RunFinished, RunStarted, RunWaiting
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.store import Claim, Store
from wakeful.engine.assignment import Ending
from wakeful.engine.loop import Loop
from wakeful.runtime.commit import GroupCommit
from wakeful.runtime.feed import Feed
from wakeful.runtime.recorder import Recorder
from wakeful.runtime.resolve import Resolver

LEASE_MS = 30_000
RETRY_MS = 250
CLOSING_PATIENCE_MS = 2_000
"""How long a run that is handed back waits for a store that is away; else it waits as long as a lease lasts."""

T = TypeVar("T")
Stop = Literal["cancelled", "superseded", "lost", "shutdown"]
log = logging.getLogger("wakeful.worker")


@dataclass(frozen=True, slots=True)
class Means:
    """What it takes to carry runs."""

    store: Store
    feed: Feed
    group: GroupCommit
    resolver: Resolver
    clock: Clock


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
        self._loop: Loop | None = None
        self._task: asyncio.Task[None] | None = None

    def stop(self, reason: Stop) -> None:
        """Stop the run; the first reason counts. A shutdown lets running tools finish."""
        if self._stop is None:
            self._stop = reason
            if not (reason == "shutdown" and self._loop and self._loop.stop_at_boundary()):
                self.cut_off()

    def cut_off(self) -> None:
        """Let running tools not finish either; does nothing unless the run was stopped."""
        if self._stop and self._loop and self._task:
            self._task.cancel()

    async def run(self) -> None:
        """Carry the run until it rests, is handed back or is lost. Raises nothing else than cancellation."""
        means = self._means
        channel = means.feed.channel(self._claim.run.key)
        recorder = Recorder(
            self._claim, channel, means.store, means.group, means.clock, on_lost=lambda: self.stop("lost")
        )
        try:
            ending = await self._until_end(recorder)
            if ending.status is RunStatus.QUEUED:
                await self._persist(lambda: recorder.hand_back(means.clock.now()))
            else:
                _emit_end(recorder, ending)
                await self._persist(lambda: recorder.settle(ending))
                means.feed.rested(self._claim.run.key)
                self.ending = ending
        except LeaseLost:
            log.warning("run %s: the lease is lost, another worker continues", self._claim.run.id)
        except Exception:
            log.exception("run %s could not be settled; it goes on when its lease has run out", self._claim.run.id)
        finally:
            recorder.lost()

    async def _until_end(self, recorder: Recorder) -> Ending:
        """How this dispatch of the run ends. Raises `LeaseLost`."""
        claim = self._claim
        try:
            assignment = await self._persist(lambda: self._means.resolver.resolve(claim))
        except ConfigurationError as error:
            return _failed(error.code, error.message)
        loop = Loop(assignment, recorder, self._means.clock)
        if self._stop is None:
            if not assignment.announced:
                recorder.emit(RunStarted(claim.run.agent_id, resumed=claim.run.steps > 0))
            ending = await self._stoppable(loop)
            if ending is not None:
                return ending
        return _stopped(self._stop, loop)

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
                patience = CLOSING_PATIENCE_MS if self._stop == "shutdown" else LEASE_MS
                if self._stop == "lost" or self._means.clock.now() - began >= patience:
                    raise
                log.warning("the store is away, trying again: %s", error.message)
                await self._means.clock.sleep(RETRY_MS)


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


def _emit_end(recorder: Recorder, ending: Ending) -> None:
    if ending.status is RunStatus.WAITING:
        recorder.emit(RunWaiting(ending.interrupts))
    elif ending.status is RunStatus.FAILED:
        recorder.emit(RunFinished("failed", "error", recorder.usage, ending.error))
    else:
        outcome = "cancelled" if ending.status is RunStatus.CANCELLED else "completed"
        recorder.emit(RunFinished(outcome, ending.stop_reason or "answered", recorder.usage))
