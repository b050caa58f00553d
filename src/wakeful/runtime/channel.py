"""A run's channel in this process: a ring of its newest visible events, and the readers to wake."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from wakeful.contracts.bus import NO_BUS, Batch, Bus
from wakeful.contracts.event import LogEntry
from wakeful.contracts.lifecycle import FINISHED, RunStatus
from wakeful.runtime.projection import RING, SLACK, Projection


class Channel:
    """Holds every visible event after `base`; readers further back read the log.

    `version` grows with every change, so that a reader never misses one between looking and waiting. `live` while a
    recorder of this process writes; `tailed` while what others write is brought here out of the log (`tail.py`), and
    `carried` then says whether somebody carries the run, `waiting` whether it waited at the last look, `aired` whether
    what comes next is likely to come over the bus, which brought something at `heard_at` (ms) last. Where neither is so
    only the log can say how the run goes on, unless it is `finished`.
    """

    def __init__(self, run_key: int, bus: Bus = NO_BUS) -> None:
        self.run_key = run_key
        self._bus = bus
        self.readers = 0
        self.version = 0
        self.live = False
        self.tailed = False
        self.carried = False
        self.waiting = False
        self.aired = False
        self.heard_at = 0
        self.finished = False
        self.projections: dict[str, Projection] = {}
        self._base: int | None = None
        self._begun = 0
        self._ring: list[LogEntry] = []
        self._waiting: set[Waiter] = set()

    # -- the writer's side

    def begin(self, last_seq: int, entries: Sequence[LogEntry] = ()) -> None:
        """A recorder starts writing after `last_seq`; `entries` are what the log has up to there, from anywhere on."""
        self._ring = list(entries)
        self._base = entries[0].seq - 1 if entries else last_seq
        self._begun = last_seq
        self.projections.clear()
        self.live, self.tailed, self.finished = True, False, False
        self.poke()

    def adopt(self, position: int) -> None:
        """What others write after `position` is brought here from now on."""
        self._ring.clear()
        self._base = self._begun = position
        self.projections.clear()
        self.tailed, self.waiting, self.aired = True, False, False

    def brought(self, status: RunStatus) -> None:
        """All that others wrote is here. Of a run that waits more may come; of a finished one not."""
        self.waiting = status is RunStatus.WAITING
        if status in FINISHED:
            self.let_go(finished=True)
        elif self.waiting:
            self.poke()

    def hear(self, batch: Batch) -> bool:
        """Show what the bus brought, if that continues what is here; False when something before it is missing.

        What was here already says nothing about the run: it may have gone on since.
        """
        if batch.after > self.newest:
            return False
        news = [entry for entry in batch.entries if entry.seq > self.newest]
        if news:
            self.publish(news)
            self.carried = batch.status is RunStatus.RUNNING
            self.brought(batch.status)
        if batch.entries and batch.entries[-1].seq == self.newest:
            self.aired = batch.status is RunStatus.RUNNING
        return True

    def let_go(self, *, finished: bool) -> None:
        """The run that others carried is finished or was removed; nothing is brought here any more."""
        self.tailed, self.finished = False, finished
        self.poke()

    def publish(self, entries: Sequence[LogEntry]) -> None:
        """Show these events; readers get their turn when the writer yields."""
        ring = self._ring
        ring += entries
        if len(ring) > RING + SLACK:
            self._base = ring[-RING - 1].seq
            del ring[:-RING]
        self.poke()

    def announce(self, after: int, entries: Sequence[LogEntry], status: RunStatus) -> None:
        """Tell other processes what was committed after `after`."""
        self._bus.publish(Batch(self.run_key, after, tuple(entries), status))

    def rest(self, *, finished: bool) -> None:
        """The run waits or is finished; readers drain and end."""
        self.live, self.finished = False, finished
        self.poke()

    def release(self) -> None:
        """The recorder is gone without an end; readers go by the log."""
        self.live = self.tailed = False
        self._base = None
        self._ring.clear()
        self.projections.clear()
        self.poke()

    def poke(self) -> None:
        """Something changed, here or in the log."""
        self.version += 1
        if self._waiting:
            for waiter in self._waiting:
                waiter.wake()
            self._waiting.clear()

    # -- the readers' side

    def covers(self, position: int) -> bool:
        """Whether everything after `position` that is visible can be read here."""
        return self._base is not None and self._base <= position

    def tells(self, position: int, *, until_finished: bool) -> bool:
        """Whether it can be waited here for what comes after `position`, or for the end.

        That a run waits ends readers, except those who stay until it is finished; it is for the log to say.
        """
        goes_on = self.tailed and (until_finished or not self.waiting)
        return self.covers(position) and (self.live or self.finished or goes_on)

    def is_past(self, seq: int) -> bool:
        """Whether this event was not written by who carries the run now, if somebody does.

        Of a worker elsewhere it is not known since when it carries the run: all is taken for its own.
        """
        return seq <= self._begun if self.live else not self.carried

    @property
    def newest(self) -> int:
        """The last event that can be read here."""
        return self._ring[-1].seq if self._ring else self._base or 0

    def after(self, position: int, limit: int) -> list[LogEntry]:
        """Up to `limit` events after `position`, oldest first; call only when covered."""
        ring = self._ring
        if not ring or ring[-1].seq <= position:
            return []
        first = max(0, len(ring) - (ring[-1].seq - position))
        while ring[first].seq <= position:  # what one recorder writes has no gaps, what several wrote may have
            first += 1
        return ring[first : first + limit]

    def add_waiter(self, waiter: Waiter) -> None:
        """Wake it at the next change."""
        self._waiting.add(waiter)

    def remove_waiter(self, waiter: Waiter) -> None:
        """It does not wait any more."""
        self._waiting.discard(waiter)


class Waiter:
    """One reader's way to wait for its channel. Close it when done.

    Its timer is pushed ahead, not made anew: a reader waits once for every event of a live stream.
    """

    def __init__(self, channel: Channel, silence_ms: int) -> None:
        self._channel = channel
        self._silence = silence_ms / 1000
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[bool] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0

    async def changed(self, version: int) -> bool:
        """Wait for a change since `version`; False when the time of silence passed without one."""
        if version != self._channel.version:
            return True
        self._deadline = self._loop.time() + self._silence
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._tick)
        future = self._future = self._loop.create_future()
        self._channel.add_waiter(self)
        try:
            return await future
        finally:
            self._channel.remove_waiter(self)

    def wake(self) -> None:
        """There was a change."""
        if self._future is not None and not self._future.done():
            self._future.set_result(True)

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        self._timer = None
        if self._future is None or self._future.done():
            return  # the reader is busy; its next wait sets the timer again
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._tick)
        else:
            self._future.set_result(False)
