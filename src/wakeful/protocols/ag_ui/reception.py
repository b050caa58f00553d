"""Finds out what a run's input is for: a new turn, answers to open questions, or answers that were given before."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from wakeful.contracts.event import RunWaiting, StepStarted, ToolCallFinished
from wakeful.contracts.interrupt import Interrupt
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.query import MessageQuery, RunQuery
from wakeful.contracts.request import RunRequest
from wakeful.contracts.run import Run
from wakeful.contracts.thread import Thread
from wakeful.protocols.ag_ui.base import SnapshotBase
from wakeful.protocols.ag_ui.build import interrupts
from wakeful.protocols.ag_ui.decode import Input
from wakeful.protocols.ag_ui.resume import Questions, Refusal, judge, nobody_asked, uncovered
from wakeful.server.auth import Principal
from wakeful.server.operations import Operations

RECENT = 20
"""How many runs of a thread, newest first, are asked whether an answer is meant for them."""
PAGE = 500


@dataclass(frozen=True, slots=True)
class Continuation:
    """What answers a request: the run's events after `after`. `opened`: its thread was made for it.

    For answers that were given before, `again` are the messages these events bring, which the client may hold already;
    else it is None.
    """

    run: Run
    after: int
    again: frozenset[str] | None = None
    opened: bool = False


class Reception:
    """Reads only; what it returns was true when it looked."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def judge(self, principal: Principal, asked: Input) -> RunRequest | Continuation | Refusal:
        """The request to submit, with the answers that are new; or why there is nothing to submit."""
        request = asked.request
        store = self._operations.store
        if not request.decisions or request.thread_id is None:
            return nobody_asked(asked.resume, waiting=False) if asked.resume else request
        thread = await store.get_thread(principal.scope, request.thread_id)
        active = await store.active_run(thread.key) if thread else None
        waiting = active if active and active.status is RunStatus.WAITING else None
        fresh_turn = bool(request.messages) and not await self._knows(thread, request)
        found = await self._meant(thread, waiting, asked) if thread else None
        if found is None and asked.resume:
            return nobody_asked(asked.resume, waiting=waiting is not None)
        if found is None or (fresh_turn and not asked.resume):
            return request
        return await self._of_run(*found, asked, fresh_turn=fresh_turn)

    async def _of_run(
        self, run: Run, questions: Questions, asked: Input, *, fresh_turn: bool
    ) -> RunRequest | Continuation | Refusal:
        fresh = judge(questions, asked.resume, asked.results)
        if isinstance(fresh, Refusal):
            return fresh
        if not fresh and not fresh_turn and questions.asked(asked.resume, asked.results):
            return await self.continuation(run, asked)
        left = uncovered(questions, asked.resume)
        if left is not None:
            return left
        return msgspec.structs.replace(asked.request, decisions=fresh) if fresh or fresh_turn else asked.request

    async def continuation(self, run: Run, asked: Input) -> Continuation:
        """Where the answer to these answers begins; raises `Gone` when the run's log was removed."""
        names = {entry.target for entry in asked.resume} | {result.target for result in asked.results}
        question, at, more, status = 0, 0, True, run.status
        again: set[str] = set()
        while more:
            page = await self._operations.log(run, after=at, limit=PAGE)
            for entry in page.entries:
                at, event = entry.seq, entry.event
                if isinstance(event, RunWaiting) and any(_name(interrupt) in names for interrupt in event.interrupts):
                    question = at
                    again.clear()
                elif isinstance(event, StepStarted | ToolCallFinished):
                    again.add(event.message_id)
            more, status = page.has_more, page.status
        if status is RunStatus.WAITING and question == at:
            return Continuation(run, question - 1)
        return Continuation(run, question, frozenset(again))

    async def holds_all(self, principal: Principal, given: Continuation, asked: Input, base: SnapshotBase) -> bool:
        """Whether a client that sent these messages holds the thread from its beginning on."""
        if given.opened:
            return all(message.id in base.ids for message in asked.request.messages[:1])
        thread = await self._operations.thread(principal, given.run.thread_id)
        first = await self._operations.messages(MessageQuery(thread_key=thread.key, limit=1))
        return all(message.id in base.ids for _, message in first.items)

    async def _knows(self, thread: Thread | None, request: RunRequest) -> bool:
        """Whether all messages are on the thread already, sent along with the answers."""
        ids = [message.id for message in request.messages if message.id is not None]
        if thread is None or len(ids) < len(request.messages):
            return False
        return len(await self._operations.store.known_message_ids(thread.key, ids)) == len(ids)

    async def _meant(self, thread: Thread, waiting: Run | None, asked: Input) -> tuple[Run, Questions] | None:
        """The run these answers are for: the one that waits if it asked for any, else the newest that did."""
        if waiting is not None:
            questions = await self._questions(waiting)
            if questions.asked(asked.resume, asked.results) or not asked.resume:
                return waiting, questions
        query = RunQuery(scope=thread.scope, thread_id=thread.id, limit=RECENT)
        for run in (await self._operations.runs(query)).items:
            questions = await self._questions(run)
            if questions.asked(asked.resume, asked.results):
                return run, questions
        return None

    async def _questions(self, run: Run) -> Questions:
        return Questions(
            records=await self._operations.store.interrupts(run.key),
            waiting=run.status is RunStatus.WAITING,
            now=self._operations.now(),
        )


def _name(interrupt: Interrupt) -> str:
    """What an answer calls it by."""
    return interrupt.id if interrupts(interrupt) else interrupt.call_id
