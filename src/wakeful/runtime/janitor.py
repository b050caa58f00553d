"""The janitor: what has to happen without anybody asking. Questions expire, old logs are packed and removed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import Conflict, NotFound, StoreUnavailable
from wakeful.contracts.store import Store
from wakeful.runtime.answers import refusal
from wakeful.runtime.config import RuntimeConfig
from wakeful.runtime.mailbox import Mailbox

EXPIRY_MS = 1_000
UPKEEP_MS = 60_000
BATCH = 20
NOBODY = "Nobody answered in time."

log = logging.getLogger("wakeful.upkeep")


class Janitor:
    """Two chores for as long as the process works."""

    def __init__(self, *, store: Store, mailbox: Mailbox, clock: Clock, config: RuntimeConfig) -> None:
        self._store = store
        self._mailbox = mailbox
        self._clock = clock
        self._config = config

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as chores:
            chores.create_task(self._every(EXPIRY_MS, self._expire), name="expiry")
            chores.create_task(self._every(UPKEEP_MS, self._keep_small), name="upkeep")

    async def _every(self, pause_ms: int, chore: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._clock.sleep(pause_ms)
            try:
                await chore()
            except StoreUnavailable as error:
                log.warning("upkeep waits for the store: %s", error.message)
            except Exception:
                log.exception("upkeep failed; it is tried again")

    async def _expire(self) -> None:
        """Questions whose time is over are answered with no."""
        for run, interrupt in await self._store.expired_interrupts(self._clock.now(), BATCH):
            try:
                await self._mailbox.answer(run, (refusal(interrupt.id, NOBODY, "expired"),))
            except (Conflict, NotFound):
                log.info("run %s was answered as its question expired", run.id)

    async def _keep_small(self) -> None:
        if self._config.compact_after_seconds is not None:
            await self._until_done(self._store.compact, self._config.compact_after_seconds)
        if self._config.prune_after_seconds is not None:
            await self._until_done(self._store.prune, self._config.prune_after_seconds)

    async def _until_done(self, step: Callable[[int, int], Awaitable[int]], age_seconds: float) -> None:
        before = self._clock.now() - int(age_seconds * 1000)
        while await step(before, BATCH) == BATCH:
            pass
