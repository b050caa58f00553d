"""Which agents work was handed through: told with every message that hands it on, here and between servers.

A link is `<installation>/<agent id>`. Work that comes back to an agent it has been at over another server would go
round for ever, and each server sees only its own part of the round; so the chain travels along, as `wakeful/chain` in
the metadata of messages. What a client writes there is a claim that can only get its own request refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

import msgspec

from wakeful.contracts.backend import Turn
from wakeful.contracts.clock import Clock
from wakeful.contracts.document import Document
from wakeful.contracts.errors import ConfigurationError, Conflict
from wakeful.contracts.json import JsonObject
from wakeful.contracts.message import Message
from wakeful.contracts.run import Run
from wakeful.contracts.store import Store

KEY = "wakeful/chain"
LONGEST = 10
"""How many agents work may be handed through, all servers together."""
DELEGATION = "delegation"
"""The origin of runs that an agent of this installation started."""
INSTALL_SCOPE, INSTALL_KIND, INSTALL_ID = "", "install", "self"


class HandedTooFar(ConfigurationError):
    """Work came back to an agent that had handed it on, or was handed on too often."""

    code = "handed_too_far"


class Chains:
    """The chains of this installation's runs."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._install: str | None = None

    async def onward(self, run: Run, messages: Iterable[Message]) -> JsonObject:
        """The metadata of what hands a run's work on; `messages` hold those of the run."""
        return {KEY: [*arrived(run, messages), await self._link(run)]}

    async def metadata(self, turn: Turn) -> JsonObject:
        """The same for a turn."""
        return await self.onward(turn.run, turn.history)

    async def check(self, run: Run, messages: Iterable[Message]) -> None:
        """Raise `HandedTooFar` for a run whose work must not be taken over."""
        chain = arrived(run, messages)
        if not chain:
            return
        if run.origin != DELEGATION and await self._link(run) in chain:
            names = [name for name, _ in groupby([*(link.rpartition("/")[2] for link in chain), run.agent_id])]
            raise HandedTooFar(
                f"agent {run.agent_id} handed this work on itself, and it came back: {' -> '.join(names)}; do it "
                "without handing it on in a circle"
            )
        if len(chain) >= LONGEST:
            raise HandedTooFar(
                f"the work was handed on {len(chain)} times, and {LONGEST - 1} is the most; do it yourself"
            )

    async def _link(self, run: Run) -> str:
        if self._install is None:
            self._install = await self._install_id()
        return f"{self._install}/{run.agent_id}"

    async def _install_id(self) -> str:
        """The installation's name: made once, and the same for all processes that share the store."""
        made = Document(scope=INSTALL_SCOPE, kind=INSTALL_KIND, id=INSTALL_ID, value={"name": self._clock.new_id()})
        found = await self._store.get_document(INSTALL_SCOPE, INSTALL_KIND, INSTALL_ID)
        if found is None:
            try:
                found = await self._store.put_document(made, self._clock.now(), expected=0)
            except Conflict:  # another process was faster
                found = await self._store.get_document(INSTALL_SCOPE, INSTALL_KIND, INSTALL_ID)
        return str((found or made).value["name"])


def arrived(run: Run, messages: Iterable[Message]) -> tuple[str, ...]:
    """The chain a run's input came with; empty where there is none that can be read."""
    for message in messages:
        if message.run_id == run.id and message.role == "user" and message.metadata and KEY in message.metadata:
            try:
                return msgspec.convert(message.metadata[KEY], tuple[str, ...])
            except msgspec.ValidationError:
                return ()
    return ()
