"""The worker: claims runs and has each carried in a task of its own, under a lease that `leases` keeps."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from wakeful.contracts.errors import StoreUnavailable
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.query import Orders
from wakeful.contracts.store import Claim, ClaimRequest
from wakeful.runtime.carry import Carry, Means, Stop
from wakeful.runtime.leases import Leases

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
    """Carries runs. `grace_ms` is how long steps that have begun may go on once it closes.

    While it is not known which leases are held nothing is claimed: what ran out may be a run that is carried here.
    """

    def __init__(self, means: Means, *, name: str, capacity: int, grace_ms: int) -> None:
        self._means = means
        self._name = name
        self._capacity = capacity
        self._grace_ms = grace_ms
        self._cut = False
        self._changed = asyncio.Event()
        self._berths: dict[int, _Berth] = {}
        self._wake = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None
        self._closing = False
        self._reserved = 0
        self._lent = 0
        self._leases = Leases(means, carries=self._carries, obey=self._obey)
        self.endings: Counter[RunStatus] = Counter()

    @property
    def closing(self) -> bool:
        """Whether it claims nothing any more."""
        return self._closing

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
            self._changed.set()
            if self._free() == 1:  # it was the last, and somebody may have found none
                self._wake.set()

    @contextmanager
    def lent(self) -> Generator[None]:
        """Give the place of a run that waits for another run to whoever needs one, lest all places wait in vain."""
        self._lent += 1
        self._wake.set()
        try:
            yield
        finally:
            self._lent -= 1

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

    def steer(self, run_key: int) -> None:
        """Input for a run waits on its thread; tell it if it is carried here."""
        berth = self._berths.get(run_key)
        if berth is not None:
            berth.carry.steer()

    def close(self) -> None:
        """Claim nothing more and hand every run back at the end of its step; again is harmless."""
        self._closing = True
        for berth in self._berths.values():
            berth.carry.stop("shutdown")
        self._wake.set()

    def cut_off(self) -> None:
        """Close, and do not wait for the end of steps."""
        self.close()
        self._cut = True
        self._changed.set()

    # -- its own life

    async def run(self) -> None:
        """Claim and carry until closed; returns when the last run is handed back."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                chores = [
                    tasks.create_task(self._leases.renew(), name="lease renewal"),
                    tasks.create_task(self._leases.watch(), name="lease watch"),
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
        sure = not self._berths or self._leases.sure
        if self._tasks is None or self._closing or not sure:
            return 0
        return self._capacity + self._lent - len(self._berths) - self._reserved

    def _request(self) -> ClaimRequest:
        now = self._means.clock.now()
        return ClaimRequest(worker=self._name, now=now, until=now + self._means.lease_ms)

    def _carries(self) -> list[Carry]:
        return [berth.carry for berth in self._berths.values()]

    async def _sweep(self) -> None:
        while True:
            await self._means.clock.sleep(SWEEP_MS)
            self._wake.set()

    def _obey(self, orders: Orders) -> None:
        """Leases were renewed. Do what the runs were asked in another process, whose word may have been lost."""
        for key in orders.stop:
            self.stop_run(key, "cancelled")
        for key in orders.steer:
            self.steer(key)
        self._wake.set()

    async def _drain(self) -> None:
        """Wait for the runs that finish their steps, cut off those that take too long, and see them all handed back."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._grace_ms / 1000):
                while self._busy and not self._cut:
                    await self._change()
        for berth in self._berths.values():
            berth.carry.cut_off()
        while self._busy:
            await self._change()

    @property
    def _busy(self) -> bool:
        return bool(self._berths or self._reserved)

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

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
        if earlier is None:
            carry.show()
        else:
            earlier.carry.lose()
        task = self._tasks.create_task(self._carry(key, carry, earlier), name=f"run {claim.run.id}")
        self._berths[key] = _Berth(carry, task, contended)

    async def _carry(self, key: int, carry: Carry, earlier: _Berth | None) -> None:
        try:
            if earlier is not None:
                await asyncio.wait([earlier.task])
            await self._leases.make_sure_of(carry)
            await carry.run()
        finally:
            self._leave(key, carry)

    def _leave(self, key: int, carry: Carry) -> None:
        berth = self._berths.get(key)
        if berth is not None and berth.carry is carry:
            if berth.contended or len(self._berths) >= self._capacity + self._lent:
                self._wake.set()
            del self._berths[key]
            self._changed.set()
        self._means.feed.tidy(key)
        if carry.ending is not None:
            self.endings[carry.ending.status] += 1
