"""One reader of a run: what it is given comes from the channel, or else out of the log."""

from __future__ import annotations

from typing import Protocol

from wakeful.contracts.event import LogEntry
from wakeful.runtime.channel import Channel, Waiter


class Log(Protocol):
    """What a reader asks where the channel does not know; the feed is it."""

    @property
    def closing(self) -> bool:
        """Whether readers are to go because the process is going down."""
        ...

    async def page(self, channel: Channel, position: int, *, until_finished: bool) -> tuple[list[LogEntry], bool]:
        """What the log has next, and whether nothing comes after it."""
        ...

    def reached_end(self, run_key: int) -> None:
        """A reader got to where the run rests."""
        ...


class Reader:
    """Gives every event after `after` once, in order. Give it a waiter of its own."""

    def __init__(
        self, log: Log, channel: Channel, waiter: Waiter, *, after: int, batch: int, until_finished: bool
    ) -> None:
        self._log = log
        self._channel = channel
        self._waiter = waiter
        self._position = after
        self._batch = batch
        self._until_finished = until_finished
        self._found: list[LogEntry] = []
        self._at_end = False

    async def more(self) -> list[LogEntry] | None:
        """The next events, at most `batch`; empty: there was silence; None: that was all, or the process goes down."""
        while not self._log.closing:
            version = self._channel.version
            if self._found or await self._find():
                given, self._found = self._found[: self._batch], self._found[self._batch :]
                self._position = given[-1].seq
                return given
            if self._at_end:
                self._log.reached_end(self._channel.run_key)
                return None
            if not await self._waiter.changed(version):
                return []
        return None

    async def _find(self) -> bool:
        """Look for more, unless it is known that there is none."""
        channel, position = self._channel, self._position
        if not self._at_end and channel.covers(position):
            self._found = channel.after(position, self._batch)
            self._at_end = channel.finished and not self._found
        if not (self._found or self._at_end or channel.tells(position, until_finished=self._until_finished)):
            self._found, self._at_end = await self._log.page(channel, position, until_finished=self._until_finished)
        return bool(self._found)
