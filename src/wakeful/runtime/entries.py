"""What waits on a thread: looking at it, changing it and taking it back, until it is carried."""

from __future__ import annotations

from collections.abc import Sequence

from wakeful.contracts.clock import Clock
from wakeful.contracts.codec import entry
from wakeful.contracts.errors import Conflict, NotFound
from wakeful.contracts.event import InputChanged
from wakeful.contracts.mailbox import EntryEdit, MailboxEntry
from wakeful.contracts.message import Message
from wakeful.contracts.request import InputMessage
from wakeful.contracts.run import Run
from wakeful.contracts.store import Store
from wakeful.contracts.thread import Thread
from wakeful.runtime.feed import Feed
from wakeful.runtime.retirements import Retirements
from wakeful.runtime.worker import Worker


class Entries:
    """The pending entries of threads.

    Raises `NotFound` for a run the thread does not have, `Conflict` for one that is carried or over, and for a
    revision that is not the newest.
    """

    def __init__(self, *, store: Store, worker: Worker, feed: Feed, clock: Clock) -> None:
        self._store = store
        self._worker = worker
        self._feed = feed
        self._clock = clock
        self._retirements = Retirements(store, clock)

    async def list(self, thread: Thread) -> Sequence[MailboxEntry]:
        """The entries in the order of their turns."""
        return await self._store.mailbox(thread.key)

    async def edit(self, thread: Thread, run_id: str, revision: int, messages: Sequence[InputMessage]) -> MailboxEntry:
        """Replace an entry's messages; those without an id take over the ids of the old ones, in order."""
        found = await self._entry(thread, run_id)
        now = self._clock.now()
        old = [message.id for message in found.messages]
        ids = [item.id or (old[i] if i < len(old) else self._clock.new_id()) for i, item in enumerate(messages)]
        edit = EntryEdit(
            run_key=found.run.key,
            revision=revision,
            messages=tuple(
                Message(name, item.role, item.parts, now, run_id=run_id, metadata=item.metadata)
                for name, item in zip(ids, messages, strict=True)
            ),
            entries=(entry(revision + 1, now, InputChanged(tuple(ids))),),
            at=now,
        )
        edited = await self._store.edit_entry(edit)
        self._feed.poke(found.run.key)
        return edited

    async def reorder(self, thread: Thread, run_ids: Sequence[str], revision: str) -> Sequence[MailboxEntry]:
        """Put all entries into this order."""
        keys = {found.run.id: found.run.key for found in await self._store.mailbox(thread.key)}
        unknown = [run_id for run_id in run_ids if run_id not in keys]
        if unknown:
            raise Conflict(f"not in the mailbox any more: {', '.join(unknown)}; read the mailbox again")
        ordered = await self._store.reorder(thread.key, [keys[run_id] for run_id in run_ids], revision)
        self._worker.wake()
        return ordered

    async def withdraw(self, thread: Thread, run_id: str, revision: int | None) -> Run:
        """Take an entry back; `revision` None takes it as it is. Its run ends as cancelled, `withdrawn`."""
        found = await self._entry(thread, run_id)
        if revision is not None and revision != found.revision:
            raise Conflict(f"run {run_id} has revision {found.revision}, expected {revision}; read the mailbox again")
        run = await self._store.retire(self._retirements.queued(found.run, found.revision, "withdrawn"))
        self._feed.poke(run.key)
        self._worker.wake()
        return run

    async def _entry(self, thread: Thread, run_id: str) -> MailboxEntry:
        for found in await self._store.mailbox(thread.key):
            if found.run.id == run_id:
                return found
        run = await self._store.get_run(thread.scope, run_id)
        if run is None or run.thread_key != thread.key:
            raise NotFound("run", run_id)
        raise Conflict(f"run {run_id} is {run.status}: it has left the mailbox and cannot be changed any more")
