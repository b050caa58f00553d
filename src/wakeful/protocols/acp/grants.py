"""What the user allowed or rejected once and for all: rules for one thread, kept in the store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import msgspec

from wakeful.contracts.document import Document
from wakeful.contracts.errors import Conflict, NotFound
from wakeful.contracts.thread import Thread
from wakeful.server.operations import Operations

KIND = "acp-grants"
MOST_GRANTS = 1000
"""How many rules a thread has; the oldest is forgotten."""
MOST_TRIES = 10


class Grant(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rule for the calls that one agent makes of one tool; `origin` says where a lent tool comes from."""

    agent_id: str
    tool: str
    allowed: bool
    origin: str = ""


class _Kept(msgspec.Struct, frozen=True):
    grants: tuple[Grant, ...] = ()


class Grants:
    """One thread's rules. `origin` tells a lent tool from another of its name; it is empty for tools of the agents."""

    def __init__(self, operations: Operations, thread: Thread, origin: Callable[[str], str]) -> None:
        self._operations = operations
        self._thread = thread
        self._origin = origin

    async def verdict(self, agent_id: str, tool: str) -> bool | None:
        """Whether the rules allow the agent's calls of a tool; None when there is no rule."""
        origin, (kept, _) = self._origin(tool), await self._read()
        found = (one for one in kept if (one.agent_id, one.tool, one.origin) == (agent_id, tool, origin))
        return next((one.allowed for one in found), None)

    async def allow(self, agent_id: str, tool: str) -> None:
        """From now on, allow the agent's calls of a tool."""
        await self._remember(Grant(agent_id, tool, allowed=True, origin=self._origin(tool)))

    async def reject(self, agent_id: str, tool: str) -> None:
        """From now on, reject them."""
        await self._remember(Grant(agent_id, tool, allowed=False, origin=self._origin(tool)))

    async def _remember(self, grant: Grant) -> None:
        """Write the rule instead of an older one; a thread that is gone needs none."""
        about = (grant.agent_id, grant.tool, grant.origin)
        for _ in range(MOST_TRIES):
            kept, revision = await self._read()
            others = [one for one in kept if (one.agent_id, one.tool, one.origin) != about]
            with suppress(Conflict):
                await self._write((*others, grant)[-MOST_GRANTS:], revision)
                return

    async def _read(self) -> tuple[tuple[Grant, ...], int]:
        found = await self._operations.store.get_document(self._thread.scope, KIND, self._thread.id)
        return (msgspec.convert(found.value, _Kept).grants, found.revision) if found else ((), 0)

    async def _write(self, grants: tuple[Grant, ...], revision: int) -> None:
        document = Document(
            scope=self._thread.scope,
            kind=KIND,
            id=self._thread.id,
            value=msgspec.to_builtins(_Kept(grants)),
            thread_key=self._thread.key,
        )
        with suppress(NotFound):
            await self._operations.store.put_document(document, self._operations.now(), expected=revision)
