"""The feed: reads a run's log from any point and follows it; replay and tail are one path."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import closing, contextmanager
from operator import attrgetter

from wakeful.contracts.bus import NO_BUS, Batch, Bus
from wakeful.contracts.clock import Clock
from wakeful.contracts.event import LogEntry
from wakeful.contracts.lifecycle import FINISHED, RESTING, RunStatus
from wakeful.contracts.run import Voids
from wakeful.contracts.store import Store
from wakeful.runtime.channel import Channel, Waiter
from wakeful.runtime.projection import Projector
from wakeful.runtime.reader import Reader
from wakeful.runtime.unsettled import Unsettled
from wakeful.runtime.view import View

PAGE = 256
LAST = 2**62
"""After this sequence number no log has anything."""
SILENCE_MS = 10_000
PATIENCE_MS = 100
"""How far apart the store's word of a commit and the bus with what was committed may come."""
UNSEEN = 10_000
"""How many runs that came to rest unwatched are remembered."""


class Feed:
    """All channels of this process."""

    def __init__(self, store: Store, clock: Clock, bus: Bus = NO_BUS) -> None:
        self._store = store
        self._clock = clock
        self._bus = bus
        self._expected: dict[int, int] = {}
        self._some_expected = asyncio.Event()
        self._behind: dict[int, None] = {}
        self._some_behind = asyncio.Event()
        self._channels: dict[int, Channel] = {}
        self._unseen: dict[int, None] = {}
        self._closing = False

    @property
    def closing(self) -> bool:
        """Whether readers were told to go because the process is going down."""
        return self._closing

    def channel(self, run_key: int) -> Channel:
        """The run's channel, made when absent."""
        channel = self._channels.get(run_key)
        if channel is None:
            channel = self._channels[run_key] = Channel(run_key, self._bus)
        return channel

    def poke(self, run_key: int) -> None:
        """The log changed without a recorder; see that its readers get what is new."""
        channel = self._channels.get(run_key)
        if channel is not None and channel.tailed:
            self._fall_behind(run_key)
        elif channel is not None:
            channel.poke()

    # -- what readers ask

    async def page(self, channel: Channel, position: int, *, until_finished: bool) -> tuple[list[LogEntry], bool]:
        """What the log has next, and whether nothing comes after it. What others carry is tailed where its log ends."""
        page = await self._store.read_log(channel.run_key, after=position, limit=PAGE)
        entries = list(page.entries)
        channel.carried = page.leased_until > self._clock.now()
        if entries:
            return entries, page.status in FINISHED and not page.has_more
        at_end = _rests(page.status, until_finished=until_finished)
        if not (at_end or channel.live or channel.tailed):
            channel.adopt(position)
            self._bus.follow(channel.run_key)
            self._fall_behind(channel.run_key)  # something may have come in between
        return [], at_end

    def reached_end(self, run_key: int) -> None:
        """A reader got to where the run rests."""
        self._unseen.pop(run_key, None)

    # -- runs that are carried elsewhere

    def tailed(self) -> dict[int, Channel]:
        """The channels into which logs are brought that others write."""
        return {key: channel for key, channel in self._channels.items() if channel.tailed}

    async def behind(self) -> list[Channel]:
        """Wait for tailed channels whose logs may have gone on."""
        await self._some_behind.wait()
        self._some_behind.clear()
        keys, self._behind = self._behind, {}
        return [channel for key in keys if (channel := self._channels.get(key)) and channel.tailed]

    def look_at_all(self) -> None:
        """Word from other processes may have been lost: every log may have gone on."""
        for key in self._channels:
            self.poke(key)

    # -- what the bus brings

    def hear(self, batch: Batch) -> None:
        """Something of a run that is carried elsewhere; where a part is missing, the log is read."""
        channel = self._channels.get(batch.run_key)
        if channel is None or not channel.tailed:
            self._bus.leave(batch.run_key)
            return
        known = channel.newest
        if not channel.hear(batch):
            self._fall_behind(batch.run_key)
        elif channel.newest > known:
            channel.heard_at = self._clock.now()
            self._expected.pop(batch.run_key, None)

    def expect(self, run_key: int) -> None:
        """The log went on elsewhere; it is read, unless the bus has just brought what is new, or is likely to."""
        channel = self._channels.get(run_key)
        if channel is None or not channel.tailed or not channel.aired:
            self.poke(run_key)
        elif (now := self._clock.now()) - channel.heard_at > PATIENCE_MS:
            self._expected.setdefault(run_key, now)
            self._some_expected.set()

    async def some_expected(self) -> None:
        """Wait until something is expected of the bus."""
        if not self._expected:
            self._some_expected.clear()
            await self._some_expected.wait()

    def expect_no_more(self) -> None:
        """What has not come in time is read in the logs."""
        since = self._clock.now() - PATIENCE_MS
        for run_key in [key for key, at in self._expected.items() if at <= since]:
            self._fall_behind(run_key)

    def off_air(self) -> None:
        """The bus brings nothing for a while: read the logs of the runs it brought."""
        for run_key, channel in self.tailed().items():
            if channel.aired:
                self._fall_behind(run_key)

    def _fall_behind(self, run_key: int) -> None:
        self._channels[run_key].aired = False
        self._expected.pop(run_key, None)
        self._behind[run_key] = None
        self._some_behind.set()

    def tidy(self, run_key: int) -> None:
        """Forget what nobody reads, and the channel itself when nobody writes to it either."""
        channel = self._channels.get(run_key)
        if channel is not None and not channel.readers:
            channel.projections.clear()
            if not channel.live:
                del self._channels[run_key]
                self._expected.pop(run_key, None)
                self._bus.leave(run_key)

    def rested(self, run_key: int) -> None:
        """A run came to rest; until a reader gets there, it counts as unseen."""
        self._unseen.pop(run_key, None)
        self._unseen[run_key] = None
        if len(self._unseen) > UNSEEN:
            del self._unseen[next(iter(self._unseen))]

    def unseen(self, run_key: int) -> bool:
        """Whether the run came to rest in this process and no reader has read that far."""
        return run_key in self._unseen

    def close(self) -> None:
        """End all readers."""
        self._closing = True
        for channel in self._channels.values():
            channel.poke()

    async def follow(
        self, run_key: int, *, after: int, batch: int = PAGE, until_finished: bool = False, silence_ms: int = SILENCE_MS
    ) -> AsyncGenerator[list[LogEntry]]:
        """Every event after `after`, once, in order, in batches of at most `batch`; an empty one means silence.

        Ends when the run rests (with `until_finished`: only when it is finished) or the process goes down.
        """
        with self._reading(run_key) as channel, closing(Waiter(channel, silence_ms)) as waiter:
            reader = Reader(self, channel, waiter, after=after, batch=batch, until_finished=until_finished)
            while (entries := await reader.more()) is not None:
                yield entries

    async def until_rest(self, run_key: int) -> None:
        """Return when the run waits or is finished, or the process goes down."""
        with self._reading(run_key) as channel, closing(Waiter(channel, SILENCE_MS)) as waiter:
            while not self._closing:
                version = channel.version
                if not channel.live:
                    page = await self._store.read_log(run_key, after=LAST, limit=1)
                    if page.status in RESTING:
                        return
                await waiter.changed(version)

    async def project(
        self,
        run_key: int,
        *,
        key: str,
        projector: Callable[[], Projector],
        start: int = 0,
        after: int = 0,
        voids: Voids | None = None,
        batch: int = PAGE,
        until_finished: bool = False,
        silence_ms: int = SILENCE_MS,
    ) -> AsyncGenerator[bytes]:
        """Like `follow`, as bytes; empty bytes mean silence.

        Folds the log from `start` and gives the frames of events after `after`. With `voids`, those of no effect are
        left out: what a step showed that began again before, or begins again because its attempt is over. Readers with
        an equal `key` (and `start`) share the bytes of one fold.
        """

        def replay(upto: int) -> AsyncGenerator[LogEntry]:
            return self._read(run_key, after=start, upto=upto)

        with self._reading(run_key) as channel, closing(Waiter(channel, silence_ms)) as waiter:
            unsettled = None if voids is None else Unsettled(channel)
            view = View(channel, f"{key}@{start}", projector, replay, start)
            reader = Reader(self, channel, waiter, after=start, batch=batch, until_finished=until_finished)
            while (entries := await reader.more()) is not None:
                frames = view.shared_frames(entries)
                if len(frames) < len(entries):
                    frames += await view.own_frames(entries[len(frames) :])
                if entries and entries[0].seq <= after:
                    seen = bisect_right(entries, after, key=_seq)
                    entries, frames = entries[seen:], frames[seen:]
                    if not entries:
                        continue
                if voids:
                    frames = _without(voids, entries, frames)
                if unsettled is not None:
                    frames = unsettled.settle(entries, frames)
                data = b"".join(frames)
                if data or not entries:
                    yield data

    async def _read(self, run_key: int, *, after: int, upto: int) -> AsyncGenerator[LogEntry]:
        position, more = after, True
        while more:
            page = await self._store.read_log(run_key, after=position, limit=PAGE)
            for entry in page.entries:
                if entry.seq > upto:
                    return
                yield entry
                position = entry.seq
            more = page.has_more

    @contextmanager
    def _reading(self, run_key: int) -> Generator[Channel]:
        channel = self.channel(run_key)
        channel.readers += 1
        try:
            yield channel
        finally:
            channel.readers -= 1
            self.tidy(run_key)


def _rests(status: RunStatus, *, until_finished: bool) -> bool:
    return status in FINISHED or (status is RunStatus.WAITING and not until_finished)


_seq = attrgetter("seq")


def _without(voids: Voids, entries: Sequence[LogEntry], frames: Sequence[bytes]) -> list[bytes]:
    """The frames, empty for events that are void."""
    return [
        b"" if any(after < entry.seq <= upto for after, upto in voids) else frame
        for entry, frame in zip(entries, frames, strict=True)
    ]
