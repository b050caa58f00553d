"""Input that reaches a run while it goes on: mailbox entries that end in the running run of their thread."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from wakeful.contracts.clock import Clock
from wakeful.contracts.event import MessageCommitted
from wakeful.contracts.message import DataPart, FilePart, Message, TextPart
from wakeful.contracts.run import Run
from wakeful.contracts.store import Retirement, Store
from wakeful.runtime.feed import Feed
from wakeful.runtime.retirements import Retirements


@dataclass(frozen=True, slots=True)
class Intake:
    """What a run takes in: `messages` the thread does not have yet, and the ends of the entries that held them."""

    messages: tuple[Message, ...]
    entries: tuple[Retirement, ...]


class Steering:
    """Finds what was steered to a run; the recorder writes it."""

    def __init__(self, store: Store, feed: Feed, clock: Clock) -> None:
        self._store = store
        self._feed = feed
        self._retirements = Retirements(store, clock)

    async def intake(self, run: Run) -> Intake:
        """What waits on the run's thread for it, in the order of the entries."""
        waiting = [entry for entry in await self._store.mailbox(run.thread_key) if entry.mode == "steer"]
        messages = {message.id: message for entry in waiting for message in entry.messages}
        known = await self._store.known_message_ids(run.thread_key, list(messages)) if messages else frozenset[str]()
        return Intake(
            tuple(
                msgspec.structs.replace(message, run_id=run.id)
                for message in messages.values()
                if message.id not in known
            ),
            tuple(self._retirements.queued(entry.run, entry.revision, "steered") for entry in waiting),
        )

    def absorbed(self, intake: Intake) -> None:
        """It is written: whoever watches the entries is told."""
        for entry in intake.entries:
            self._feed.poke(entry.run_key)


def joined(message: Message) -> MessageCommitted:
    """The event of input that reaches a run while it goes on: it says what the input is."""
    parts = tuple(part for part in message.parts if isinstance(part, TextPart | FilePart | DataPart))
    return MessageCommitted(message.id, message.role, parts)
