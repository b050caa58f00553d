"""Asks for one reply: streams its chunks into the journal, asks again when that can help."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from dataclasses import dataclass

import msgspec

from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import ModelError
from wakeful.contracts.event import ErrorReport, ModelCallFinished, RetryScheduled, StepRestarted
from wakeful.contracts.journal import Journal
from wakeful.contracts.message import Message, ReplyInfo
from wakeful.contracts.model import ReplyFinished
from wakeful.contracts.model_errors import MalformedReply
from wakeful.contracts.usage import Usage
from wakeful.engine.accumulate import Accumulator, Chunk
from wakeful.engine.assignment import Assignment, BackendSource
from wakeful.engine.source import Attempt

BASE_DELAY_MS = 500
LONGEST_DELAY_MS = 30_000


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete reply and how it ended."""

    message: Message
    finished: ModelCallFinished


class Inference:
    """One model call of one step, with its retries. `partial` tells what had arrived when it was stopped."""

    def __init__(self, assignment: Assignment, journal: Journal, clock: Clock, *, step: int, message_id: str) -> None:
        self._assignment = assignment
        self._journal = journal
        self._clock = clock
        self._step = step
        self._message_id = message_id
        self._reply = self._accumulator()
        source = assignment.source
        self._asked_for = assignment.agent.id if isinstance(source, BackendSource) else source.model

    async def ask(self, begin: Attempt) -> Reply:
        """The reply. Raises the last `ModelError` when asking again cannot help or no retry is left."""
        for attempt in range(1, self._assignment.agent.max_retries + 2):
            try:
                return await self._ask_once(begin)
            except ModelError as error:
                if _being_cancelled():  # whatever else it is, it is how the provider answered that
                    raise asyncio.CancelledError from error
                if not error.retryable or attempt > self._assignment.agent.max_retries:
                    raise
                await self._back_off(attempt, error)
        raise AssertionError("the last attempt returns or raises")

    def partial(self) -> Message | None:
        """The part of an unfinished reply that is worth keeping."""
        return self._reply.partial()

    async def _ask_once(self, begin: Attempt) -> Reply:
        started = self._clock.now()
        reply, journal = self._reply, self._journal
        finished: ReplyFinished | None = None
        async with aclosing(begin()) as batches:
            async for batch in batches:
                said: list[Chunk] = []
                try:
                    for chunk in batch:
                        if isinstance(chunk, ReplyFinished):
                            finished = chunk
                        else:
                            said.append(chunk)
                            reply.add(chunk)
                finally:
                    journal.emit(*said)
                if journal.behind:
                    await journal.flush()
        if finished is None:
            raise MalformedReply("the model's reply ended without saying why; expected a finish reason")
        report = self._finished(finished, self._clock.now() - started)
        info = ReplyInfo(report.model, report.provider, report.usage, report.duration_ms)
        return Reply(msgspec.structs.replace(reply.message(), reply=info), report)

    async def _back_off(self, attempt: int, error: ModelError) -> None:
        delay = retry_delay(attempt, error)
        self._journal.emit(RetryScheduled(attempt, delay, ErrorReport(error.code, error.message)))
        await self._clock.sleep(delay)
        if not self._reply.empty:
            self._journal.emit(StepRestarted(self._step, self._message_id, error.code))
            self._reply = self._accumulator()

    def _accumulator(self) -> Accumulator:
        return Accumulator(
            message_id=self._message_id,
            run_id=self._assignment.run.id,
            step=self._step,
            provider=self._assignment.source.name,
            created_at=self._clock.now(),
        )

    def _finished(self, finished: ReplyFinished, duration: int) -> ModelCallFinished:
        return ModelCallFinished(
            model=finished.model or self._asked_for,
            provider=finished.provider or self._assignment.source.name,
            finish_reason=finished.reason,
            usage=self._priced(finished),
            duration_ms=max(duration, 0),
        )

    def _priced(self, finished: ReplyFinished) -> Usage:
        """The usage with its cost, by the name the vendor reports or else by the one it was asked under."""
        prices, provider = self._assignment.prices, finished.provider or self._assignment.source.name
        for model in dict.fromkeys((finished.model or self._asked_for, self._asked_for)):
            cost = prices.cost(provider, model, finished.usage)
            if cost is not None:
                return msgspec.structs.replace(finished.usage, cost=cost)
        return finished.usage


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def retry_delay(attempt: int, error: ModelError) -> int:
    """Milliseconds before retry `attempt` (from 1): exponential with full jitter, never less than the vendor asks."""
    ceiling = min(BASE_DELAY_MS * 2 ** (attempt - 1), LONGEST_DELAY_MS)
    jittered = ceiling // 2 + random.randrange(ceiling // 2 + 1)  # noqa: S311 - spreads load, protects nothing
    return min(max(jittered, error.retry_after_ms or 0), LONGEST_DELAY_MS)
