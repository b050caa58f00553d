"""Passes on what other processes say through the store and the bus."""

from __future__ import annotations

import asyncio

from wakeful.contracts.bus import Bus
from wakeful.contracts.signal import Signal
from wakeful.contracts.store import Store
from wakeful.runtime.feed import Feed
from wakeful.runtime.worker import Worker


class Listener:
    """Hears signals and tells who is concerned. What is never heard is found by the worker's and the tail's sweeps."""

    def __init__(self, *, store: Store, bus: Bus, feed: Feed, worker: Worker) -> None:
        self._store = store
        self._bus = bus
        self._feed = feed
        self._worker = worker

    async def run(self) -> None:
        """Listen until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._store.listen(self._hear), name="listener of the store")
            tasks.create_task(self._bus.listen(self._feed.hear, self._feed.off_air), name="listener of the bus")

    def _hear(self, signal: Signal) -> None:
        if signal.missed:
            self._feed.look_at_all()
        if signal.work or signal.missed:
            self._worker.wake()
        for key in signal.logs:
            self._feed.expect(key)
        for key in signal.superseded:
            self._worker.stop_run(key, "superseded")
        for key in signal.stops:
            self._worker.stop_run(key, "cancelled")
        for key in signal.steers:
            self._worker.steer(key)
