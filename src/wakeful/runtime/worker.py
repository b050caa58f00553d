"""The worker: claims runs, has each carried in a task of its own, renews their leases."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from wakeful.contracts.errors import StoreUnavailable
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.store import Claim, ClaimRequest
from wakeful.runtime.carry import LEASE_MS, RETRY_MS, Carry, Means, Stop

RENEW_MS = 10_000
SURE_MS = 15_000
"""How long after a renewal nothing is claimed any more: what ran out may be a run that is carried here."""
SWEEP_MS = 1_000
CLAIM_BATCH = 64

log = logging.getLogger("wakeful.worker")


@dataclass(slots=True, eq=False)
class _Berth:
    """A run's place in the worker. `contended`: more may wait on its thread."""

    carry: Carry
    task: asyncio.Task[None]
    contended: bool


class Worker:
    """Carries up to `capacity` runs at once. `drain_ms` is how long running tools may go on once it closes."""

    def __init__(self, means: Means, *, name: str, capacity: int, drain_ms: int) -> None:
        self._means = means
        self._name = name
        self._capacity = capacity
        self._drain_ms = drain_ms
        self._berths: dict[int, _Berth] = {}
        self._wake = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None
        self._closing = False
        self._reserved = 0
        self._renewed_at = 0
        self.endings: Counter[RunStatus] = Counter()

    @property
    def active(self) -> int:
        """How many runs are being carried."""
        return len(self._berths)

    # -- what others ask of it

    @contextmanager
    def room(self) -> Generator[ClaimRequest | None]:
        """Room for one run, for claiming it as it is accepted; None when there is none."""
        if self._free() < 1:
            yield None
            return
        self._reserved += 1
        try:
            yield self._request()
        finally:
            self._reserved -= 1
            if self._free() == 1:  # it was the last, and somebody may have found none
                self._wake.set()

    def wake(self) -> None:
        """There may be work."""
        self._wake.set()

    def wake_after(self, thread_key: int) -> None:
        """There is work on this thread, once the run it has now is settled."""
        for berth in self._berths.values():
            if berth.carry.thread_key == thread_key:
                berth.contended = True
        self._wake.set()

    def start(self, claim: Claim) -> None:
        """Carry a run that was claimed as it was accepted; when the worker closed meanwhile, it is handed back."""
        self._start(claim, contended=False)

    def stop_run(self, run_key: int, reason: Stop) -> bool:
        """Stop a run carried here; False when it is not."""
        berth = self._berths.get(run_key)
        if berth is None:
            return False
        berth.carry.stop(reason)
        return True

    def close(self) -> None:
        """Claim nothing more and hand every run back."""
        self._closing = True
        for berth in self._berths.values():
            berth.carry.stop("shutdown")
        self._wake.set()

    # -- its own life

    async def run(self) -> None:
        """Claim and carry until closed; returns when the last run is handed back."""
        self._renewed_at = self._means.clock.now()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                chores = [
                    tasks.create_task(self._renew(), name="lease renewal"),
                    tasks.create_task(self._sweep(), name="sweep"),
                ]
                await self._claim_until_closed()
                await self._drain()
                self._tasks = None
                for chore in chores:
                    chore.cancel()
        finally:
            self._tasks = None

    async def _claim_until_closed(self) -> None:
        while not self._closing:
            self._wake.clear()
            try:
                await self._claim_some()
            except Exception as error:
                log.warning("could not look for work: %s", error, exc_info=not isinstance(error, StoreUnavailable))
            await self._wake.wait()

    async def _claim_some(self) -> None:
        while (limit := min(self._free(), CLAIM_BATCH)) > 0:
            self._reserved += limit
            try:
                claims = await self._means.store.claim(self._request(), limit)
            finally:
                self._reserved -= limit
            for claim in claims:
                self._start(claim, contended=True)  # it had to wait for its turn, and others may be behind it
            if not claims:
                return

    def _free(self) -> int:
        """For how many runs there is room; none while it is not known which leases are held."""
        sure = not self._berths or self._means.clock.now() - self._renewed_at <= SURE_MS
        if self._tasks is None or self._closing or not sure:
            return 0
        return self._capacity - len(self._berths) - self._reserved

    def _request(self) -> ClaimRequest:
        now = self._means.clock.now()
        return ClaimRequest(worker=self._name, now=now, until=now + LEASE_MS)

    async def _sweep(self) -> None:
        while True:
            await self._means.clock.sleep(SWEEP_MS)
            self._wake.set()

    async def _renew(self) -> None:
        pause = RENEW_MS
        while True:
            await self._means.clock.sleep(pause)
            try:
                await self._renew_all()
                pause = RENEW_MS
            except Exception as error:
                log.warning("could not renew leases: %s", error, exc_info=not isinstance(error, StoreUnavailable))
                pause = RETRY_MS

    async def _renew_all(self) -> None:
        now = self._means.clock.now()
        carries = [berth.carry for berth in self._berths.values()]
        if carries:
            lost = await self._means.store.renew([carry.lease for carry in carries], now + LEASE_MS)
            for carry in carries:
                if carry.lease.run_key in lost:
                    carry.stop("lost")
        self._renewed_at = now
        self._wake.set()

    async def _drain(self) -> None:
        """Wait for the runs that finish their tools, then cut off those that take too long."""
        tasks = [berth.task for berth in self._berths.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=self._drain_ms / 1000)
        for berth in self._berths.values():
            berth.carry.cut_off()

    # -- one run

    def _start(self, claim: Claim, *, contended: bool) -> None:
        key = claim.run.key
        if self._tasks is None:
            log.warning("run %s was claimed too late; it goes on when its lease has run out", claim.run.id)
            return
        carry = Carry(claim, self._means)
        if self._closing:
            carry.stop("shutdown")
        # The lease may have been lost and won again while the first carry has not noticed yet.
        earlier = self._berths.get(key)
        if earlier is not None:
            earlier.carry.stop("lost")
        task = self._tasks.create_task(self._carry(key, carry, earlier), name=f"run {claim.run.id}")
        self._berths[key] = _Berth(carry, task, contended)

    async def _carry(self, key: int, carry: Carry, earlier: _Berth | None) -> None:
        try:
            if earlier is not None:
                await asyncio.wait([earlier.task])
            await carry.run()
        finally:
            self._leave(key, carry)

    def _leave(self, key: int, carry: Carry) -> None:
        berth = self._berths.get(key)
        if berth is not None and berth.carry is carry:
            if berth.contended or len(self._berths) >= self._capacity:
                self._wake.set()
            del self._berths[key]
        self._means.feed.tidy(key)
        if carry.ending is not None:
            self.endings[carry.ending.status] += 1
