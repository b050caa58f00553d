"""Runs a worker without HTTP: it carries what other processes accept into the same store."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from types import FrameType

from wakeful.bootstrap import garbage
from wakeful.contracts.errors import ConfigurationError
from wakeful.runtime.runtime import Runtime

HURRY_SECONDS = 2
"""How long the process takes to end after the second signal, whatever hangs in it."""

log = logging.getLogger("wakeful")


def work(runtime: Runtime) -> None:
    """Carry runs until interrupted: the first SIGTERM or SIGINT lets running steps finish, the second does not wait.

    Raises `ConfigurationError` for a runtime that may carry nothing.
    """
    if runtime.config.worker_capacity == 0:
        raise ConfigurationError("WAKEFUL_WORKER_CAPACITY is 0: a worker needs room for at least one run")
    asyncio.run(_work(runtime))


async def _work(runtime: Runtime) -> None:
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    last_resort = threading.Timer(HURRY_SECONDS, os._exit, args=(0,))
    last_resort.daemon = True

    def told() -> None:
        if not asked.is_set():
            asked.set()
            return
        runtime.cut_off()
        if not last_resort.is_alive():
            last_resort.start()

    def hear(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(told)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, hear)
    async with runtime.lifespan():
        garbage.let_go()
        log.info("carrying runs, up to %d at once", runtime.config.worker_capacity)
        await asked.wait()
        log.info("asked to stop: running steps have %g s", runtime.config.shutdown_grace_seconds)
    last_resort.cancel()
