"""The mailbox: where requests enter, durable before anything acts on them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import msgspec

from wakeful.contracts.clock import Clock
from wakeful.contracts.codec import entry
from wakeful.contracts.errors import BadRequest, Conflict
from wakeful.contracts.event import RunAccepted
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.json import JsonObject
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import Message
from wakeful.contracts.request import InputMode, RunRequest
from wakeful.contracts.run import Run
from wakeful.contracts.store import Accepted, Answers, Claim, Store, Submission
from wakeful.contracts.thread import Thread
from wakeful.runtime.answers import check_answers, refusal
from wakeful.runtime.branches import first_replaced, replacing
from wakeful.runtime.catalog import Catalog
from wakeful.runtime.feed import Feed
from wakeful.runtime.retirements import Retirements
from wakeful.runtime.steering import joined
from wakeful.runtime.worker import Worker

Effect = Literal["started", "queued", "steered", "resumed", "replayed", "waiting"]
RACES = 8
"""How often a request that has to end other runs first looks again when they moved meanwhile."""
ANSWERED_OTHERWISE = "The user sent a message instead of an answer."


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a request. `after`: the run's events after this sequence number answer it.

    `run` is the run that will answer: for `steered` the running one. `dispatch_id` is the delivery that brings the
    request there. `accepted` and `already` name the interrupts whose decisions were taken, or were known before.
    """

    run: Run
    dispatch_id: str
    effect: Effect
    after: int = 0
    accepted: tuple[str, ...] = ()
    already: tuple[str, ...] = ()

    @property
    def answers(self) -> bool:
        """Whether the request answered questions of a run, and started none."""
        return bool(self.accepted or self.already)


class Mailbox:
    """Accepts requests. Every method returns when its effect is durable."""

    def __init__(
        self, *, catalog: Catalog, store: Store, worker: Worker, feed: Feed, clock: Clock, max_backlog: int
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._worker = worker
        self._feed = feed
        self._clock = clock
        self._retirements = Retirements(store, clock)
        self._max_backlog = max_backlog

    async def submit(
        self, scope: str, request: RunRequest, *, origin: str, mode: InputMode, idempotency_key: str | None = None
    ) -> Receipt:
        """Start a run, reach the one that runs or waits, or continue it when the request only answers its questions.

        Raises `NotFound` for an unknown agent, `BadRequest` for an empty request, `Conflict` for a run id in use,
        `Backlogged` when too many runs wait on the thread.
        """
        if request.agent_id is not None:
            self._catalog.agent(request.agent_id)
        thread = await self._store.get_thread(scope, request.thread_id) if request.thread_id else None
        if request.replace is None and (
            not request.messages or (request.decisions and await self._repeats(thread, request))
        ):
            return await self._answer(thread, request)
        if mode == "resume" and thread is not None:
            resumed = await self._resume(thread, request, idempotency_key)
            if resumed is not None:
                return resumed
        agent_id = request.agent_id or (thread and thread.latest_agent_id) or self._catalog.default_agent().id
        self._catalog.agent(agent_id)
        submission = self._submission(scope, request, agent_id, origin, idempotency_key)
        if request.replace is not None:
            history = await self._store.history(thread.key) if thread else ()
            submission = replacing(submission, first_replaced(history, request.replace))
        if mode == "interrupt":
            return await self._supersede(submission, thread)
        return await self._accept(msgspec.structs.replace(submission, mode="steer" if mode == "steer" else "queue"))

    async def retry(self, run: Run, key: str) -> Receipt:
        """A new run that goes on where a failed one gave up, linked to it; the same `key` again is the same run."""
        request = RunRequest(thread_id=run.thread_id, agent_id=run.agent_id, parent_run_id=run.id, options=run.options)
        self._catalog.agent(run.agent_id)
        return await self._accept(self._submission(run.scope, request, run.agent_id, run.origin, key))

    async def answer(self, run: Run, decisions: tuple[Decision, ...], state: JsonObject | None = None) -> Receipt:
        """Record decisions of a waiting run; it goes on when none is open any more.

        `state`, where given, becomes the thread's shared state.

        Raises `BadRequest` for edited arguments or a payload that do not fit.
        """
        if any(decision.arguments is not None or decision.output is not None for decision in decisions):
            check_answers(await self._store.interrupts(run.key), decisions, self._catalog.tools)
        last_seqs = {found.key: last_seq for found, last_seq in await self._store.open_runs(run.thread_key)}
        answers = Answers(
            run_key=run.key,
            decisions=decisions,
            dispatch_id=self._clock.new_id(),
            at=self._clock.now(),
            state=state,
        )
        return await self._decide(answers, last_seqs.get(run.key, 0))

    async def _decide(self, answers: Answers, last_seq: int) -> Receipt:
        decided = await self._store.decide(answers)
        self._feed.poke(answers.run_key)
        if decided.ready:
            self._worker.wake()
        effect: Effect = "resumed" if decided.ready else "replayed"
        if decided.run.status is RunStatus.WAITING:
            effect, last_seq = "waiting", max(last_seq - 1, 0)  # its RunWaiting, which is last, is the answer
        return Receipt(decided.run, decided.dispatch_id, effect, last_seq, decided.accepted, decided.already)

    async def _answer(self, thread: Thread | None, request: RunRequest) -> Receipt:
        """Continue the waiting run with the decisions meant for it; clients also resend answers it never asked for."""
        if not request.decisions:
            raise BadRequest("the request brings nothing new: expected at least one new message or decision")
        waiting = await self._store.active_run(thread.key) if thread else None
        if waiting is None or waiting.status is not RunStatus.WAITING:
            raise Conflict("no run of this thread waits for a decision; send a new message instead")
        records = await self._store.interrupts(waiting.key)
        asked = {name for record in records for name in (record.interrupt.id, record.interrupt.call_id)}
        meant = tuple(decision for decision in request.decisions if decision.target in asked)
        if not meant:
            raise Conflict("the waiting run asked none of these questions; look at the thread's active run")
        return await self.answer(waiting, meant, request.options.state)

    async def _repeats(self, thread: Thread | None, request: RunRequest) -> bool:
        """Whether all messages are already on the thread, sent along with the decisions."""
        ids = [message.id for message in request.messages if message.id is not None]
        if thread is None or len(ids) < len(request.messages):
            return False
        return len(await self._store.known_message_ids(thread.key, ids)) == len(set(ids))

    # -- continuing a waiting run with a message

    async def _resume(self, thread: Thread, request: RunRequest, key: str | None) -> Receipt | None:
        """Continue the waiting run; None when none waits. The same message again changes nothing."""
        for attempt in range(RACES):
            open_runs = await self._store.open_runs(thread.key)
            waiting = next((pair for pair in open_runs if pair[0].status is RunStatus.WAITING), None)
            messages = self._messages(request, waiting[0].id if waiting else "", key)
            known = await self._resumed_before(thread, messages)
            if known is not None or waiting is None:
                return known
            try:
                return await self._resume_run(*waiting, messages, request.options.state)
            except Conflict:
                if attempt == RACES - 1:
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def _resume_run(
        self, run: Run, last_seq: int, messages: tuple[Message, ...], state: JsonObject | None
    ) -> Receipt:
        now = self._clock.now()
        refusals = tuple(
            refusal(record.interrupt.id, ANSWERED_OTHERWISE, "resume")
            for record in await self._store.interrupts(run.key)
            if record.decision is None
        )
        events = (joined(message) for message in messages)
        answers = Answers(
            run_key=run.key,
            decisions=refusals,
            dispatch_id=self._clock.new_id(),
            at=now,
            messages=messages,
            entries=tuple(entry(last_seq + 1 + i, now, event) for i, event in enumerate(events)),
            last_seq=last_seq,
            state=state,
        )
        return await self._decide(answers, last_seq)

    async def _resumed_before(self, thread: Thread, messages: tuple[Message, ...]) -> Receipt | None:
        """The run that has these messages already; raises `Conflict` when it has others under their ids."""
        ids = [message.id for message in messages]
        if len(await self._store.known_message_ids(thread.key, ids)) < len(ids):
            return None
        stored = {message.id: message for message in await self._store.history(thread.key)}
        if any(stored[message.id].parts != message.parts for message in messages):
            raise Conflict("the message ids or the idempotency key were used for other messages; choose new ones")
        run_id = stored[ids[-1]].run_id
        run = await self._store.get_run(thread.scope, run_id) if run_id else None
        return Receipt(run, await self._store.newest_dispatch(run.key), "replayed") if run else None

    # -- new runs

    async def _supersede(self, submission: Submission, thread: Thread | None) -> Receipt:
        """Accept after ending what the thread does; looks again when that changed in between."""
        for attempt in range(RACES):
            retire = await self._retirements.of_thread(thread.key, "superseded") if thread else ()
            try:
                return await self._accept(msgspec.structs.replace(submission, supersede=True, retire=retire))
            except Conflict:
                if attempt == RACES - 1:
                    raise
            thread = await self._store.get_thread(submission.scope, submission.thread_id)
        raise AssertionError("the last attempt returns or raises")

    async def _accept(self, submission: Submission) -> Receipt:
        with self._worker.room() as claim:
            accepted = await self._store.accept(msgspec.structs.replace(submission, claim=claim))
            if accepted.lease is not None:
                last_seq = submission.entries[-1].seq
                self._worker.start(Claim(run=accepted.run, lease=accepted.lease, last_seq=last_seq))
        run, dispatch_id = accepted.run, accepted.dispatch_id
        if accepted.replayed:
            return Receipt(run, dispatch_id, "replayed")
        for retired in submission.retire:
            self._feed.poke(retired.run_key)
        if accepted.lease is not None:
            return Receipt(run, dispatch_id, "started")
        self._hurry(accepted)
        if submission.mode == "steer" and accepted.running is not None:
            self._worker.steer(accepted.running.key)
            return Receipt(accepted.running, dispatch_id, "steered")
        return Receipt(run, dispatch_id, "queued")

    def _hurry(self, accepted: Accepted) -> None:
        self._worker.wake_after(accepted.run.thread_key)
        if accepted.cancelling is not None:
            self._worker.stop_run(accepted.cancelling, "superseded")

    def _submission(
        self, scope: str, request: RunRequest, agent_id: str, origin: str, idempotency_key: str | None
    ) -> Submission:
        now = self._clock.now()
        run_id = request.run_id or self._clock.new_id()
        messages = self._messages(request, run_id, None)
        accepted = RunAccepted(agent_id, tuple(message.id for message in messages), request.parent_run_id)
        return Submission(
            scope=scope,
            thread_id=request.thread_id or self._clock.new_id(),
            run_id=run_id,
            agent_id=agent_id,
            dispatch_id=self._clock.new_id(),
            origin=origin,
            messages=messages,
            entries=(entry(1, now, accepted),),
            digest=_digest(request),
            at=now,
            max_backlog=self._max_backlog,
            options=request.options,
            parent_run_id=request.parent_run_id,
            idempotency_key=idempotency_key,
        )

    def _messages(self, request: RunRequest, run_id: str, key: str | None) -> tuple[Message, ...]:
        """The request's messages; `key` gives those without an id the same one when the request is repeated."""
        now = self._clock.now()
        names = [item.id or (f"{key}/{i}" if key else self._clock.new_id()) for i, item in enumerate(request.messages)]
        return tuple(
            Message(name, item.role, item.parts, now, run_id=run_id)
            for name, item in zip(names, request.messages, strict=True)
        )


def _digest(request: RunRequest) -> str:
    """Recognises the same request sent twice."""
    return hashlib.blake2b(msgspec.json.encode(request, order="sorted"), digest_size=16).hexdigest()
