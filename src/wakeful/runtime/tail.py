"""Brings what other processes write into this process's channels: one read for all readers of a run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import NotFound, StoreUnavailable
from wakeful.contracts.store import Store
from wakeful.runtime.channel import Channel
from wakeful.runtime.feed import PAGE, PATIENCE_MS, Feed

SWEEP_MS = 5_000
"""How long a log may go on unseen when no word of it comes."""
AT_ONCE = 8
PAUSE_MS = 250

log = logging.getLogger("wakeful.feed")


class Tail:
    """Reads the logs of runs that have readers here and are carried elsewhere, when word comes or time has passed.

    What the bus brings is not read.
    """

    def __init__(self, *, store: Store, feed: Feed, clock: Clock) -> None:
        self._store = store
        self._feed = feed
        self._clock = clock

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(), name="tail")
            tasks.create_task(self._lose_patience(), name="tail patience")
            tasks.create_task(self._sweep(), name="tail sweep")

    async def _follow(self) -> None:
        while True:
            await self._bring_all(await self._feed.behind())

    async def _bring_all(self, behind: Sequence[Channel]) -> None:
        for start in range(0, len(behind), AT_ONCE):
            await asyncio.gather(*(self._bring(channel) for channel in behind[start : start + AT_ONCE]))

    async def _bring(self, channel: Channel) -> None:
        """All that the log has more than the channel."""
        try:
            more = True
            while more and channel.tailed:
                known = channel.newest
                page = await self._store.read_log(channel.run_key, after=known, limit=PAGE)
                if not channel.tailed:  # a recorder of this process began meanwhile
                    return
                channel.carried = page.leased_until > self._clock.now()
                news = [entry for entry in page.entries if entry.seq > channel.newest]  # else the bus was faster
                if news:
                    channel.publish(news)
                more = page.has_more or channel.newest > (page.entries[-1].seq if page.entries else known)
                if not more:
                    channel.brought(page.status)
        except NotFound:
            channel.let_go(finished=False)  # its thread was removed: readers find out by themselves
        except StoreUnavailable as error:
            log.warning("the log of a run that is carried elsewhere cannot be read: %s", error.message)
            await self._clock.sleep(PAUSE_MS)
            self._feed.poke(channel.run_key)

    async def _lose_patience(self) -> None:
        while True:
            await self._feed.some_expected()
            await self._clock.sleep(PATIENCE_MS)
            self._feed.expect_no_more()

    async def _sweep(self) -> None:
        """One query for all logs, however many readers they have."""
        while True:
            await self._clock.sleep(SWEEP_MS)
            tailed = self._feed.tailed()
            if not tailed:
                continue
            try:
                last_seqs = await self._store.last_seqs(list(tailed))
            except StoreUnavailable as error:
                log.warning("the logs of runs that are carried elsewhere cannot be compared: %s", error.message)
                continue
            for key, channel in tailed.items():
                if last_seqs.get(key) != channel.newest:
                    self._feed.poke(key)
