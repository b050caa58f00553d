"""What may be done to runs and threads that exist: input, decisions, stopping, and what waits in mailboxes.

Whoever asks has shown already that the run or thread is theirs.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from wakeful.contracts.errors import BadRequest, Conflict, NotFound
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.mailbox import DeadLetter, MailboxEntry
from wakeful.contracts.request import InputMessage, InputMode, RunRequest
from wakeful.contracts.run import Run
from wakeful.contracts.thread import Thread
from wakeful.runtime.control import ThreadInterrupted
from wakeful.runtime.receipt import Receipt
from wakeful.runtime.runtime import Runtime
from wakeful.server.auth import Principal
from wakeful.server.checks import check_decisions, check_id, check_request
from wakeful.server.remote_files import RemoteFiles


class Control:
    """Every verb returns when its effect is durable; said twice, it is done once."""

    def __init__(self, runtime: Runtime, remote_files: RemoteFiles) -> None:
        self._runtime = runtime
        self._remote_files = remote_files

    # -- input and answers

    async def add_input(
        self, run: Run, request: RunRequest, *, origin: str, mode: InputMode, idempotency_key: str | None
    ) -> Receipt:
        """Input for a run: decisions alone continue it, messages go to its thread and agent in the given mode.

        Decisions together with messages are recorded first; the messages then start a run whose parent it is.
        Raises `BadRequest` when there is neither, or when both come with a mode that starts no run behind this one;
        `Conflict` when another run of the thread is the one that could be resumed.
        """
        request = msgspec.structs.replace(request, thread_id=run.thread_id, agent_id=run.agent_id)
        check_request(request)
        messages = await self._remote_files.described(request.messages)
        request = msgspec.structs.replace(request, messages=messages)
        if not request.messages:
            if not request.decisions:
                raise BadRequest("the request brings nothing: expected 'messages', 'decisions' or both")
            return await self.decide(run, request.decisions)
        if request.decisions:
            if mode != "queue":
                raise BadRequest(f"decisions with messages continue the run and queue another; found mode {mode!r}")
            await self.decide(run, request.decisions)
            request = msgspec.structs.replace(request, decisions=(), parent_run_id=run.id)
        return await self._runtime.mailbox.submit(
            run.scope, request, origin=origin, mode=await self._aimed(run, mode), idempotency_key=idempotency_key
        )

    async def decide(self, run: Run, decisions: Sequence[Decision]) -> Receipt:
        """Answer a waiting run's questions."""
        check_decisions(decisions)
        return await self._runtime.control.decide(run, decisions)

    async def asking(self, thread: Thread, target: str) -> Run:
        """The run an answer given to a thread is for: the waiting one, else the one that asked this before.

        Raises `Conflict` when there is none.
        """
        store = self._runtime.store
        active = await store.active_run(thread.key)
        if active is not None and active.status is RunStatus.WAITING:
            return active
        for run in (active, await store.latest_run(thread.key)):
            records = await store.interrupts(run.key) if run else ()
            if run and any(target in (record.interrupt.id, record.interrupt.call_id) for record in records):
                return run
        raise Conflict(f"no run of thread {thread.id} waits for a decision; send a message instead")

    async def _aimed(self, run: Run, mode: InputMode) -> InputMode:
        """The mode as it applies to this run, not to whatever else its thread does now."""
        if mode == "steer":
            return mode if run.status is RunStatus.RUNNING else "queue"
        if mode == "resume":
            active = await self._runtime.store.active_run(run.thread_key)
            if active is not None and active.status is RunStatus.WAITING and active.key != run.key:
                raise Conflict(f"run {run.id} does not wait, but {active.id} of its thread does; send it there")
        return mode

    # -- stopping

    async def cancel(self, run: Run) -> Run:
        """Ask a run and the runs it started to stop; finished ones stay as they are."""
        return await self._runtime.control.cancel(run)

    async def cancel_thread(self, thread: Thread) -> Run:
        """Ask what a thread does now to stop; raises `NotFound` when it does nothing."""
        run = await self._runtime.control.cancel_thread(thread)
        if run is None:
            raise NotFound("active run", f"of thread {thread.id}")
        return run

    async def interrupt(self, thread: Thread) -> ThreadInterrupted:
        """End what a thread does and what is queued behind that."""
        return await self._runtime.control.interrupt(thread)

    async def rested(self, run: Run, wait_seconds: float) -> Run:
        """The run as it is when it waits or is finished, or after so many seconds."""
        if wait_seconds > 0:
            return await self._runtime.control.rest(run, int(wait_seconds * 1000))
        return await self._runtime.store.get_run(run.scope, run.id) or run

    # -- what waits on a thread

    async def entries(self, thread: Thread) -> Sequence[MailboxEntry]:
        """What waits, in the order of its turns."""
        return await self._runtime.entries.list(thread)

    async def edit_entry(self, thread: Thread, run_id: str, revision: int, messages: Sequence[InputMessage]) -> None:
        """Replace an entry's messages."""
        for message in messages:
            check_id("message", message.id)
        described = await self._remote_files.described(tuple(messages))
        await self._runtime.entries.edit(thread, run_id, revision, described)

    async def reorder_entries(self, thread: Thread, run_ids: Sequence[str], revision: str) -> None:
        """Put the entries into this order."""
        await self._runtime.entries.reorder(thread, run_ids, revision)

    async def withdraw_entry(self, thread: Thread, run_id: str, revision: int | None) -> None:
        """Take an entry back."""
        await self._runtime.entries.withdraw(thread, run_id, revision)

    # -- what was given up

    async def dead_letters(
        self, principal: Principal, *, before: int | None, limit: int
    ) -> Sequence[tuple[int, DeadLetter]]:
        """Deliveries that were given up, newest first, each with its number; `before` is an exclusive number."""
        return await self._runtime.store.dead_letters(principal.scope, before=before, limit=limit)

    async def retry(self, principal: Principal, dispatch_id: str) -> Receipt:
        """Try a run that was given up again, as a new run linked to it; raises `NotFound`."""
        letter = await self._runtime.store.dead_letter(principal.scope, dispatch_id)
        if letter is None:
            raise NotFound("dead letter", dispatch_id)
        return await self._runtime.control.retry(letter)
