"""Runs a function in a thread that nobody has to wait for."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Returned(Generic[T]):
    value: T


async def in_thread(function: Callable[[], T], *, name: str) -> T:
    """What the function returns or raises, run in a daemon thread of its own with the caller's context variables.

    A function that never returns holds up no other call and no end of the process. What it brings after the caller
    was cancelled is discarded.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[_Returned[T] | BaseException] = loop.create_future()
    context = contextvars.copy_context()

    def settle(outcome: _Returned[T] | BaseException) -> None:
        if not ended.done():
            ended.set_result(outcome)

    def work() -> None:
        try:
            outcome = _Returned(context.run(function))
        except BaseException as error:
            outcome = error
        with suppress(RuntimeError):  # the loop is closed, and nobody waits any more
            loop.call_soon_threadsafe(settle, outcome)

    threading.Thread(target=work, name=name, daemon=True).start()
    outcome = await ended
    # Carried as a value: asyncio refuses some exceptions in a future and would stop the loop for others.
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome.value
