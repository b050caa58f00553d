"""What both bindings can do with tasks. Every method raises `Fault`, or an error that `fault_of` makes one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import msgspec
from starlette.responses import Response

from wakeful.contracts.errors import Conflict
from wakeful.contracts.interrupt import InterruptRecord
from wakeful.contracts.lifecycle import FINISHED, RunStatus
from wakeful.contracts.message import Message
from wakeful.contracts.query import MessageQuery
from wakeful.contracts.request import RunRequest
from wakeful.contracts.run import Run
from wakeful.protocols.a2a import wire
from wakeful.protocols.a2a.decode import Sent
from wakeful.protocols.a2a.encode import Dialect, Encoder
from wakeful.protocols.a2a.faults import (
    TASK_NOT_CANCELABLE,
    TASK_NOT_FOUND,
    UNSUPPORTED_OPERATION,
    Fault,
    invalid,
)
from wakeful.protocols.a2a.history import history, outline
from wakeful.protocols.a2a.questions import answers
from wakeful.protocols.a2a.task import Fold
from wakeful.server.auth import Principal
from wakeful.server.operations import Operations, Watch

ORIGIN = "a2a"
PAGE = 500
MESSAGES = 200
LONGEST_WAIT = 24 * 3600.0
"""Seconds a blocking message waits for its task to rest; whoever needs longer subscribes."""
CANCEL_WAIT = 30.0
"""Seconds an answer to a cancellation waits for the task to end."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and of which agent; None: any of them, and the default one for new conversations."""

    principal: Principal
    agent_id: str | None = None


@dataclass(frozen=True, slots=True)
class Handed:
    """What became of a message: the events of `run` after `after` answer it."""

    run: Run
    after: int


class Tasks:
    """Tasks of a principal's scope, by their ids, which are those of runs."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def run(self, caller: Caller, task_id: str) -> Run:
        """The run behind a task id."""
        run = await self._operations.store.get_run(caller.principal.scope, task_id)
        if run is None or caller.agent_id not in (None, run.agent_id):
            raise Fault(TASK_NOT_FOUND, f"task not found: {task_id}", metadata={"taskId": task_id})
        return run

    # -- messages

    async def send(self, caller: Caller, sent: Sent) -> Handed:
        """Start a task with a message, or hand the message to its task.

        A new task waits for those of its context that run, and takes the place of one that waits for an answer. The
        same message again, by its id, is the same task.
        """
        if sent.task_id is not None:
            return await self._hand_over(caller, sent, await self.run(caller, sent.task_id))
        waiting = False
        if sent.context_id is not None:
            waiting = await self._context_waits(caller, sent.context_id)
        request = RunRequest(thread_id=sent.context_id, agent_id=caller.agent_id, messages=(sent.message,))
        try:
            receipt = await self._operations.submit(
                caller.principal,
                request,
                origin=ORIGIN,
                mode="interrupt" if waiting else "queue",
                idempotency_key=f"{ORIGIN} {sent.context_id or ''} {sent.message_id}",
            )
        except Conflict as error:
            raise invalid("message.messageId", f"was used for another message; {error.message}") from None
        return Handed(receipt.run, receipt.after)

    async def _context_waits(self, caller: Caller, context_id: str) -> bool:
        thread = await self._operations.store.get_thread(caller.principal.scope, context_id)
        if thread is None:
            return False
        active = await self._operations.store.active_run(thread.key)
        return active is not None and active.status is RunStatus.WAITING

    async def _hand_over(self, caller: Caller, sent: Sent, run: Run) -> Handed:
        if sent.context_id not in (None, run.thread_id):
            raise invalid("message.contextId", f"task {run.id} is of another context; leave contextId out")
        records = await self._operations.store.interrupts(run.key)
        if any(one.decision is not None and one.decision.decision_id == sent.message_id for one in records):
            return Handed(run, await self._newest(run) - 1)
        if run.status is RunStatus.WAITING:
            return await self._answer(sent, run, records)
        if run.status is not RunStatus.RUNNING:
            why = "is over" if run.status in FINISHED else "has not begun"
            raise Fault(UNSUPPORTED_OPERATION, f"task {run.id} {why}; send the message without a taskId")
        await self._operations.control.add_input(
            run,
            RunRequest(messages=(sent.message,)),
            origin=ORIGIN,
            mode="steer",
            idempotency_key=f"{ORIGIN} {run.id} {sent.message_id}",
        )
        return Handed(run, await self._newest(run) - 1)

    async def _answer(self, sent: Sent, run: Run, records: Sequence[InterruptRecord]) -> Handed:
        """Decide what the message decides; one that approves nothing it was asked to is a "no" and goes on as text."""
        still_open = [record.interrupt for record in records if record.decision is None]
        decisions = answers(still_open, sent.message.parts, sent.message_id)
        if decisions is not None:
            receipt = await self._operations.control.decide(run, decisions)
        else:
            receipt = await self._operations.control.add_input(
                run, RunRequest(messages=(sent.message,)), origin=ORIGIN, mode="resume", idempotency_key=None
            )
        return Handed(receipt.run, receipt.after)

    # -- looking at tasks

    async def at_rest(self, run: Run, history_length: int | None) -> wire.Task:
        """The task once it waits for its client or is over."""
        run = await self._operations.control.rested(run, LONGEST_WAIT)
        return await self.task(run, history_length)

    async def task(self, run: Run, history_length: int | None = None) -> wire.Task:
        """The task as it is now."""
        records = await self._operations.store.interrupts(run.key)
        messages = await self._messages(run)
        said = history(run, messages, records, history_length)
        if run.pruned:
            return outline(run, messages, records, said)
        fold = Fold(task_id=run.id, context_id=run.thread_id, answered=_answered(records))
        after, more = 0, True
        while more:
            page = await self._operations.log(run, after=after, limit=PAGE)
            for entry in page.entries:
                fold.apply(entry)
                after = entry.seq
            more = page.has_more
        return fold.task(said)

    async def outline(self, run: Run, history_length: int | None) -> wire.Task:
        """The task as it is now, without its artifacts and without reading its log."""
        records = await self._operations.store.interrupts(run.key)
        messages = () if history_length == 0 else await self._messages(run)
        return outline(run, (), records, history(run, messages, records, history_length))

    async def _messages(self, run: Run) -> Sequence[Message]:
        """A run's messages; those of a queued run wait in the mailbox."""
        if run.status is RunStatus.QUEUED:
            for entry in await self._operations.store.mailbox(run.thread_key):
                if entry.run.id == run.id:
                    return entry.messages
        found: list[Message] = []
        query = MessageQuery(thread_key=run.thread_key, run_id=run.id, limit=MESSAGES)
        while True:
            rows = await self._operations.messages(query)
            found.extend(message for _, message in rows.items)
            if not rows.has_more:
                return found
            query = msgspec.structs.replace(query, after=rows.items[-1][0])

    async def watch(self, run: Run, dialect: Dialect, *, after: int, history_length: int | None = None) -> Response:
        """The task as it is after the first event behind `after`, then every change, until it rests."""
        records = await self._operations.store.interrupts(run.key)
        said = history(run, await self._messages(run), records, history_length)
        return self._show(run, dialect, after=after, seen=after, said=said, answered=_answered(records))

    async def subscribe(self, run: Run, dialect: Dialect, *, last_seen: int) -> Response:
        """The task as it is now, then every change; a client that comes back gets what followed `last_seen`."""
        if run.status in FINISHED:
            raise Fault(UNSUPPORTED_OPERATION, f"task {run.id} is over, so nothing of it changes any more; get it")
        newest = await self._newest(run)
        if 0 < last_seen <= newest:
            return self._show(run, dialect, after=0, seen=last_seen, said=(), answered=frozenset())
        return await self.watch(run, dialect, after=newest - 1)

    def _show(
        self,
        run: Run,
        dialect: Dialect,
        *,
        after: int,
        seen: int,
        said: tuple[wire.Message, ...],
        answered: frozenset[str],
    ) -> Response:
        """Readers of one key share bytes, so the key tells all that makes them differ."""
        told = msgspec.json.encode([after, dialect.version, dialect.rpc, dialect.rpc_id, said, sorted(answered)])
        return self._operations.watch(
            run,
            Watch(
                key=f"a2a:{blake2b(told, digest_size=16).hexdigest()}",
                encoder=lambda: Encoder(run, after=after, dialect=dialect, history=said, answered=answered),
                after=seen,
            ),
        )

    async def _newest(self, run: Run) -> int:
        """The number of the run's last committed event."""
        return (await self._operations.store.last_seqs([run.key])).get(run.key, 1)

    # -- stopping

    async def cancel(self, run: Run) -> wire.Task:
        """Stop a task; returns it once it has ended."""
        if run.status not in FINISHED:
            run = await self._operations.control.rested(await self._operations.control.cancel(run), CANCEL_WAIT)
            if run.status is RunStatus.CANCELLED or run.status not in FINISHED:
                return await self.task(run)
        raise Fault(TASK_NOT_CANCELABLE, f"task {run.id} is over: its run is {run.status}", metadata={"taskId": run.id})


def _answered(records: Sequence[InterruptRecord]) -> frozenset[str]:
    return frozenset(record.interrupt.id for record in records if record.decision is not None)
