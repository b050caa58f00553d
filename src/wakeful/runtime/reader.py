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
        channel = self._channel
        while not self._log.closing:
            version = channel.version
            if not self._found and not self._at_end and not self._look():
                self._found, self._at_end = await self._log.page(
                    channel, self._position, until_finished=self._until_finished
                )
            if self._found:
                return self._taken()
            if self._at_end:
                self._log.reached_end(channel.run_key)
                return None
            if not await self._waiter.changed(version):
                return []
        return None

    def _look(self) -> bool:
        """Look for more in the channel; whether that tells all there is to know."""
        channel, position = self._channel, self._position
        if channel.covers(position):
            self._found = channel.after(position, self._batch)
            self._at_end = channel.finished and not self._found
        return bool(self._found) or channel.tells(position, until_finished=self._until_finished)

    def _taken(self) -> list[LogEntry]:
        given, self._found = self._found, []
        if len(given) > self._batch:
            given, self._found = given[: self._batch], given[self._batch :]
        self._position = given[-1].seq
        return given
