"""The mailbox: where requests enter, durable before anything acts on them."""

from __future__ import annotations

import hashlib

import msgspec

from wakeful.catalog.snapshot import Catalog, Snapshots
from wakeful.contracts.clock import Clock
from wakeful.contracts.codec import entry
from wakeful.contracts.errors import Conflict
from wakeful.contracts.event import RunAccepted, RunStarted
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.message import Message
from wakeful.contracts.request import InputMode, RunRequest
from wakeful.contracts.run import Lease, Run, RunOptions
from wakeful.contracts.store import Accepted, Claim, Retirement, Store, Submission
from wakeful.contracts.thread import Thread
from wakeful.runtime.abandonment import Abandonment
from wakeful.runtime.answering import RACES, Answering
from wakeful.runtime.branches import first_replaced, replacing
from wakeful.runtime.feed import Feed
from wakeful.runtime.receipt import Receipt
from wakeful.runtime.retirements import Retirements
from wakeful.runtime.worker import Worker


class Mailbox:
    """Accepts requests. Every method returns when its effect is durable."""

    def __init__(
        self,
        *,
        catalogs: Snapshots,
        store: Store,
        worker: Worker,
        feed: Feed,
        clock: Clock,
        max_backlog: int,
        abandonment: Abandonment,
    ) -> None:
        self._catalogs = catalogs
        self._store = store
        self._worker = worker
        self._feed = feed
        self._clock = clock
        self._retirements = Retirements(store, clock, abandonment.note)
        self._answering = Answering(catalogs=catalogs, store=store, worker=worker, feed=feed, clock=clock)
        self._max_backlog = max_backlog

    async def submit(
        self, scope: str, request: RunRequest, *, origin: str, mode: InputMode, idempotency_key: str | None = None
    ) -> Receipt:
        """Start a run, reach the one that runs or waits, or continue it when the request only answers its questions.

        Raises `NotFound` for an unknown agent, `BadRequest` for an empty request, `Conflict` for a run id in use,
        `Backlogged` when too many runs wait on the thread.
        """
        catalog = await self._catalog(request)
        if request.agent_id is not None:
            catalog.agent(request.agent_id)
        thread_id = request.thread_id if _depends_on_thread(request, mode) else None
        thread = await self._store.get_thread(scope, thread_id) if thread_id else None
        if request.replace is None and (
            not request.messages or (request.decisions and await self._repeats(thread, request))
        ):
            return await self._answering.answer_request(thread, request)
        if mode == "resume" and thread is not None:
            resumed = await self._answering.resume(
                thread, lambda run_id: self._messages(request, run_id, idempotency_key), request.options.state
            )
            if resumed is not None:
                return resumed
        agent_id = request.agent_id or (thread and thread.latest_agent_id) or catalog.default_agent().id
        catalog.agent(agent_id)
        submission = self._submission(scope, request, agent_id, origin, idempotency_key)
        if request.replace is not None:
            history = await self._store.history(thread.key) if thread else ()
            submission = replacing(submission, first_replaced(history, request))
        if mode == "interrupt":
            return await self._supersede(submission, request.decisions)
        return await self._accept(msgspec.structs.replace(submission, mode="steer" if mode == "steer" else "queue"))

    async def retry(self, run: Run, key: str) -> Receipt:
        """A new run that goes on where a failed one gave up, linked to it; the same `key` again is the same run."""
        options = msgspec.structs.replace(run.options, publication=None)
        request = RunRequest(thread_id=run.thread_id, agent_id=run.agent_id, parent_run_id=run.id, options=options)
        self._catalogs.current.agent(run.agent_id)
        return await self._accept(self._submission(run.scope, request, run.agent_id, run.origin, key))

    async def answer(self, run: Run, decisions: tuple[Decision, ...]) -> Receipt:
        """Record decisions of a waiting run; see `Answering.answer`."""
        return await self._answering.answer(run, decisions)

    async def _repeats(self, thread: Thread | None, request: RunRequest) -> bool:
        """Whether all messages are already on the thread, sent along with the decisions."""
        ids = [message.id for message in request.messages if message.id is not None]
        if thread is None or len(ids) < len(request.messages):
            return False
        return len(await self._store.known_message_ids(thread.key, ids)) == len(set(ids))

    # -- new runs

    async def _supersede(self, submission: Submission, answers: tuple[Decision, ...]) -> Receipt:
        """Accept, ending what the thread does: nothing as a rule, so only a refusal is a reason to look what it is.

        Looks again when that changed in between. `answers` of the client to calls it carried out are kept as their
        results.
        """
        retire: tuple[Retirement, ...] = ()
        for attempt in range(RACES):
            try:
                return await self._accept(msgspec.structs.replace(submission, supersede=True, retire=retire))
            except Conflict:
                if attempt == RACES - 1:
                    raise
            thread = await self._store.get_thread(submission.scope, submission.thread_id)
            retire = await self._retirements.of_thread(thread.key, "superseded", answers) if thread else ()
        raise AssertionError("the last attempt returns or raises")

    async def _accept(self, submission: Submission) -> Receipt:
        with self._worker.room() as claim:
            accepted = await self._store.accept(msgspec.structs.replace(submission, claim=claim))
            if accepted.lease is not None:
                self._worker.start(_claim(submission, accepted, accepted.lease))
        run, dispatch_id = accepted.run, accepted.dispatch_id
        if accepted.replayed:
            return Receipt(run, dispatch_id, "replayed")
        for retired in submission.retire:
            self._feed.poke(retired.run_key)
        if accepted.lease is not None:
            return Receipt(run, dispatch_id, "started", opened=accepted.opened)
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
            started=(entry(2, now, RunStarted(agent_id, resumed=False)),),
            digest=_digest(request),
            at=now,
            max_backlog=self._max_backlog,
            options=self._pinned(request.options),
            parent_run_id=request.parent_run_id,
            idempotency_key=idempotency_key,
        )

    async def _catalog(self, request: RunRequest) -> Catalog:
        """What counts now, or for the run that this one is a part of."""
        pinned = request.options.publication
        return self._catalogs.current if pinned is None else await self._catalogs.at(pinned)

    def _pinned(self, options: RunOptions) -> RunOptions:
        """With the configuration that counts now, unless it is a part of a run that began with another."""
        now = self._catalogs.current.publication
        pinned = options.publication is not None or not now
        return options if pinned else msgspec.structs.replace(options, publication=now)

    def _messages(self, request: RunRequest, run_id: str, key: str | None) -> tuple[Message, ...]:
        """The request's messages; `key` gives those without an id the same one when the request is repeated."""
        now = self._clock.now()
        names = [item.id or (f"{key}/{i}" if key else self._clock.new_id()) for i, item in enumerate(request.messages)]
        return tuple(
            Message(name, item.role, item.parts, now, run_id=run_id, metadata=item.metadata)
            for name, item in zip(names, request.messages, strict=True)
        )


def _claim(submission: Submission, accepted: Accepted, lease: Lease) -> Claim:
    """The claim of a run that was leased as it was accepted."""
    messages: dict[str, Message] = {}
    for message in submission.messages:
        messages.setdefault(message.id, message)
    entries = submission.entries + submission.started
    return Claim(
        run=accepted.run,
        lease=lease,
        last_seq=entries[-1].seq,
        entries=entries,
        history=tuple(messages.values()) if accepted.opened else None,
    )


def _depends_on_thread(request: RunRequest, mode: InputMode) -> bool:
    """Whether what its thread holds may make it something else than a new turn for the agent it names."""
    new_turn = request.messages and request.agent_id and not request.decisions and request.replace is None
    return mode == "resume" or not new_turn


def _digest(request: RunRequest) -> str:
    """Recognises the same request sent twice."""
    return hashlib.blake2b(msgspec.json.encode(request, order="sorted"), digest_size=16).hexdigest()
