from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakeful.contracts.errors import ModelError
from wakeful.contracts.event import TextDelta
from wakeful.contracts.managed import ModelPoolSpec, PoolMember
from wakeful.contracts.message import Message, ReasoningPart, ReplyInfo, TextPart
from wakeful.contracts.model import ModelChunk, ModelRequest, ReplyFinished
from wakeful.contracts.model_errors import (
    ContextOverflow,
    ModelUnauthorised,
    ModelUnavailable,
    Overloaded,
    RateLimited,
)
from wakeful.contracts.spec import ModelSpec
from wakeful.pools.homes import homes_of
from wakeful.pools.pool import Model, Pool
from wakeful.testing.clock import FakeClock


class Vendor:
    """Answers with its name, or fails as it is told: before the first word or after it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fails: ModelError | None = None
        self.fails_later: ModelError | None = None
        self.requests: list[ModelRequest] = []

    async def stream(self, request: ModelRequest) -> AsyncGenerator[list[ModelChunk]]:
        self.requests.append(request)
        if self.fails:
            raise self.fails
        yield [TextDelta(self.name)]
        if self.fails_later:
            raise self.fails_later
        yield [ReplyFinished("stop")]

    async def aclose(self) -> None:
        """Nothing to release."""


class House:
    """A pool of the models a, b and c, of a vendor each."""

    def __init__(self, **options: object) -> None:
        self.clock = FakeClock()
        self.vendors = {name: Vendor(name) for name in "abc"}
        members = options.pop("members", tuple(PoolMember(model=name) for name in "abc"))
        spec = ModelPoolSpec.model_validate({"id": "pool", "home": "first", "members": members, **options})
        models = {
            name: Model(vendor, ModelSpec(id=name, provider=name, name=f"{name}-1", max_output_tokens=7))
            for name, vendor in self.vendors.items()
        }
        self.pool = Pool(spec, models, self.clock)

    async def ask(self, thread: str = "t", run: str = "r", *messages: Message) -> list[ModelChunk]:
        request = ModelRequest(model="pool", instructions="", messages=messages, thread_id=thread, run_id=run)
        async with aclosing(self.pool.stream(request)) as batches:
            return [chunk async for batch in batches for chunk in batch]

    async def says(self, thread: str = "t", run: str = "r") -> str:
        """Who answers."""
        return "".join(chunk.delta for chunk in await self.ask(thread, run) if isinstance(chunk, TextDelta))


async def test_the_model_at_home_answers_under_its_own_name() -> None:
    house = House()

    text, finished = await house.ask()

    assert text == TextDelta("a")
    assert finished == ReplyFinished("stop", model="a-1", provider="a")
    [request] = house.vendors["a"].requests
    assert (request.model, request.settings.max_output_tokens) == ("a-1", 7)


@pytest.mark.parametrize(
    "error", [Overloaded("full"), ModelUnavailable("down"), RateLimited("quota"), ModelUnauthorised("key")]
)
async def test_one_that_cannot_answer_gives_way_before_anything_is_shown(error: ModelError) -> None:
    house = House()
    house.vendors["a"].fails = error

    assert await house.says() == "b"


async def test_a_request_nobody_could_take_is_raised_at_once() -> None:
    house = House()
    house.vendors["a"].fails = ContextOverflow("too long")

    with pytest.raises(ContextOverflow):
        await house.says()

    assert house.vendors["b"].requests == []
    house.vendors["a"].fails = None
    assert await house.says() == "a"


async def test_one_that_fails_in_mid_reply_is_not_followed_by_another_until_it_is_asked_again() -> None:
    house = House()
    house.vendors["a"].fails_later = ModelUnavailable("dropped")

    with pytest.raises(ModelUnavailable):
        await house.says()
    assert house.vendors["b"].requests == []

    assert await house.says() == "b"
    house.vendors["a"].fails_later = None
    assert await house.says() == "a"


async def test_a_short_pause_the_vendor_asks_for_may_be_waited_out() -> None:
    house = House(quota_patience_seconds=2)
    house.vendors["a"].fails = RateLimited("slow down", retry_after_ms=1500)

    with pytest.raises(RateLimited):
        await house.says()

    house.vendors["a"].fails = RateLimited("slow down", retry_after_ms=2000)
    assert await house.says("another") == "b"


async def test_after_failures_in_a_row_a_model_is_left_alone_and_then_tried_by_one_call() -> None:
    house = House(breaker_failures=2, breaker_seconds=10)
    house.vendors["a"].fails = Overloaded("full")
    for _ in range(3):
        assert await house.says() == "b"
    assert len(house.vendors["a"].requests) == 2

    house.clock.advance(9_999)
    await house.says()
    assert len(house.vendors["a"].requests) == 2

    house.clock.advance(1)
    await house.says()
    await house.says()
    assert len(house.vendors["a"].requests) == 3

    house.clock.advance(10_000)
    house.vendors["a"].fails = None
    assert await house.says() == "a"
    assert await house.says() == "a"


async def test_while_one_call_tries_a_model_others_go_elsewhere() -> None:
    house = House(breaker_failures=1, breaker_seconds=1)
    house.vendors["a"].fails = Overloaded("full")
    await house.says()
    house.vendors["a"].fails = None
    house.clock.advance(1000)
    trying = house.pool.stream(ModelRequest(model="pool", instructions="", messages=(), thread_id="x"))
    await anext(trying)

    assert await house.says() == "b"
    await trying.aclose()

    assert await house.says() == "a"


async def test_a_success_forgets_earlier_failures() -> None:
    house = House(breaker_failures=2)
    for _ in range(4):
        house.vendors["a"].fails = Overloaded("full")
        await house.says()
        house.vendors["a"].fails = None
        assert await house.says() == "a"


async def test_a_model_whose_key_is_wrong_is_not_asked_again() -> None:
    house = House()
    house.vendors["a"].fails = ModelUnauthorised("a has no key")
    await house.says()
    house.clock.advance(10**9)

    assert await house.says() == "b"
    assert len(house.vendors["a"].requests) == 1


async def test_when_all_failed_lately_the_next_try_has_a_time() -> None:
    house = House(breaker_failures=1, breaker_seconds=5)
    for vendor in house.vendors.values():
        vendor.fails = Overloaded("full")
    with pytest.raises(Overloaded):
        await house.says()
    house.clock.advance(1000)

    with pytest.raises(ModelUnavailable) as refused:
        await house.says()

    assert refused.value.retry_after_ms == 4000


async def test_when_no_key_works_the_reasons_are_named() -> None:
    house = House()
    for name, vendor in house.vendors.items():
        vendor.fails = ModelUnauthorised(f"{name} has no key")
    with pytest.raises(ModelUnauthorised):
        await house.says()

    with pytest.raises(ModelUnauthorised, match="a has no key; b has no key; c has no key"):
        await house.says()


async def test_a_spare_is_asked_last() -> None:
    members = (PoolMember(model="a", role="spare"), PoolMember(model="b"), PoolMember(model="c"))
    house = House(members=members)

    assert await house.says() == "b"
    house.vendors["b"].fails = house.vendors["c"].fails = Overloaded("full")
    assert await house.says() == "a"


async def test_turns_go_round_and_a_conversation_keeps_its_turn() -> None:
    house = House(home="round_robin")

    assert [await house.says(thread) for thread in ("x", "y", "z", "w", "y")] == ["a", "b", "c", "a", "b"]


async def test_what_is_kept_is_the_thread_or_the_run() -> None:
    by_run = House(home="round_robin", sticky="run")

    assert [await by_run.says("t", run) for run in ("1", "2", "1")] == ["a", "b", "a"]


async def test_reasoning_of_another_vendor_is_not_sent() -> None:
    house = House()
    thought = ReasoningPart("hm", signature="x", provider="pool")
    foreign = Message("1", "assistant", (thought, TextPart("yes")), 1, reply=ReplyInfo("b-1", "b"))
    own = Message("2", "assistant", (thought, TextPart("no")), 1, reply=ReplyInfo("a-1", "a"))

    await house.ask("t", "r", foreign, own)

    [request] = house.vendors["a"].requests
    assert [message.parts for message in request.messages] == [(TextPart("yes"),), own.parts]


async def test_weights_share_conversations_out_and_every_process_agrees() -> None:
    members = (PoolMember(model="a", weight=3), PoolMember(model="b", weight=1))
    homes = Counter(homes_of("weighted").order(f"t{i}", members)[0].model for i in range(4000))

    assert 2800 < homes["a"] < 3200
    assert all(homes_of("weighted").order("t", members) == homes_of("weighted").order("t", members) for _ in range(3))


@given(st.sets(st.text(min_size=1, max_size=3), min_size=2, max_size=6), st.text(max_size=5))
def test_a_member_that_goes_moves_only_its_own_conversations(names: set[str], conversation: str) -> None:
    members = [PoolMember(model=f"m{name}") for name in sorted(names)]
    order = homes_of("weighted").order(conversation, members)

    for gone in members:
        rest = [member for member in members if member != gone]
        assert homes_of("weighted").order(conversation, rest) == [member for member in order if member != gone]


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ([{"model": "a"}, {"model": "a"}], "twice"),
        ([{"model": "a", "role": "spare"}], "no spare"),
        ([], "at least 1"),
        ([{"model": "a", "weight": 0}], "greater than 0"),
    ],
)
def test_a_pool_that_makes_no_sense_is_refused(members: list[object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        ModelPoolSpec.model_validate({"id": "pool", "members": members})
