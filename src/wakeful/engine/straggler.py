"""What becomes of a tool call that does not stop when it is told to."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

LOOK_SECONDS = 60.0

log = logging.getLogger("wakeful.tools")


def leave_behind(work: asyncio.Task[Any]) -> None:
    """Let a task that ignores its cancellation go on by itself; what it returns is discarded.

    The loop keeps it until it ends, and asyncio does not wait for it when the loop is closed.
    """
    log.error("%s does not stop although it was cancelled; it goes on, its result is discarded", work.get_name())
    # Part of "Extending asyncio": a task that is not registered is not among those that `asyncio.run` waits for.
    asyncio._unregister_task(work)  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType, reportAttributeAccessIssue]
    _keep(work)


def _keep(work: asyncio.Task[Any]) -> None:
    """Hold on to it from the loop's timers: asyncio itself knows its tasks by weak references only."""
    if work.done():
        log.info("%s ended at last", work.get_name())
    else:
        work.get_loop().call_later(LOOK_SECONDS, _keep, work)
