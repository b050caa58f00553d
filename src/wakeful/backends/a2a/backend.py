"""An agent on another server, as what carries the steps of an agent here."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing

import msgspec

from wakeful.backends.a2a.handle import Handle, keep_context, known_context, recall, remember
from wakeful.backends.a2a.incoming import WAITING, Said
from wakeful.backends.a2a.outgoing import message, message_id
from wakeful.backends.a2a.remote import Remote
from wakeful.backends.a2a.reply import Reply
from wakeful.contracts.backend import BackendChunk, Memory, Turn
from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import ModelError
from wakeful.contracts.json import JsonObject
from wakeful.contracts.model_errors import ModelTimeout, ModelUnavailable
from wakeful.contracts.run import Run
from wakeful.contracts.spec import AgentSpec, Endpoint

SOON_MS = 1_000
"""A stream that breaks off sooner is a failure; one that lasted longer is simply taken up again."""
FIRST_POLL_MS = 250
LONGEST_POLL_MS = 5_000


class A2ABackend:
    """Keeps the promise of `contracts.backend.Backend` with a task on the server at `endpoint`.

    `metadata` is what the messages of a turn carry for that server. The task is found again after a crash: its id is
    remembered before anything else of it is read, and until it is known the same message is sent under the same id.
    """

    name = "a2a"

    def __init__(
        self,
        spec: AgentSpec,
        endpoint: Endpoint,
        clock: Clock,
        *,
        metadata: Callable[[Turn], Awaitable[JsonObject]],
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._spec = spec
        self._silence_ms = int(endpoint.timeout_seconds * 1000)
        self._clock = clock
        self._metadata = metadata
        self._remote = Remote(spec.id, endpoint, environment)

    async def stream(self, turn: Turn) -> AsyncGenerator[list[BackendChunk]]:
        """Carry one step: send what it begins with, and follow the task until it rests. Raises `ModelError`."""
        handle = await self._handle(turn)
        reply = Reply(
            task_id=handle.task_id,
            seen=handle.seen,
            call_id=handle.message_id,
            agent=self._spec.id,
            answers=bool(handle.task_id) and not handle.delivered,
        )
        async with aclosing(self._followed(turn, handle, reply)) as followed:
            async for said in followed:
                chunks = reply.add(said)
                handle = await self._noted(turn, handle, reply)
                if chunks:
                    yield chunks
                if reply.rested:
                    break
        last = reply.finish()
        if reply.waits:
            await remember(turn.run_memory, msgspec.structs.replace(handle, shown=reply.taken))
        yield last

    async def abandon(self, run: Run, memory: Memory) -> None:
        """Stop the task, if it is known. Raises `ModelError` when it may still go on."""
        handle = await recall(memory)
        if handle is not None and handle.task_id and handle.card_url == self._remote.card_url:
            await self._remote.cancel(handle.task_id)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._remote.aclose()

    async def _handle(self, turn: Turn) -> Handle:
        """The step's handle, durable: the one it had before a crash, or a new one that goes on where the last ended."""
        known = await recall(turn.run_memory)
        if known is not None and known.step == turn.step:
            return known
        card_url = self._remote.card_url
        context_id = known.context_id if known else await known_context(turn.thread_memory, card_url)
        handle = Handle(
            card_url=card_url,
            message_id=message_id(turn),
            step=turn.step,
            task_id=known.task_id if known else "",
            context_id=context_id,
            seen=known.shown if known else {},
        )
        await remember(turn.run_memory, handle)
        return handle

    async def _noted(self, turn: Turn, handle: Handle, reply: Reply) -> Handle:
        """The handle with what was learned of the task, durable."""
        context_id = reply.context_id or handle.context_id
        if handle.delivered and (handle.task_id, handle.context_id) == (reply.task_id, context_id):
            return handle
        if reply.context_id and reply.context_id != handle.context_id:
            await keep_context(turn.thread_memory, handle.card_url, reply.context_id)
        learned = msgspec.structs.replace(handle, task_id=reply.task_id, context_id=context_id, delivered=True)
        await remember(turn.run_memory, learned)
        return learned

    # -- following the task

    async def _followed(self, turn: Turn, handle: Handle, reply: Reply) -> AsyncGenerator[Said]:
        """What is said about the step's task until it rests: in answer to its message, then by coming back to it."""
        if not await self._delivered(handle):
            sent = message(turn, handle, await self._metadata(turn))
            try:
                async with aclosing(self._remote.send(sent)) as said:
                    async for one in said:
                        yield one
            except ModelError as error:
                if not (error.retryable and reply.heard and reply.task_id):
                    raise
        if reply.rested:
            return
        follow = self._attached if await self._remote.streams() else self._polled
        async with aclosing(follow(reply)) as said:
            async for one in said:
                yield one

    async def _delivered(self, handle: Handle) -> bool:
        """Whether the step's message has reached the task; an answer that was cut off may have."""
        if handle.delivered or not handle.task_id:
            return handle.delivered
        task = await self._remote.get(handle.task_id)
        return task.status.state not in WAITING or any(one.message_id == handle.message_id for one in task.history)

    async def _attached(self, reply: Reply) -> AsyncGenerator[Said]:
        """The task as it is, then its changes; again when the stream ends before the task rests."""
        trouble: ModelError | None = None
        while True:
            yield Said(task=await self._remote.get(reply.task_id))
            if reply.rested:
                return
            if trouble is not None:
                raise trouble
            began = self._clock.now()
            trouble = ModelUnavailable(f"remote agent {self._spec.id} ended its stream before its task was done")
            try:
                async with aclosing(self._remote.subscribe(reply.task_id)) as said:
                    async for one in said:
                        yield one
            except ModelError as error:
                trouble = error
            if reply.rested:
                return
            lasted = self._clock.now() - began >= SOON_MS
            if trouble.retryable and lasted and not isinstance(trouble, ModelTimeout):
                trouble = None

    async def _polled(self, reply: Reply) -> AsyncGenerator[Said]:
        """The task again and again, of a server that does not stream."""
        pause, before, changed = FIRST_POLL_MS, None, self._clock.now()
        while True:
            task = await self._remote.get(reply.task_id)
            yield Said(task=task)
            if reply.rested:
                return
            if task != before:
                pause, before, changed = FIRST_POLL_MS, task, self._clock.now()
            elif self._clock.now() - changed >= self._silence_ms:
                raise ModelTimeout(f"remote agent {self._spec.id}: nothing new of its task for too long")
            await self._clock.sleep(pause)
            pause = min(pause * 2, LONGEST_POLL_MS)
