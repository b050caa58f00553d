"""The socket through which the engine reports what a run does; the runtime's recorder fits into it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from wakeful.contracts.event import Event, StateChanged, StateReplaced
from wakeful.contracts.json import JsonObject
from wakeful.contracts.message import Message


class Journal(Protocol):
    """Takes events in order. Nothing here blocks except `flush`."""

    def emit(self, *events: Event) -> None:
        """Append these events, in order; deltas are shown at once, facts as soon as they are committed."""
        ...

    def commit(self, message: Message) -> None:
        """Append a message to the thread together with its `MessageCommitted`."""
        ...

    def change_state(self, event: StateReplaced | StateChanged, state: JsonObject) -> None:
        """Append a change of the thread's shared state together with the state it leads to, which never changes."""
        ...

    @property
    def behind(self) -> bool:
        """Whether so much waits to be committed that the producer should `flush` before it goes on."""
        ...

    async def flush(self) -> None:
        """Return when everything appended so far is durable; raises `LeaseLost` when it cannot be."""
        ...

    @property
    def steered(self) -> bool:
        """Whether messages may wait that were meant to reach the run while it goes on."""
        ...

    async def take_steered(self) -> Sequence[Message]:
        """The messages that were steered to the run, each once, now part of the thread; raises `LeaseLost`."""
        ...
