"""The part of the store socket that keeps a database small: compaction, pruning, sizes."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """How much a store holds: counts of rows, and bytes of bodies.

    `events` are stored one by one, `packed_events` lie in `packs`. `file_bytes` is what the database takes on the
    disk, 0 in memory; `free_bytes` of them would be given back by `reclaim`.
    """

    threads: int
    messages: int
    message_bytes: int
    runs: int
    unfinished_runs: int
    events: int
    event_bytes: int
    packs: int
    packed_events: int
    pack_bytes: int
    file_bytes: int
    free_bytes: int


class Upkeep(Protocol):
    """Small steps, so that no other write waits long."""

    async def compact(self, before: int, limit: int) -> int:
        """Pack the logs of up to `limit` runs that finished before `before` (ms) and are not packed yet.

        Nothing is lost: a packed log reads as it did, with the same sequence numbers. Returns how many were packed.
        """
        ...

    async def prune(self, before: int, limit: int) -> int:
        """Remove the logs of up to `limit` runs that finished before `before` (ms); returns how many.

        Runs and messages stay, the runs are marked `pruned`.
        """
        ...

    async def sizes(self) -> Sizes:
        """How much there is."""
        ...

    async def reclaim(self) -> None:
        """Give free space back to the disk; other writes wait meanwhile."""
        ...
