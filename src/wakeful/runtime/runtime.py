"""The runtime: its parts put together, started and stopped as one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import Unavailable
from wakeful.contracts.model import Provider
from wakeful.contracts.store import Store
from wakeful.runtime.carry import Means
from wakeful.runtime.catalog import Catalog
from wakeful.runtime.commit import GroupCommit
from wakeful.runtime.feed import Feed
from wakeful.runtime.mailbox import Mailbox
from wakeful.runtime.resolve import Resolver
from wakeful.runtime.worker import Worker

CAPACITY = 10_000
DRAIN_MS = 10_000

log = logging.getLogger("wakeful.runtime")


class Runtime:
    """One process's share of the work, in one event loop. Use its parts only between `start` and `stop`.

    `capacity` is how many runs it carries at once. `drain_ms` is how long `stop` waits for running tools; it cancels
    those that take longer.
    """

    def __init__(
        self, *, catalog: Catalog, store: Store, clock: Clock, capacity: int = CAPACITY, drain_ms: int = DRAIN_MS
    ) -> None:
        self.catalog = catalog
        self.store = store
        self.clock = clock
        self.feed = Feed(store)
        self._group = GroupCommit(store, clock)
        means = Means(store, self.feed, self._group, Resolver(catalog, store), clock)
        self.worker = Worker(means, name=clock.new_id(), capacity=capacity, drain_ms=drain_ms)
        self.mailbox = Mailbox(catalog=catalog, store=store, worker=self.worker, feed=self.feed, clock=clock)
        self._main: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._stopped = False

    @property
    def running(self) -> bool:
        """Whether runs are being carried."""
        return self._main is not None and not self._main.done()

    async def start(self) -> None:
        """Open the store and begin to work; again is harmless. The one task made here is the parent of all others.

        Raises `Unavailable` when it was stopped, has failed, or was started in an event loop that is not this one.
        """
        async with self._starting:
            main = self._main
            if main is None and not self._stopped:
                await self.store.open()
                self._main = asyncio.create_task(self._run(), name="wakeful runtime")
            elif main is None or main.done() or main.get_loop() is not asyncio.get_running_loop():
                raise Unavailable("a runtime works once, in the event loop it was started in; build a new one")

    def drain(self) -> None:
        """Claim nothing more, hand runs back, end readers."""
        self.worker.close()
        self.feed.close()

    async def stop(self) -> None:
        """Drain, wait for it, and close the store and the providers."""
        main, self._main = self._main, None
        if main is None:
            return
        self._stopped = True
        self.drain()
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self.store.aclose)
            for provider in _distinct(self.catalog):
                closing.push_async_callback(provider.aclose)
            await main

    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """Started inside, stopped after."""
        await self.start()
        try:
            yield
        finally:
            await self.stop()

    async def _run(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                committing = tasks.create_task(self._group.run(), name="group commit")
                await self.worker.run()
                committing.cancel()
        except Exception:
            log.exception("the runtime failed; its runs go on elsewhere when their leases have run out")
            raise


def _distinct(catalog: Catalog) -> list[Provider]:
    return list({id(provider): provider for provider in catalog.providers.values()}.values())
