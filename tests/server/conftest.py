"""A store that can be told to fail, hang or refuse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from wakeful.stores.sqlite.store import SQLiteStore


class Faulty:
    """A store in memory. `faults` says which method raises what, or waits for which event first; `done` what to set
    when a method has returned.
    """

    def __init__(self) -> None:
        self._inner = SQLiteStore(":memory:")
        self.faults: dict[str, Exception | asyncio.Event] = {}
        self.done: dict[str, asyncio.Event] = {}

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        async def guarded(*args: Any, **keywords: Any) -> Any:
            match self.faults.get(name):
                case Exception() as error:
                    raise error
                case asyncio.Event() as released:
                    await released.wait()
                case _:
                    pass
            result = await method(*args, **keywords)
            if name in self.done:
                self.done[name].set()
            return result

        return guarded


@pytest.fixture
async def faulty() -> AsyncIterator[Faulty]:
    """The store; everything that hangs is released at the end."""
    store = Faulty()
    yield store
    for fault in store.faults.values():
        if isinstance(fault, asyncio.Event):
            fault.set()
