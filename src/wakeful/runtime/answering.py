"""Continuing waiting runs: with answers to their questions, or with a message instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from wakeful.catalog.snapshot import Snapshots
from wakeful.contracts.clock import Clock
from wakeful.contracts.codec import entry
from wakeful.contracts.errors import BadRequest, Conflict
from wakeful.contracts.event import InterruptDecided, RunWaiting
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.json import JsonObject
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import Message
from wakeful.contracts.request import RunRequest
from wakeful.contracts.run import Run
from wakeful.contracts.store import Answers, Store
from wakeful.contracts.thread import Thread
from wakeful.runtime.answers import check_answers, refusal
from wakeful.runtime.feed import Feed
from wakeful.runtime.receipt import Effect, Receipt
from wakeful.runtime.steering import joined
from wakeful.runtime.worker import Worker

PAGE = 1000
RACES = 8
"""How often a request looks again when the run it is for moved meanwhile."""
ANSWERED_OTHERWISE = "The user sent a message instead of an answer."


class Answering:
    """Every method returns when its effect is durable; said twice, it is done once."""

    def __init__(self, *, catalogs: Snapshots, store: Store, worker: Worker, feed: Feed, clock: Clock) -> None:
        self._catalogs = catalogs
        self._store = store
        self._worker = worker
        self._feed = feed
        self._clock = clock

    async def answer(self, run: Run, decisions: tuple[Decision, ...], state: JsonObject | None = None) -> Receipt:
        """Record decisions of a waiting run; it goes on when none is open any more.

        `state`, where given, becomes the thread's shared state.

        Raises `BadRequest` for an answer of the wrong kind, and for edited arguments or a payload that do not fit.
        """
        check_answers(await self._store.interrupts(run.key), decisions, self._catalogs.current.tools)
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

    async def answer_request(self, thread: Thread | None, request: RunRequest) -> Receipt:
        """Continue the waiting run with the decisions meant for it; clients also resend answers it never asked for."""
        if not request.decisions:
            raise BadRequest("the request brings nothing new: expected at least one new message or decision")
        waiting = await self._store.active_run(thread.key) if thread else None
        if waiting is None or waiting.status is not RunStatus.WAITING:
            given = await self._given_before(thread, request.decisions) if thread else None
            if given is None:
                raise Conflict("no run of this thread waits for a decision; send a new message instead")
            return given
        records = await self._store.interrupts(waiting.key)
        asked = {name for record in records for name in (record.interrupt.id, record.interrupt.call_id)}
        meant = tuple(decision for decision in request.decisions if decision.target in asked)
        if not meant:
            raise Conflict("the waiting run asked none of these questions; look at the thread's active run")
        return await self.answer(waiting, meant, request.options.state)

    async def _given_before(self, thread: Thread, decisions: tuple[Decision, ...]) -> Receipt | None:
        """What the same approvals brought about, when they were given to the thread's newest run; else None.

        A result of a front-end call that comes again is none: clients that send results by themselves would go on for
        ever. Raises `Conflict` for other answers to the same questions.
        """
        run = await self._store.latest_run(thread.key)
        records = await self._store.interrupts(run.key) if run else ()
        asked = {name: record for record in records for name in (record.interrupt.id, record.interrupt.call_id)}
        meant = tuple(decision for decision in decisions if decision.target in asked)
        known = (asked[decision.target] for decision in meant)
        if run is None or not meant or any(one.decision is None or one.interrupt.kind != "approval" for one in known):
            return None
        receipt = await self.answer(run, meant)
        return replace(receipt, after=await self._asked_at(run, receipt.already))

    async def _asked_at(self, run: Run, interrupts: tuple[str, ...]) -> int:
        """The sequence number of the rest in which the first of these questions was answered."""
        rested, after, more = 0, 0, True
        while more:
            page = await self._store.read_log(run.key, after=after, limit=PAGE)
            for one in page.entries:
                after = one.seq
                if isinstance(one.event, InterruptDecided) and one.event.interrupt_id in interrupts:
                    return rested
                if isinstance(one.event, RunWaiting):
                    rested = one.seq
            more = page.has_more
        return rested

    # -- continuing a waiting run with a message

    async def resume(
        self, thread: Thread, messages_of: Callable[[str], tuple[Message, ...]], state: JsonObject | None
    ) -> Receipt | None:
        """Continue the waiting run; None when none waits. The same messages again change nothing.

        `messages_of` gives the new messages as those of a run, by its id.
        """
        for attempt in range(RACES):
            open_runs = await self._store.open_runs(thread.key)
            waiting = next((pair for pair in open_runs if pair[0].status is RunStatus.WAITING), None)
            messages = messages_of(waiting[0].id if waiting else "")
            known = await self._resumed_before(thread, messages)
            if known is not None or waiting is None:
                return known
            try:
                return await self._resume_run(*waiting, messages, state)
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
