"""Brings notifications to whoever subscribed: each change of a task's status, and its artifacts once complete.

Told at least once and in order, by whichever process holds the subscription; when that is lost, another one goes on
behind what was told last. A receiver that does not take a notification is tried again with growing pauses.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, suppress

import msgspec

from wakeful.contracts.document import Document
from wakeful.contracts.errors import BadRequest, Conflict, Unavailable, WakefulError
from wakeful.contracts.event import LogEntry
from wakeful.contracts.lifecycle import FINISHED, RunStatus
from wakeful.contracts.run import Run
from wakeful.protocols.a2a import legacy
from wakeful.protocols.a2a.encode import response
from wakeful.protocols.a2a.push import KIND, Subscription, subscription
from wakeful.protocols.a2a.task import Fold
from wakeful.protocols.a2a.wire import MEDIA_TYPE, ArtifactUpdate, PushConfig, StreamResponse
from wakeful.server.operations import Operations
from wakeful.server.outgoing import Outgoing

SWEEP_SECONDS = 5.0
"""How often due subscriptions are looked for that nobody in this process spoke of."""
LEASE_MS = 30_000
REST_MS = 15_000
"""How often a task that waits for its client is looked at again."""
FIRST_PAUSE_MS = 1_000
LONGEST_PAUSE_MS = 300_000
MOST_FAILURES = 14
"""After so many in a row, about an hour, a subscription is given up."""
AT_ONCE = 64

log = logging.getLogger("wakeful.http")


class Delivery:
    """Works until cancelled, on at most `AT_ONCE` subscriptions at once."""

    def __init__(self, operations: Operations, outgoing: Outgoing) -> None:
        self._operations = operations
        self._outgoing = outgoing
        self._due = asyncio.Event()
        self._busy = 0

    def hurry(self) -> None:
        """Something is due now."""
        self._due.set()

    async def run(self) -> None:
        """Claim what is due and bring it out."""
        async with asyncio.TaskGroup() as tasks:
            while not self._operations.going_down:
                self._due.clear()
                for document in await self._claim():
                    self._busy += 1
                    tasks.create_task(self._bring(document))
                with suppress(TimeoutError):
                    async with asyncio.timeout(SWEEP_SECONDS):
                        await self._due.wait()

    async def _claim(self) -> list[Document]:
        now, room = self._operations.now(), AT_ONCE - self._busy
        if room < 1:
            return []
        try:
            found = await self._operations.store.claim_documents(KIND, now=now, until=now + LEASE_MS, limit=room)
        except WakefulError as error:
            log.warning("no notifications are sent for the moment: %s", error.message)
            return []
        return list(found)

    async def _bring(self, document: Document) -> None:
        held = _Held(self._operations, document)
        try:
            await self._tell(held)
        except Conflict:
            pass  # it was removed, asked for anew, or is held by another process
        except WakefulError as error:
            log.warning("a subscription is left to be claimed again: %s", error.message)
        except asyncio.CancelledError:
            with suppress(WakefulError):
                await held.release()
            raise
        finally:
            self._busy -= 1

    async def _tell(self, held: _Held) -> None:
        run = await self._operations.store.get_run(held.document.scope, held.task_id)
        if run is None or run.pruned:
            await held.write(due_at=None)
            return
        if not (run.status is RunStatus.WAITING and await self._newest(run) <= held.seen):
            if not await self._follow(run, held):
                return
            run = await self._operations.store.get_run(run.scope, run.id) or run
        now = self._operations.now()
        if run.status in FINISHED:
            await held.write(due_at=None if await self._newest(run) <= held.seen else now)
        elif run.status is RunStatus.WAITING:
            await held.write(due_at=now + REST_MS, resting=True)
        else:
            await held.write(due_at=now)

    async def _follow(self, run: Run, held: _Held) -> bool:
        """Tell what happens until the task rests; False when the receiver did not take it."""
        fold = Fold(task_id=run.id, context_id=run.thread_id)
        async with aclosing(self._operations.follow(run, after=0)) as batches:
            async for entries in batches:
                for entry in entries:
                    bodies = _bodies(fold, entry, held.subscription)
                    if entry.seq <= held.seen:
                        continue
                    for body in bodies:
                        if not await self._post(held.subscription.config, body):
                            await self._put_off(held)
                            return False
                    held.seen = entry.seq
                    if bodies:
                        await held.write(due_at=self._operations.now() + LEASE_MS)
                await held.keep()
        return True

    async def _post(self, config: PushConfig, body: bytes) -> bool:
        headers = {"content-type": MEDIA_TYPE}
        if config.token:
            headers["x-a2a-notification-token"] = config.token
        proof = config.authentication
        if proof is not None and proof.scheme and proof.credentials:
            headers["authorization"] = f"{proof.scheme} {proof.credentials}"
        try:
            status = await self._outgoing.post(config.url, body, headers)
        except (BadRequest, Unavailable) as error:
            log.warning("a notification about task %s was not sent: %s", config.task_id, error.message)
            return False
        if not 200 <= status < 300:
            log.warning("a notification about task %s was answered with %d", config.task_id, status)
        return 200 <= status < 300

    async def _put_off(self, held: _Held) -> None:
        failures = held.subscription.failures + 1
        if failures >= MOST_FAILURES:
            log.warning("notifications about task %s are given up after %d failures", held.task_id, failures)
            await held.write(due_at=None, failures=failures)
            return
        pause = min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS)
        await held.write(due_at=self._operations.now() + pause, failures=failures)
        asyncio.get_running_loop().call_later(pause / 1000, self.hurry)

    async def _newest(self, run: Run) -> int:
        return (await self._operations.store.last_seqs([run.key])).get(run.key, 0)


class _Held:
    """A subscription this process claimed. Writing raises `Conflict` when it is not this one's any more."""

    def __init__(self, operations: Operations, document: Document) -> None:
        self._operations = operations
        self.document = document
        self.subscription = subscription(document)
        self.seen = self.subscription.seen

    @property
    def task_id(self) -> str:
        return self.subscription.config.task_id

    async def keep(self) -> None:
        """Hold it for longer, when half of the time is over."""
        now = self._operations.now()
        if (self.document.due_at or 0) - now < LEASE_MS // 2:
            await self.write(due_at=now + LEASE_MS)

    async def release(self) -> None:
        """Let another process go on at once. What a write that was cut off left behind is looked up."""
        store, now, mine = self._operations.store, self._operations.now(), self.document
        found = await store.get_document(mine.scope, mine.kind, mine.id)
        if found is not None:
            await store.put_document(msgspec.structs.replace(found, due_at=now), now, expected=found.revision)

    async def write(self, *, due_at: int | None, failures: int = 0, resting: bool = False) -> None:
        """Keep how far its receiver was told, and when it is due again."""
        self.subscription = msgspec.structs.replace(
            self.subscription, seen=self.seen, failures=failures, resting=resting
        )
        changed = msgspec.structs.replace(self.document, value=msgspec.to_builtins(self.subscription), due_at=due_at)
        self.document = await self._operations.store.put_document(
            changed, self._operations.now(), expected=self.document.revision
        )


def _bodies(fold: Fold, entry: LogEntry, asked: Subscription) -> list[bytes]:
    """The notifications an event brings. 0.3 is told the whole task, 1.0 what changed."""
    told: list[StreamResponse] = []
    for update in fold.apply(entry):
        if not isinstance(update, ArtifactUpdate):
            told.append(response(update))
        elif update.last_chunk:
            whole = fold.artifact(update.artifact.artifact_id)
            told.append(response(msgspec.structs.replace(update, artifact=whole, append=False)))
    if asked.version == "0.3" and told:
        return [msgspec.json.encode(legacy.task(fold.task()))]
    return [msgspec.json.encode(one) for one in told]
