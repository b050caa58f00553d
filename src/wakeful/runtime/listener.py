"""Passes on what other processes say through the store."""

from __future__ import annotations

from wakeful.contracts.signal import Signal
from wakeful.contracts.store import Store
from wakeful.runtime.feed import Feed
from wakeful.runtime.worker import Worker


class Listener:
    """Hears signals and tells who is concerned. What is never heard is found by the worker's and the tail's sweeps."""

    def __init__(self, *, store: Store, feed: Feed, worker: Worker) -> None:
        self._store = store
        self._feed = feed
        self._worker = worker

    async def run(self) -> None:
        """Listen until cancelled."""
        await self._store.listen(self._hear)

    def _hear(self, signal: Signal) -> None:
        if signal.missed:
            self._feed.look_at_all()
        if signal.work or signal.missed:
            self._worker.wake()
        for key in signal.logs:
            self._feed.poke(key)
        for key in signal.superseded:
            self._worker.stop_run(key, "superseded")
        for key in signal.stops:
            self._worker.stop_run(key, "cancelled")
        for key in signal.steers:
            self._worker.steer(key)
