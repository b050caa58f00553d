"""The recorder: the only writer of a run's log. Stamps, shows and commits its events."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Literal

from wakeful.contracts.clock import Clock
from wakeful.contracts.codec import entry
from wakeful.contracts.errors import Conflict, LeaseLost, StoreUnavailable
from wakeful.contracts.event import (
    DELTAS,
    ErrorReport,
    Event,
    LogEntry,
    MessageCommitted,
    StateChanged,
    StateReplaced,
    StepStarted,
)
from wakeful.contracts.json import JsonObject
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import Message
from wakeful.contracts.store import Append, Claim, Settlement, Store
from wakeful.contracts.usage import Usage
from wakeful.engine.assignment import Ending
from wakeful.runtime.channel import Channel
from wakeful.runtime.commit import GroupCommit
from wakeful.runtime.steering import Intake, Steering, joined
from wakeful.runtime.tally import Tally

SHOWN_AHEAD = 512
"""How far deltas may be shown beyond what is committed; after a loss numbering starts above that."""
BEHIND = 4096


class Recorder:
    """Keeps the `Journal` promise for one claimed run.

    Facts become visible when committed, deltas at once unless a fact before them is still on its way. Facts are
    committed at once, but the beginning of a step with what follows it, unless that takes as long as a delta may wait.
    `on_lost` is called once when the lease turns out to be gone.
    """

    def __init__(
        self,
        claim: Claim,
        channel: Channel,
        store: Store,
        group: GroupCommit,
        clock: Clock,
        *,
        steering: Steering,
        on_lost: Callable[[], None],
    ) -> None:
        self._run = claim.run
        self._steering = steering
        self._steered = claim.steered
        self._lease = claim.lease
        self._channel = channel
        self._store = store
        self._group = group
        self._clock = clock
        self._on_lost = on_lost
        self._state: Literal["writing", "ending", "rested", "lost"] = "writing"
        self._seq = claim.last_seq + SHOWN_AHEAD if claim.lost else claim.last_seq
        self._committed_seq = claim.last_seq
        self._tally = Tally(claim.run)
        self._buffer: list[LogEntry] = []
        self._messages: list[Message] = []
        self._taken: Append | None = None
        self._hidden: deque[LogEntry] = deque()
        self._flushes: list[tuple[int, asyncio.Future[None]]] = []
        self._landing: asyncio.Future[None] | None = None
        channel.begin(claim.last_seq, claim.entries)

    def continue_step(self, seq: int) -> None:
        """The step that is open began at `seq`: what a restart voids comes after it."""
        self._tally.step_seq = seq

    @property
    def steps(self) -> int:
        """The steps begun over all attempts."""
        return self._tally.steps

    @property
    def usage(self) -> Usage:
        """The run's tokens over all attempts."""
        return self._tally.usage

    @property
    def behind(self) -> bool:
        """Whether more than 4096 events wait to be committed."""
        return self._seq - self._committed_seq > BEHIND

    def emit(self, *events: Event) -> None:
        """Append these events, in order; does nothing once the run is settled or lost."""
        if self._state != "writing" or not events:
            return
        items = self._numbered(events)
        self._seq += len(items)
        shown = self._showable(items)
        hidden = items[len(shown) :]
        self._hidden += hidden
        for item in hidden:
            if type(item.event) not in DELTAS:
                self._tally.count(item.event, item.seq)
        if hidden or not self._buffer:
            self._group.mark(self, urgent=any(type(item.event) is not StepStarted for item in hidden))
        self._buffer += items
        if shown:
            self._channel.publish(shown)

    def commit(self, message: Message) -> None:
        """Append a message to the thread."""
        if self._state == "writing":
            self._messages.append(message)
            self.emit(MessageCommitted(message.id, message.role))

    def change_state(self, event: StateReplaced | StateChanged, state: JsonObject) -> None:
        """Append a change of the thread's shared state."""
        if self._state == "writing":
            self._tally.state = state
            self.emit(event)

    async def flush(self) -> None:
        """Wait until everything so far is durable; raises `LeaseLost`."""
        if self._state == "lost":
            raise _lost()
        if self._buffer or self._taken is not None:
            self._group.mark(self, urgent=True)
            await self._durable(self._seq)

    # -- input that reaches the run while it goes on

    def steer(self) -> None:
        """Input waits on the thread."""
        self._steered = True

    @property
    def steered(self) -> bool:
        """Whether input may wait on the thread."""
        return self._steered

    async def take_steered(self) -> Sequence[Message]:
        """The messages of all entries that were steered here, now part of the thread; raises `LeaseLost`.

        What changes at the same moment, or while the store is away, is looked at again at the next step.
        """
        await self.flush()
        self._steered = False
        try:
            intake = await self._steering.intake(self._run)
            if not intake.entries:
                return ()
            await self._take_in(intake)
        except (Conflict, StoreUnavailable):
            self._steered = True
            return ()
        return intake.messages

    # -- the end

    async def settle(self, ending: Ending, *, given_up_after: int = 0) -> None:
        """Write the rest of the log and end the dispatch in one transaction; raises `LeaseLost`.

        `given_up_after` so many failures it is kept as a dead letter. Nothing is taken from the engine any more; after
        a `StoreUnavailable` it can be called again.
        """
        if self._state == "writing":
            self._state = "ending"
        while self._taken is not None:
            self._landing = asyncio.get_running_loop().create_future()
            await self._landing
        if self._state == "lost":
            raise _lost()
        self._group.forget(self)
        await self._store.settle(
            Settlement(
                lease=self._lease,
                status=ending.status,
                stop_reason=ending.stop_reason,
                error=ending.error,
                interrupts=ending.interrupts,
                entries=tuple(self._buffer),
                messages=tuple(self._messages),
                steps=self._tally.steps,
                usage=self._tally.usage,
                at=self._buffer[-1].at if self._buffer else self._clock.now(),
                voids=self._tally.voids,
                given_up_after=given_up_after,
                state=self._tally.state,
            )
        )
        self._state = "rested"
        self._durable_are(self._buffer, ending.status)
        self._channel.rest(finished=ending.status is not RunStatus.WAITING)

    async def hand_back(self, available_at: int, error: ErrorReport | None = None, agent_id: str | None = None) -> None:
        """Commit the log and put the run back into the queue, with `error` as a failure, or for another agent.

        Raises `LeaseLost`.
        """
        await self.flush()
        await self._store.requeue(
            self._lease, available_at=available_at, at=self._clock.now(), error=error, agent_id=agent_id
        )
        self._state = "rested"
        self._channel.release()

    # -- the Source side, called by the group commit

    def take(self) -> Append | None:
        """Hand over the buffer, unless an earlier one is still on its way; the end is written by `settle` alone."""
        if not self._buffer or self._taken is not None or self._state == "ending":
            return None
        self._taken = self._more(self._buffer, self._messages)
        self._buffer.clear()
        self._messages.clear()
        self._tally.state = None
        return self._taken

    def untake(self) -> None:
        """Put the refused buffer back in front."""
        if self._taken is not None:
            self._buffer[:0] = self._taken.entries
            self._messages[:0] = self._taken.messages
            if self._tally.state is None:
                self._tally.state = self._taken.state
            self._taken = None
            self._landed()

    def committed(self) -> None:
        """Show what became durable."""
        taken, self._taken = self._taken, None
        if taken is not None:
            self._durable_are(taken.entries)
            self._landed()
        if self._buffer:
            self._group.mark(self, urgent=bool(self._hidden))

    def lost(self) -> None:
        """Stop writing and showing; whoever waits is told. Does nothing once the run is at rest."""
        if self._state in ("rested", "lost"):
            return
        self._state = "lost"
        self._group.forget(self)
        self._taken = None
        self._landed()
        self._buffer.clear()
        self._messages.clear()
        self._hidden.clear()
        self._channel.release()
        for _, done in self._flushes:
            if not done.done():
                done.set_exception(_lost())
        self._flushes.clear()
        self._on_lost()

    # -- inside

    async def _take_in(self, intake: Intake) -> None:
        items = self._numbered([joined(message) for message in intake.messages])
        writing = asyncio.create_task(self._store.absorb(self._more(items, intake.messages), intake.entries))
        try:
            await asyncio.shield(writing)
        finally:  # a stop does not undo the write: what was written must be counted
            await asyncio.wait([writing])
            if not writing.cancelled() and writing.exception() is None:
                self._seq += len(items)
                self._hidden.extend(items)
                self._durable_are(items)
                self._steering.absorbed(intake)

    def _more(self, entries: Sequence[LogEntry], messages: Sequence[Message]) -> Append:
        return Append(
            lease=self._lease,
            entries=tuple(entries),
            messages=tuple(messages),
            steps=self._tally.steps,
            usage=self._tally.usage,
            voids=self._tally.voids,
            state=self._tally.state,
        )

    def _numbered(self, events: Sequence[Event]) -> list[LogEntry]:
        now = self._clock.now()
        return [entry(seq, now, event) for seq, event in enumerate(events, self._seq + 1)]

    def _showable(self, items: Sequence[LogEntry]) -> Sequence[LogEntry]:
        """The deltas in front that may be shown before they are committed: none while something before them may not."""
        if self._hidden:
            return ()
        last = self._committed_seq + SHOWN_AHEAD
        for index, item in enumerate(items):
            if item.seq > last or type(item.event) not in DELTAS:
                return items[:index]
        return items

    def _landed(self) -> None:
        """Nothing is on its way any more."""
        landing, self._landing = self._landing, None
        if landing is not None and not landing.done():
            landing.set_result(None)

    async def _durable(self, seq: int) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._flushes.append((seq, done))
        await done

    def _durable_are(self, entries: Sequence[LogEntry], status: RunStatus = RunStatus.RUNNING) -> None:
        """Show what was committed, here and in other processes."""
        after = self._committed_seq
        self._advance(entries[-1].seq if entries else after)
        self._channel.announce(after, entries, status)

    def _advance(self, seq: int) -> None:
        self._committed_seq = max(seq, self._committed_seq)
        ahead = self._committed_seq + SHOWN_AHEAD
        hidden = self._hidden
        shown: list[LogEntry] = []
        while hidden and (hidden[0].seq <= seq or (hidden[0].seq <= ahead and type(hidden[0].event) in DELTAS)):
            shown.append(hidden.popleft())
        if shown:
            self._channel.publish(shown)
        for at, done in self._flushes:
            if at <= seq and not done.done():
                done.set_result(None)
        self._flushes = [(at, done) for at, done in self._flushes if at > seq]


def _lost() -> LeaseLost:
    return LeaseLost("another worker owns this run now")
