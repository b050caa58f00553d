"""The runtime: its parts put together, started and stopped as one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from wakeful.catalog.snapshot import Catalog, Snapshots
from wakeful.contracts.bus import NO_BUS, Bus
from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import Unavailable
from wakeful.contracts.run import Run
from wakeful.contracts.spec import AgentSpec
from wakeful.contracts.store import Store
from wakeful.contracts.tool_source import ToolSource
from wakeful.runtime.abandonment import Abandonment
from wakeful.runtime.carry import Means
from wakeful.runtime.chain import Chains
from wakeful.runtime.commit import GroupCommit
from wakeful.runtime.config import RuntimeConfig
from wakeful.runtime.control import Control
from wakeful.runtime.delegation import ORIGIN, Delegate
from wakeful.runtime.entries import Entries
from wakeful.runtime.feed import Feed
from wakeful.runtime.janitor import Janitor
from wakeful.runtime.lending import Lending
from wakeful.runtime.listener import Listener
from wakeful.runtime.mailbox import Mailbox
from wakeful.runtime.resolve import Resolver
from wakeful.runtime.tail import Tail
from wakeful.runtime.worker import Worker

SOURCES_SECONDS = 10
"""How long the first run may wait for connected servers to tell their tools."""
log = logging.getLogger("wakeful.runtime")


class Runtime:
    """One process's share of the work, in one event loop. Use its parts only between `start` and `stop`."""

    def __init__(
        self, *, catalogs: Snapshots, store: Store, clock: Clock, config: RuntimeConfig, bus: Bus = NO_BUS
    ) -> None:
        self.config = config
        self.catalogs = catalogs
        self.store = store
        self.clock = clock
        self.bus = bus
        self.feed = Feed(store, clock, bus)
        self.lending = Lending()
        self._group = GroupCommit(store, clock)
        self._chains = Chains(store, clock)
        self._abandonment = Abandonment(catalogs=catalogs, store=store, clock=clock)
        means = Means(
            store=store,
            feed=self.feed,
            group=self._group,
            resolver=self._resolver(),
            deserting=self._abandonment.note,
            deserted=self._stop_delegates,
            clock=clock,
            lease_ms=int(config.lease_seconds * 1000),
            max_attempts=config.max_attempts,
        )
        self.worker = Worker(
            means,
            name=clock.new_id(),
            capacity=config.worker_capacity,
            grace_ms=int(config.shutdown_grace_seconds * 1000),
        )
        self.mailbox = Mailbox(
            catalogs=catalogs,
            store=store,
            worker=self.worker,
            feed=self.feed,
            clock=clock,
            max_backlog=config.max_backlog,
            abandonment=self._abandonment,
        )
        self.control = Control(
            store=store,
            worker=self.worker,
            feed=self.feed,
            clock=clock,
            mailbox=self.mailbox,
            abandonment=self._abandonment,
        )
        self.entries = Entries(store=store, worker=self.worker, feed=self.feed, clock=clock)
        self._tail = Tail(store=store, feed=self.feed, clock=clock)
        self._listener = Listener(store=store, bus=bus, feed=self.feed, worker=self.worker)
        self._janitor = Janitor(store=store, mailbox=self.mailbox, clock=clock, config=config)
        self._main: asyncio.Task[None] | None = None
        self._settling: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._stopped = False

    @property
    def catalog(self) -> Catalog:
        """What counts now."""
        return self.catalogs.current

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
                await self.store.recover(self.clock.now())
                self._main = asyncio.create_task(self._run(), name="wakeful runtime")
            elif main is not None and main.done() and self.draining:
                raise Unavailable("the server is going down; send the request again")
            elif main is None or main.done() or main.get_loop() is not asyncio.get_running_loop():
                raise Unavailable("a runtime works once, in the event loop it was started in; build a new one")

    @property
    def draining(self) -> bool:
        """Whether it was asked to stop: nothing is claimed any more."""
        return self.worker.closing

    def begin_drain(self) -> None:
        """Claim nothing more and hand runs back at the end of their steps, or when the grace is over."""
        self.worker.close()
        if self._settling is not None:
            self._settling.cancel()

    def cut_off(self) -> None:
        """Hand runs back now."""
        self.worker.cut_off()

    async def drained(self) -> None:
        """Return when no run is carried any more and all readers were told to go; `begin_drain` comes first."""
        if self._main is not None:
            await asyncio.wait([self._main])

    async def stop(self) -> None:
        """Drain, wait for that, and close the store, the providers and the backends."""
        main, self._main = self._main, None
        if main is None:
            return
        self._stopped = True
        self.begin_drain()
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self.store.aclose)
            closing.push_async_callback(self.catalogs.aclose)
            await main

    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """Started inside, stopped after."""
        await self.start()
        try:
            yield
        finally:
            await self.stop()

    def _resolver(self) -> Resolver:
        return Resolver(
            catalogs=self.catalogs,
            store=self.store,
            clock=self.clock,
            delegate=self._delegate,
            chains=self._chains,
            lending=self.lending,
        )

    def _delegate(self, agent: AgentSpec, publication: int) -> Delegate:
        return Delegate(
            agent,
            publication=publication,
            mailbox=self.mailbox,
            store=self.store,
            feed=self.feed,
            worker=self.worker,
            clock=self.clock,
            chains=self._chains,
        )

    async def _stop_delegates(self, run: Run) -> None:
        await self.control.cancel_children(run, origin=ORIGIN)

    async def _run(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                chores = [
                    tasks.create_task(self._group.run(), name="group commit"),
                    tasks.create_task(self._janitor.run(), name="janitor"),
                    tasks.create_task(self._listener.run(), name="listener"),
                    tasks.create_task(self._tail.run(), name="tail"),
                    tasks.create_task(self.catalogs.follow(), name="catalogs"),
                    tasks.create_task(self._abandonment.run(), name="abandonment"),
                    *(tasks.create_task(source.run(), name=f"source {name}") for name, source in self._sources()),
                ]
                try:
                    if self.catalog.sources:
                        self._settling = tasks.create_task(self._sources_settled(), name="sources settle")
                        await asyncio.wait([self._settling])
                    await self.worker.run()
                finally:
                    self.feed.close()
                for chore in chores:
                    chore.cancel()
        except Exception:
            log.exception("the runtime failed; its runs go on elsewhere when their leases have run out")
            raise

    def _sources(self) -> Iterable[tuple[str, ToolSource]]:
        return self.catalog.sources.items()

    async def _sources_settled(self) -> None:
        """Wait until every source has its tools or has failed to get them, but not for long."""
        try:
            async with asyncio.timeout(SOURCES_SECONDS):
                for _, source in self._sources():
                    await source.settled()
        except TimeoutError:
            log.warning("not every source of tools has answered in %d seconds; runs begin without", SOURCES_SECONDS)
