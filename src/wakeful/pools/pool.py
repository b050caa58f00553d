"""A provider made of others: asks the model at home, and another one where that cannot answer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass

import msgspec

from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import ModelError
from wakeful.contracts.managed import ModelPoolSpec, PoolMember
from wakeful.contracts.message import Message, ReasoningPart
from wakeful.contracts.model import ModelChunk, ModelRequest, Provider, ReplyFinished
from wakeful.contracts.model_errors import ModelNotFound, ModelUnauthorised, ModelUnavailable, RateLimited
from wakeful.contracts.spec import ModelSpec
from wakeful.pools.breaker import Breaker
from wakeful.pools.homes import homes_of

REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Model:
    """A model of a pool, and who serves it."""

    provider: Provider
    spec: ModelSpec


class Pool:
    """Keeps the `Provider` promise with several models.

    One that fails before anything of its reply was shown gives way to the next. One that fails later has its failure
    raised, and the next call of the conversation goes to another. A request that no model could take (too long,
    refused, malformed) is nobody's failure and is raised at once.
    """

    def __init__(self, spec: ModelPoolSpec, models: Mapping[str, Model], clock: Clock) -> None:
        self._spec = spec
        self._models = models
        self._clock = clock
        self._homes = homes_of(spec.home)
        pause = round(spec.breaker_seconds * 1000)
        self._breakers = {
            member.model: Breaker(clock, failures=spec.breaker_failures, pause_ms=pause) for member in spec.members
        }
        self._left: OrderedDict[str, str] = OrderedDict()

    @property
    def name(self) -> str:
        """The pool's id."""
        return self._spec.id

    async def stream(self, request: ModelRequest) -> AsyncGenerator[list[ModelChunk]]:
        """Ask the first model that can answer."""
        conversation = request.thread_id if self._spec.sticky == "thread" else request.run_id
        failure: ModelError | None = None
        for member in self._candidates(conversation):
            shown = False
            breaker = self._breakers[member.model]
            breaker.begin()
            try:
                async with aclosing(self._ask(member, request)) as batches:
                    async for batch in batches:
                        shown = True
                        yield batch
            except ModelError as error:
                self._judge(breaker, error)
                if shown:
                    self._leave(conversation, member)
                if shown or not self._gives_way(error):
                    raise
                failure = error
            except BaseException:
                breaker.leave()
                raise
            else:
                breaker.succeed()
                self._left.pop(conversation, None)
                return
        raise failure or self._nobody()

    async def aclose(self) -> None:
        """Nothing of its own to release."""

    async def _ask(self, member: PoolMember, request: ModelRequest) -> AsyncGenerator[list[ModelChunk]]:
        model = self._models[member.model]
        limit = request.settings.max_output_tokens or model.spec.max_output_tokens
        settings = msgspec.structs.replace(request.settings, max_output_tokens=limit)
        messages = [_without_foreign_reasoning(message, model.provider.name) for message in request.messages]
        asked = msgspec.structs.replace(request, model=model.spec.name, messages=messages, settings=settings)
        async with aclosing(model.provider.stream(asked)) as batches:
            async for batch in batches:
                yield [_signed(chunk, model) if isinstance(chunk, ReplyFinished) else chunk for chunk in batch]

    def _candidates(self, conversation: str) -> Iterator[PoolMember]:
        """Who may be asked, in order: members before spares, and last the one the conversation just left."""
        members = [member for member in self._spec.members if member.role == "member"]
        spares = [member for member in self._spec.members if member.role == "spare"]
        order = [*self._homes.order(conversation, members), *spares]
        left = self._left.get(conversation)
        order.sort(key=lambda member: member.model == left)
        for member in order:
            if self._breakers[member.model].admits():
                yield member

    def _judge(self, breaker: Breaker, error: ModelError) -> None:
        if isinstance(error, (ModelUnauthorised, ModelNotFound)):
            breaker.broken = error.message
        if error.retryable:
            breaker.fail()
        else:
            breaker.leave()

    def _gives_way(self, error: ModelError) -> bool:
        """Whether another model may do better."""
        if isinstance(error, RateLimited):
            return (error.retry_after_ms or 0) >= self._spec.quota_patience_seconds * 1000
        return error.retryable or isinstance(error, (ModelUnauthorised, ModelNotFound))

    def _leave(self, conversation: str, member: PoolMember) -> None:
        self._left[conversation] = member.model
        self._left.move_to_end(conversation)
        if len(self._left) > REMEMBERED:
            self._left.popitem(last=False)

    def _nobody(self) -> ModelError:
        broken = [breaker.broken for breaker in self._breakers.values() if breaker.broken is not None]
        if len(broken) == len(self._breakers):
            return ModelUnauthorised(f"no model of pool {self.name} can be asked: {'; '.join(broken)}")
        soonest = min(one.ready_at for one in self._breakers.values() if one.broken is None)
        wait = max(soonest - self._clock.now(), 0)
        return ModelUnavailable(
            f"all models of pool {self.name} failed lately; they are tried again", retry_after_ms=wait
        )


def _without_foreign_reasoning(message: Message, provider: str) -> Message:
    """Vendors refuse reasoning that another one signed."""
    if message.reply is None or message.reply.provider == provider:
        return message
    kept = tuple(part for part in message.parts if not isinstance(part, ReasoningPart))
    return message if len(kept) == len(message.parts) else msgspec.structs.replace(message, parts=kept)


def _signed(finished: ReplyFinished, model: Model) -> ReplyFinished:
    return msgspec.structs.replace(
        finished, model=finished.model or model.spec.name, provider=finished.provider or model.provider.name
    )
