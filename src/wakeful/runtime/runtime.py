"""The runtime: its parts put together, started and stopped as one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from wakeful.contracts.clock import Clock
from wakeful.contracts.model import Provider
from wakeful.contracts.store import Store
from wakeful.runtime.catalog import Catalog
from wakeful.runtime.commit import GroupCommit
from wakeful.runtime.feed import Feed
from wakeful.runtime.mailbox import Mailbox
from wakeful.runtime.resolve import Resolver
from wakeful.runtime.worker import Worker

CAPACITY = 10_000


class Runtime:
    """One process's share of the work. Use its parts only between `start` and `stop`."""

    def __init__(self, *, catalog: Catalog, store: Store, clock: Clock, capacity: int = CAPACITY) -> None:
        self.catalog = catalog
        self.store = store
        self.clock = clock
        self.feed = Feed(store)
        self._group = GroupCommit(store, clock)
        self.worker = Worker(
            name=clock.new_id(),
            store=store,
            feed=self.feed,
            group=self._group,
            resolver=Resolver(catalog, store),
            clock=clock,
            capacity=capacity,
        )
        self.mailbox = Mailbox(catalog=catalog, store=store, worker=self.worker, feed=self.feed, clock=clock)
        self._main: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()

    @property
    def running(self) -> bool:
        """Whether runs are being carried."""
        return self._main is not None and not self._main.done()

    async def start(self) -> None:
        """Open the store and begin to work; again is harmless. The one task made here is the parent of all others."""
        async with self._starting:
            if self._main is None:
                await self.store.open()
                self._main = asyncio.create_task(self._run(), name="wakeful runtime")

    def drain(self) -> None:
        """Claim nothing more, hand runs back, end readers."""
        self.worker.close()
        self.feed.close()

    async def stop(self) -> None:
        """Drain, wait for it, and close the store and the providers."""
        main, self._main = self._main, None
        if main is None:
            return
        self.drain()
        await main
        for provider in _distinct(self.catalog):
            await provider.aclose()
        await self.store.aclose()

    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """Started inside, stopped after."""
        await self.start()
        try:
            yield
        finally:
            await self.stop()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            committing = tasks.create_task(self._group.run(), name="group commit")
            await self.worker.run()
            committing.cancel()


def _distinct(catalog: Catalog) -> list[Provider]:
    return list({id(provider): provider for provider in catalog.providers.values()}.values())
