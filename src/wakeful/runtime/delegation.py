"""Delegation: a tool that hands its work to another agent, in a run and a thread of that agent's own."""

from __future__ import annotations

import hashlib
from contextlib import aclosing, suppress

from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import Conflict, ToolError, ToolInputInvalid
from wakeful.contracts.event import InterruptRaised, RunFinished, SubagentFinished, SubagentStarted
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.message import TextPart
from wakeful.contracts.query import MessageQuery
from wakeful.contracts.request import InputMessage, RunRequest
from wakeful.contracts.run import Run, RunOptions
from wakeful.contracts.spec import AgentSpec
from wakeful.contracts.store import Store
from wakeful.contracts.thread import Thread
from wakeful.contracts.tool import ToolContext, ToolSpec
from wakeful.runtime.chain import DELEGATION, Chains
from wakeful.runtime.feed import Feed
from wakeful.runtime.mailbox import Mailbox
from wakeful.runtime.worker import Worker

ORIGIN = DELEGATION
DEEPEST = 5
"""How many runs deep agents may hand work on."""
INPUT = 20
"""So many messages of a run are looked at for its input, which comes first."""


class Delegate:
    """One agent as another one's tool. The same call is the same run, so after a crash it is waited for again.

    Questions of that run are answered on it, as on any run; meanwhile the call goes on. The run is stopped with the one
    that called it, and keeps the same configuration, `publication`.
    """

    def __init__(
        self,
        agent: AgentSpec,
        *,
        publication: int,
        mailbox: Mailbox,
        store: Store,
        feed: Feed,
        worker: Worker,
        clock: Clock,
        chains: Chains,
    ) -> None:
        self.spec = ToolSpec(
            name=agent.id,
            description=agent.description or f"Hand work to the agent {agent.id}, and get its answer.",
            parameters={
                "type": "object",
                "properties": {"message": {"type": "string", "description": "The work, with all it must know."}},
                "required": ["message"],
                "additionalProperties": False,
            },
            effect="idempotent",
        )
        self._publication = publication
        self._mailbox = mailbox
        self._store = store
        self._feed = feed
        self._worker = worker
        self._clock = clock
        self._chains = chains

    def check(self, arguments: JsonObject) -> JsonObject:
        """The arguments, `{"message": text}`; raises `ToolInputInvalid`."""
        message = arguments.get("message")
        if not isinstance(message, str) or not message.strip():
            raise ToolInputInvalid('expected {"message": text} with what the agent is to do')
        return {"message": message}

    async def call(self, arguments: JsonObject, context: ToolContext) -> JsonValue:
        """The other agent's answer, as text; raises `ToolError` when it failed or was stopped."""
        await self._refuse_too_deep(context)
        run = await self._submitted(str(arguments["message"]), context)
        context.delegated(SubagentStarted(context.call_id, run.agent_id, run.id, run.thread_id))
        with self._worker.lent():
            end = await self._end(run, context)
        context.delegated(SubagentFinished(context.call_id, run.id, end.outcome, end.error))
        if end.outcome != "completed":
            why = end.error.message if end.error else f"It was stopped: {end.stop_reason}."
            raise ToolError(f"The agent {run.agent_id} did not answer. {why}")
        return await self._answer(run)

    async def _submitted(self, message: str, context: ToolContext) -> Run:
        run_id = hashlib.blake2b(context.idempotency_key.encode(), digest_size=16).hexdigest()
        now = self._clock.now()
        thread = Thread(
            key=0,
            scope=context.scope,
            id=run_id,
            created_at=now,
            updated_at=now,
            parent_thread_id=context.thread_id,
        )
        with suppress(Conflict):  # an earlier attempt of this call made it
            await self._store.create_thread(thread)
        request = RunRequest(
            thread_id=run_id,
            run_id=run_id,
            agent_id=self.spec.name,
            parent_run_id=context.run_id,
            messages=(InputMessage("user", (TextPart(message),), f"{run_id}:input", await self._chain(context)),),
            options=RunOptions(publication=self._publication),
        )
        return (await self._mailbox.submit(context.scope, request, origin=ORIGIN, mode="queue")).run

    async def _chain(self, context: ToolContext) -> JsonObject | None:
        """What tells the other agent through whom the work came."""
        run = await self._store.get_run(context.scope, context.run_id)
        if run is None:
            return None
        rows = await self._store.list_messages(MessageQuery(thread_key=run.thread_key, run_id=run.id, limit=INPUT))
        return await self._chains.onward(run, [message for _, message in rows.items])

    async def _end(self, run: Run, context: ToolContext) -> RunFinished:
        async with aclosing(self._feed.follow(run.key, after=0, until_finished=True)) as batches:
            async for batch in batches:
                for entry in batch:
                    match entry.event:
                        case InterruptRaised(interrupt):
                            question = f": {interrupt.message}" if interrupt.message else ""
                            context.progress(
                                f"{run.agent_id} waits for an answer about {interrupt.tool} (run {run.id}){question}"
                            )
                        case RunFinished():
                            return entry.event
                        case _:
                            pass
        raise ToolError("the process went down while the other agent worked")

    async def _answer(self, run: Run) -> str:
        history = await self._store.history(run.thread_key)
        texts = [message.text for message in history if message.role == "assistant" and message.run_id == run.id]
        return texts[-1] if texts else ""

    async def _refuse_too_deep(self, context: ToolContext) -> None:
        run_id: str | None = context.run_id
        for _ in range(DEEPEST):
            run = await self._store.get_run(context.scope, run_id) if run_id else None
            if run is None or run.origin != ORIGIN:
                return
            run_id = run.parent_run_id
        raise ToolError(f"the work was handed on {DEEPEST} times already; do it yourself")
