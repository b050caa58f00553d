"""Runs whose model is a pool: nothing is shown twice, and the log says who answered."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.event import ModelCallFinished, RetryScheduled, StepRestarted, TextDelta
from wakeful.contracts.managed import ModelPoolSpec, PoolMember
from wakeful.contracts.model import ModelChunk, ModelRequest, ReplyFinished
from wakeful.contracts.model_errors import ModelUnavailable, Overloaded
from wakeful.embed import AgentRuntime
from wakeful.sdk.agent import Agent
from wakeful.testing.clock import FakeClock

POOL = ModelPoolSpec(id="any", home="first", members=(PoolMember(model="red:large"), PoolMember(model="blue:large")))


class Vendor:
    """Says its name; `fails` says after how many words its first reply breaks off."""

    def __init__(self, name: str, fails: int | None = None) -> None:
        self.name = name
        self.fails = fails

    async def stream(self, _: ModelRequest) -> AsyncGenerator[list[ModelChunk]]:
        fails, self.fails = self.fails, None
        for i, word in enumerate(("I ", "am ", self.name)):
            if i == fails:
                raise Overloaded("full") if i == 0 else ModelUnavailable("dropped")
            yield [TextDelta(word)]
        yield [ReplyFinished("stop")]

    async def aclose(self) -> None:
        """Nothing to release."""


class Impatient(FakeClock):
    """Whoever sleeps wakes at once."""

    async def sleep(self, milliseconds: int) -> None:
        await super().sleep(0)


async def talk(red: Vendor) -> tuple[str, list[object]]:
    """What the thread has in the end, and what was shown."""
    agent = Agent("assistant", model="any")
    async with AgentRuntime(
        agents=[agent], pools=[POOL], providers=[red, Vendor("blue")], clock=Impatient()
    ) as runtime:
        shown: list[object] = [event async for event in runtime.stream("assistant", "Who are you?", run_id="r")]
        result = await runtime.run("assistant", "Again?", thread_id="other")
        assert result.text
    return "".join(event.delta for event in shown if isinstance(event, TextDelta)), shown


@pytest.mark.proves("K06")
async def test_a_model_that_is_away_gives_way_without_a_trace() -> None:
    text, shown = await talk(Vendor("red", fails=0))

    assert text == "I am blue"
    [finished] = [event for event in shown if isinstance(event, ModelCallFinished)]
    assert (finished.provider, finished.model) == ("blue", "large")
    assert not [event for event in shown if isinstance(event, RetryScheduled | StepRestarted)]


@pytest.mark.proves("K06")
async def test_a_model_that_drops_in_mid_reply_has_its_text_taken_back_before_another_answers() -> None:
    text, shown = await talk(Vendor("red", fails=2))

    kinds = [type(event) for event in shown if isinstance(event, TextDelta | StepRestarted)]
    assert kinds == [TextDelta, TextDelta, StepRestarted, TextDelta, TextDelta, TextDelta]
    assert text == "I am I am blue"
    [finished] = [event for event in shown if isinstance(event, ModelCallFinished)]
    assert finished.provider == "blue"


@pytest.mark.parametrize(
    ("pool", "problem"),
    [
        (ModelPoolSpec(id="any", members=(PoolMember(model="green:x"),)), "needs provider 'green'"),
        (ModelPoolSpec(id="any", members=(PoolMember(model="any"),)), "unknown model 'any'"),
        (ModelPoolSpec(id="red", members=(PoolMember(model="blue:x"),)), "has that id"),
    ],
)
def test_a_pool_of_models_that_are_not_there_is_refused(pool: ModelPoolSpec, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        AgentRuntime(agents=[], pools=[pool], providers=[Vendor("red"), Vendor("blue")])
