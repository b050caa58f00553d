"""The mailbox: where requests, decisions and stops enter, durable before anything acts on them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from wakeful.contracts.clock import Clock
from wakeful.contracts.codec import entry
from wakeful.contracts.errors import BadRequest, Conflict
from wakeful.contracts.event import RunAccepted, RunFinished, StepFinished, StopReason, ToolCallFinished
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.lifecycle import FINISHED, RunStatus
from wakeful.contracts.message import Message, ToolResultPart
from wakeful.contracts.request import RunRequest
from wakeful.contracts.run import Run
from wakeful.contracts.store import Accepted, Claim, Retirement, Store, Submission
from wakeful.contracts.thread import Thread
from wakeful.engine.prompt import open_calls
from wakeful.runtime.catalog import Catalog
from wakeful.runtime.feed import Feed
from wakeful.runtime.worker import Worker

Effect = Literal["started", "queued", "replayed", "resumed", "waiting"]
RETIRE_ATTEMPTS = 8
UNANSWERED = "The run was ended before this call was answered."


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a request. `after`: the run's events after this sequence number answer it.

    `accepted` and `already` name the interrupts whose decisions were taken, or were known before.
    """

    run: Run
    effect: Effect
    after: int = 0
    accepted: tuple[str, ...] = ()
    already: tuple[str, ...] = ()


class Mailbox:
    """Accepts requests. Every method returns when its effect is durable."""

    def __init__(self, *, catalog: Catalog, store: Store, worker: Worker, feed: Feed, clock: Clock) -> None:
        self._catalog = catalog
        self._store = store
        self._worker = worker
        self._feed = feed
        self._clock = clock

    async def submit(
        self, scope: str, request: RunRequest, *, origin: str, supersede: bool, idempotency_key: str | None = None
    ) -> Receipt:
        """Start a run, or continue the thread's waiting one when the request only answers its questions.

        With `supersede`, whatever the thread was doing ends first; without, the run queues behind it. Raises
        `NotFound` for an unknown agent, `BadRequest` for an empty request, `Conflict` for a run id in use.
        """
        if request.agent_id is not None:
            self._catalog.agent(request.agent_id)
        thread = await self._store.get_thread(scope, request.thread_id) if request.thread_id else None
        if not request.messages or (request.decisions and await self._repeats(thread, request)):
            return await self._answer(thread, request)
        agent_id = request.agent_id or (thread and thread.latest_agent_id) or self._catalog.default_agent().id
        self._catalog.agent(agent_id)
        submission = self._submission(scope, request, agent_id, origin, idempotency_key)
        return await (self._supersede(submission, thread) if supersede else self._accept(submission))

    async def cancel(self, run: Run, reason: StopReason = "cancelled") -> Run:
        """Stop a run, wherever it is; a finished one stays as it is."""
        run = await self._store.request_cancel(run.key, self._clock.now())
        if run.status in FINISHED or self._worker.stop_run(run.key, "cancelled"):
            return run
        for open_run, last_seq in await self._store.open_runs(run.thread_key):
            if open_run.key == run.key and open_run.status in (RunStatus.QUEUED, RunStatus.WAITING):
                try:
                    run = await self._store.retire(await self._retirement(open_run, last_seq, reason))
                except Conflict:  # claimed in between; its worker was told with the claim that it should stop
                    return run
                self._feed.poke(run.key)
                self._worker.wake()
        return run

    async def decide(self, run: Run, decisions: Sequence[Decision]) -> Receipt:
        """Record decisions of a waiting run; it goes on when none is open any more."""
        last_seqs = {found.key: last_seq for found, last_seq in await self._store.open_runs(run.thread_key)}
        decided = await self._store.decide(run.key, decisions, self._clock.now())
        if decided.ready:
            self._worker.wake()
        effect: Effect = "resumed" if decided.ready else "replayed"
        position = last_seqs.get(run.key, 0)
        if decided.run.status is RunStatus.WAITING:
            effect, position = "waiting", max(position - 1, 0)  # its RunWaiting, which is last, is the answer
        return Receipt(decided.run, effect, position, decided.accepted, decided.already)

    async def _answer(self, thread: Thread | None, request: RunRequest) -> Receipt:
        """Continue the waiting run with the decisions meant for it; clients also resend answers it never asked for."""
        if not request.decisions:
            raise BadRequest("the request brings nothing new: expected at least one new message or decision")
        waiting = await self._store.active_run(thread.key) if thread else None
        if waiting is None or waiting.status is not RunStatus.WAITING:
            raise Conflict("no run of this thread waits for a decision; send a new message instead")
        records = await self._store.interrupts(waiting.key)
        asked = {name for record in records for name in (record.interrupt.id, record.interrupt.call_id)}
        meant = [decision for decision in request.decisions if decision.target in asked]
        if not meant:
            raise Conflict("the waiting run asked none of these questions; look at the thread's active run")
        return await self.decide(waiting, meant)

    async def _repeats(self, thread: Thread | None, request: RunRequest) -> bool:
        """Whether all messages are already on the thread, sent along with the decisions."""
        ids = [message.id for message in request.messages if message.id is not None]
        if thread is None or len(ids) < len(request.messages):
            return False
        return len(await self._store.known_message_ids(thread.key, ids)) == len(set(ids))

    async def _supersede(self, submission: Submission, thread: Thread | None) -> Receipt:
        """Accept after ending what the thread does; looks again when that changed in between."""
        for attempt in range(RETIRE_ATTEMPTS):
            retire = await self._retirements(thread) if thread else ()
            try:
                return await self._accept(msgspec.structs.replace(submission, supersede=True, retire=retire))
            except Conflict:
                if attempt == RETIRE_ATTEMPTS - 1:
                    raise
            thread = await self._store.get_thread(submission.scope, submission.thread_id)
        raise AssertionError("the last attempt returns or raises")

    async def _accept(self, submission: Submission) -> Receipt:
        with self._worker.room() as claim:
            accepted = await self._store.accept(msgspec.structs.replace(submission, claim=claim))
            if accepted.lease is not None:
                last_seq = submission.entries[-1].seq
                self._worker.start(Claim(run=accepted.run, lease=accepted.lease, last_seq=last_seq))
        if accepted.replayed:
            return Receipt(accepted.run, "replayed")
        for retired in submission.retire:
            self._feed.poke(retired.run_key)
        if accepted.lease is not None:
            return Receipt(accepted.run, "started")
        self._hurry(accepted)
        return Receipt(accepted.run, "queued")

    def _hurry(self, accepted: Accepted) -> None:
        self._worker.wake_after(accepted.run.thread_key)
        if accepted.cancelling is not None:
            self._worker.stop_run(accepted.cancelling, "superseded")

    def _submission(
        self, scope: str, request: RunRequest, agent_id: str, origin: str, idempotency_key: str | None
    ) -> Submission:
        now = self._clock.now()
        run_id = request.run_id or self._clock.new_id()
        messages = tuple(
            Message(item.id or self._clock.new_id(), item.role, item.parts, now, run_id=run_id)
            for item in request.messages
        )
        accepted = RunAccepted(agent_id, tuple(message.id for message in messages), request.parent_run_id)
        return Submission(
            scope=scope,
            thread_id=request.thread_id or self._clock.new_id(),
            run_id=run_id,
            agent_id=agent_id,
            origin=origin,
            messages=messages,
            entries=(entry(1, now, accepted),),
            digest=_digest(request),
            at=now,
            options=request.options,
            parent_run_id=request.parent_run_id,
            idempotency_key=idempotency_key,
        )

    async def _retirements(self, thread: Thread) -> tuple[Retirement, ...]:
        return tuple(
            [
                await self._retirement(run, last_seq, "superseded")
                for run, last_seq in await self._store.open_runs(thread.key)
                if run.status in (RunStatus.QUEUED, RunStatus.WAITING)
            ]
        )

    async def _retirement(self, run: Run, last_seq: int, reason: StopReason) -> Retirement:
        """The end of a run nobody carries: its open calls get a cancelled result."""
        now = self._clock.now()
        waiting = run.status is RunStatus.WAITING
        calls = open_calls(await self._store.history(run.thread_key)) if waiting else ()
        results = [ToolResultPart(call.call_id, call.name, "cancelled", UNANSWERED) for call in calls]
        messages = tuple(
            Message(self._clock.new_id(), "tool", (result,), now, run_id=run.id, step=run.steps) for result in results
        )
        ends = [
            ToolCallFinished(result.call_id, result.name, result.status, result.output, message.id)
            for result, message in zip(results, messages, strict=True)
        ]
        steps = (StepFinished(run.steps),) if waiting else ()
        events = (*ends, *steps, RunFinished("cancelled", reason, run.usage))
        return Retirement(
            run_key=run.key,
            expected=run.status,
            last_seq=last_seq,
            entries=tuple(entry(last_seq + 1 + i, now, event) for i, event in enumerate(events)),
            messages=messages,
            stop_reason=reason,
            at=now,
        )


def _digest(request: RunRequest) -> str:
    """Recognises the same request sent twice."""
    return hashlib.blake2b(msgspec.json.encode(request, order="sorted"), digest_size=16).hexdigest()
