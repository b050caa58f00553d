"""What backends remember: documents beside the thread."""

from __future__ import annotations

import msgspec

from wakeful.contracts.clock import Clock
from wakeful.contracts.document import Document
from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.json import JsonObject
from wakeful.contracts.run import Run
from wakeful.contracts.store import Store

KIND = "memory"
MOST_BYTES = 64 * 1024


class DocumentMemory:
    """One JSON object in the store; it goes with its thread."""

    def __init__(self, store: Store, clock: Clock, *, scope: str, id: str, thread_key: int) -> None:
        self._store = store
        self._clock = clock
        self._document = Document(scope=scope, kind=KIND, id=id, value={}, thread_key=thread_key)

    async def read(self) -> JsonObject | None:
        """What was written last, None before that."""
        found = await self._store.get_document(self._document.scope, KIND, self._document.id)
        return None if found is None else found.value

    async def write(self, value: JsonObject) -> None:
        """Put a value in its place; durable once this returns. Raises `ConfigurationError` when it is too large."""
        size = len(msgspec.json.encode(value))
        if size > MOST_BYTES:
            raise ConfigurationError(f"expected at most {MOST_BYTES} bytes to remember, found {size}; keep less")
        document = msgspec.structs.replace(self._document, value=value)
        await self._store.put_document(document, self._clock.now())


def run_memory(store: Store, clock: Clock, run: Run) -> DocumentMemory:
    """What a backend remembers of one run."""
    return DocumentMemory(store, clock, scope=run.scope, id=f"run/{run.id}", thread_key=run.thread_key)


def thread_memory(store: Store, clock: Clock, run: Run) -> DocumentMemory:
    """What a backend remembers of a thread, for all runs of one agent."""
    place = f"thread/{run.thread_id}/{run.agent_id}"
    return DocumentMemory(store, clock, scope=run.scope, id=place, thread_key=run.thread_key)
