"""Keeps the leases of the runs a worker carries: renews them, and stops runs in time where that fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from wakeful.contracts.errors import StoreUnavailable
from wakeful.contracts.query import Orders
from wakeful.runtime.carry import MARGIN, RETRY_MS, Carry, Means

RENEWALS = 3
"""How often a lease is renewed in its life."""
LOOK_MS = 1_000
LEAST_PATIENCE_MS = 3_000
"""How long a renewal may take at least: giving one up costs a busy database more than waiting for it."""

log = logging.getLogger("wakeful.worker")


class Leases:
    """Renews the leases of all `carries`, and lets `obey` know what the runs were asked meanwhile.

    Where others may reach the store while this process does not, runs stop by its own clock before others may claim
    them. A store of this host alone is waited for: nobody else can be better off.
    """

    def __init__(self, means: Means, *, carries: Callable[[], Sequence[Carry]], obey: Callable[[Orders], None]) -> None:
        self._means = means
        self._carries = carries
        self._obey = obey
        self._renewed_at = means.clock.now()

    @property
    def sure(self) -> bool:
        """Whether it is known which leases are held; not after half of a lease's life without a renewal."""
        return self._means.clock.now() - self._renewed_at <= self._means.lease_ms // 2

    async def renew(self) -> None:
        """Renew them in time, until cancelled."""
        self._renewed_at = self._means.clock.now()
        pause = self._means.lease_ms // RENEWALS
        while True:
            await self._means.clock.sleep(pause)
            now = self._means.clock.now()
            try:
                await self._renew([carry for carry in self._carries() if not carry.lost])
                self._renewed_at = now
                pause = self._means.lease_ms // RENEWALS
            except Exception as error:
                log.warning("could not renew leases: %s", error, exc_info=not isinstance(error, StoreUnavailable))
                pause = RETRY_MS

    async def watch(self) -> None:
        """Stop runs that could not be renewed, until cancelled; soon after the process itself was held up."""
        pause = min(LOOK_MS, self._means.lease_ms // (2 * MARGIN))
        while self._means.store.remote:
            await self._means.clock.sleep(pause)
            now = self._means.clock.now()
            overdue = [carry for carry in self._carries() if carry.begun and carry.overdue(now)]
            if overdue:
                log.warning("leases could not be renewed in time: %d run(s) stop, others may claim them", len(overdue))
            for carry in overdue:
                carry.lose()

    async def make_sure_of(self, carry: Carry) -> None:
        """Renew a lease before anything is done under it, where word of the claim came late."""
        while self._means.store.remote and carry.overdue(self._means.clock.now()):
            try:
                await self._renew([carry])
            except Exception as error:
                log.warning("a run was claimed too late: %s", error, exc_info=not isinstance(error, StoreUnavailable))
                carry.lose()

    async def _renew(self, carries: Sequence[Carry]) -> None:
        """Raises `StoreUnavailable`, also when it takes so long that the next renewal is due."""
        until = self._means.clock.now() + self._means.lease_ms
        patience = max(self._means.lease_ms / RENEWALS, LEAST_PATIENCE_MS)
        orders = Orders(frozenset(), frozenset())
        try:
            async with asyncio.timeout(patience / 1000):
                if carries:
                    lost = await self._means.store.renew([carry.lease for carry in carries], until)
                    for carry in carries:
                        if carry.lease.run_key in lost:
                            carry.lose()
                        else:
                            carry.renewed(until)
                    orders = await self._means.store.orders([carry.lease.run_key for carry in carries])
        except TimeoutError as error:
            raise StoreUnavailable("no answer in time; check the database and the network") from error
        self._obey(orders)
