"""What protocols do beside answering requests, from the runtime's start to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from wakeful.runtime.runtime import Runtime

Chore = Callable[[], Coroutine[Any, Any, None]]

log = logging.getLogger("wakeful.http")


class Chores:
    """Started once the runtime runs; cancelled when that is drained, or by `stop`. A chore that fails is logged."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._chores: list[Chore] = []
        self._parent: asyncio.Task[None] | None = None

    def add(self, chore: Chore) -> None:
        """One more, before the start."""
        self._chores.append(chore)

    def start(self) -> None:
        """Begin; again is harmless. The one task made here is the parent of all chores."""
        if self._parent is None and self._chores:
            self._parent = asyncio.create_task(self._run(), name="wakeful chores")

    async def stop(self) -> None:
        """Cancel them and wait for that."""
        parent, self._parent = self._parent, None
        if parent is not None:
            parent.cancel()
            await asyncio.wait([parent])

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            begun = [tasks.create_task(_logged(chore)) for chore in self._chores]
            await self._runtime.drained()
            for task in begun:
                task.cancel()


async def _logged(chore: Chore) -> None:
    try:
        await chore()
    except Exception:
        log.exception("a background chore failed; requests are answered as before")
