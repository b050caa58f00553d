"""The worker: claims runs, carries each with the engine, renews leases, settles."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import ConfigurationError, LeaseLost, StoreUnavailable
from wakeful.contracts.event import ErrorReport, RunFinished, RunStarted, RunWaiting
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.run import Lease
from wakeful.contracts.store import Claim, ClaimRequest, Store
from wakeful.engine.assignment import Ending
from wakeful.engine.loop import Loop
from wakeful.runtime.commit import GroupCommit
from wakeful.runtime.feed import Feed
from wakeful.runtime.recorder import Recorder
from wakeful.runtime.resolve import Resolver

LEASE_MS = 30_000
RENEW_MS = 10_000
SWEEP_MS = 1_000
RETRY_MS = 250

Stop = Literal["cancelled", "superseded", "lost", "shutdown"]
log = logging.getLogger("wakeful.worker")


@dataclass(slots=True)
class _Carry:
    """One run being carried. Only while `stoppable` may its task be cancelled: not before it began, nor at its end."""

    lease: Lease
    thread_key: int
    stop: Stop | None = None
    stoppable: bool = False
    task: asyncio.Task[None] | None = None


class Worker:
    """Carries up to `capacity` runs at once."""

    def __init__(
        self,
        *,
        name: str,
        store: Store,
        feed: Feed,
        group: GroupCommit,
        resolver: Resolver,
        clock: Clock,
        capacity: int,
    ) -> None:
        self._name = name
        self._store = store
        self._feed = feed
        self._group = group
        self._resolver = resolver
        self._clock = clock
        self._capacity = capacity
        self._carries: dict[int, _Carry] = {}
        self._contended: set[int] = set()
        self._wake = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None
        self._closing = False
        self.endings: Counter[RunStatus] = Counter()

    @property
    def active(self) -> int:
        """How many runs are being carried."""
        return len(self._carries)

    # -- what others ask of it

    def claim_request(self) -> ClaimRequest | None:
        """For claiming inline while accepting; None when there is no room."""
        if self._tasks is None or self._closing or len(self._carries) >= self._capacity:
            return None
        now = self._clock.now()
        return ClaimRequest(worker=self._name, now=now, until=now + LEASE_MS)

    def wake(self, thread_key: int | None = None) -> None:
        """There may be work; with `thread_key`, once that thread's present run is settled."""
        if thread_key is not None:
            self._contended.add(thread_key)
        self._wake.set()

    def start(self, claim: Claim) -> None:
        """Carry a claimed run."""
        if self._tasks is None:
            raise RuntimeError("the worker is not running")
        key = claim.run.key
        carry = self._carries[key] = _Carry(claim.lease, claim.run.thread_key, "cancelled" if claim.cancel else None)
        carry.task = self._tasks.create_task(self._carry(claim, carry), name=f"run {claim.run.id}")

    def stop_run(self, run_key: int, reason: Stop) -> bool:
        """Stop a run carried here; False when it is not."""
        carry = self._carries.get(run_key)
        if carry is None:
            return False
        if carry.stop is None:
            carry.stop = reason
            if carry.stoppable and carry.task is not None:
                carry.task.cancel()
        return True

    def close(self) -> None:
        """Claim nothing more and hand every run back."""
        self._closing = True
        for key in list(self._carries):
            self.stop_run(key, "shutdown")
        self._wake.set()

    # -- its own life

    async def run(self) -> None:
        """Claim and carry until closed; returns when the last run is handed back."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            renewing = tasks.create_task(self._renew(), name="lease renewal")
            await self._claim_until_closed()
            renewing.cancel()
        self._tasks = None

    async def _claim_until_closed(self) -> None:
        while not self._closing:
            self._wake.clear()
            try:
                await self._claim_some()
            except StoreUnavailable as error:
                log.warning("could not look for work: %s", error.message)
            try:
                async with asyncio.timeout(SWEEP_MS / 1000):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _claim_some(self) -> None:
        while (request := self.claim_request()) is not None:
            claims = await self._store.claim(request, self._capacity - len(self._carries))
            for claim in claims:
                self.start(claim)
            if not claims:
                return

    async def _renew(self) -> None:
        while True:
            await self._clock.sleep(RENEW_MS)
            leases = [carry.lease for carry in self._carries.values()]
            if not leases:
                continue
            try:
                lost = await self._store.renew(leases, self._clock.now() + LEASE_MS)
            except StoreUnavailable as error:
                log.warning("could not renew leases: %s", error.message)
                continue
            for key in lost:
                self.stop_run(key, "lost")

    # -- one run

    async def _carry(self, claim: Claim, carry: _Carry) -> None:
        key = claim.run.key
        recorder = Recorder(claim, self._feed.channel(key), self._store, self._group, self._clock)
        try:
            ending = await self._stoppable(claim, carry, recorder)
            if ending is None:
                await self._persist(lambda: recorder.hand_back(self._clock.now()))
            else:
                _emit_end(recorder, ending)
                await self._persist(lambda: recorder.settle(ending))
                self._feed.rested(key)
                self.endings[ending.status] += 1
        except LeaseLost:
            log.warning("run %s: the lease is lost, another worker continues", claim.run.id)
            recorder.lost()
        except Exception:
            log.exception("run %s could not be settled; it goes on when its lease has run out", claim.run.id)
            recorder.lost()
        finally:
            del self._carries[key]
            self._feed.tidy(key)
            if claim.run.thread_key in self._contended:
                self._contended.discard(claim.run.thread_key)
                self._wake.set()

    async def _stoppable(self, claim: Claim, carry: _Carry, recorder: Recorder) -> Ending | None:
        """The run's ending; None to hand it back."""
        loops: list[Loop] = []
        try:
            if carry.stop is None:
                carry.stoppable = True
                return await self._carried(claim, recorder, loops.append)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or carry.stop is None:
                raise
            task.uncancel()
        finally:
            carry.stoppable = False
        for loop in loops if carry.stop in ("cancelled", "superseded") else ():
            loop.salvage()
        return _stopped(carry.stop)

    async def _carried(self, claim: Claim, recorder: Recorder, begun: Callable[[Loop], None]) -> Ending:
        try:
            assignment = await self._resolver.resolve(claim)
            if not assignment.announced:
                recorder.emit(RunStarted(claim.run.agent_id, resumed=claim.run.steps > 0))
            loop = Loop(assignment, recorder, self._clock)
            begun(loop)
            return await loop.run()
        except ConfigurationError as error:
            return _failed(error.code, error.message)
        except LeaseLost:
            raise
        except Exception:
            log.exception("run %s failed", claim.run.id)
            return _failed("internal", "The run failed because of an internal error.")

    async def _persist(self, write: Callable[[], Awaitable[None]]) -> None:
        """Write the end of a dispatch, trying again while the store is away; the lease bounds how long it matters."""
        while True:
            try:
                return await write()
            except StoreUnavailable as error:
                log.warning("could not write a run's end, trying again: %s", error.message)
                await self._clock.sleep(RETRY_MS)


def _stopped(stop: Stop | None) -> Ending | None:
    match stop:
        case "cancelled" | "superseded":
            return Ending(status=RunStatus.CANCELLED, stop_reason=stop)
        case "lost":
            raise LeaseLost("the lease ran out")
        case _:
            return None


def _emit_end(recorder: Recorder, ending: Ending) -> None:
    if ending.status is RunStatus.WAITING:
        recorder.emit(RunWaiting(ending.interrupts))
    elif ending.status is RunStatus.FAILED:
        recorder.emit(RunFinished("failed", "error", recorder.usage, ending.error))
    else:
        outcome = "cancelled" if ending.status is RunStatus.CANCELLED else "completed"
        recorder.emit(RunFinished(outcome, ending.stop_reason or "answered", recorder.usage))


def _failed(code: str, message: str) -> Ending:
    return Ending(status=RunStatus.FAILED, stop_reason="error", error=ErrorReport(code, message))
