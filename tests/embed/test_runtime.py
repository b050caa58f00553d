"""Agents in a program of one's own, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from wakeful import Agent, AgentRuntime, AgentSpec, Decision, ModelSpec, tool
from wakeful.contracts.errors import BadRequest, ConfigurationError, Conflict, NotFound
from wakeful.contracts.event import RunAccepted, RunFinished, RunWaiting, TextDelta
from wakeful.providers.scripted import ScriptedProvider, call


@pytest.fixture
async def demo() -> AsyncIterator[AgentRuntime]:
    """One agent with a tool that asks first."""
    sent: list[str] = []

    @tool(approval=True)
    def send_email(to: str, body: str) -> dict[str, Any]:
        """Send an email."""
        sent.append(to)
        return {"sent": len(sent), "to": to, "body": body}

    async with AgentRuntime(agents=[Agent("assistant", model="demo:offline", tools=[send_email])]) as runtime:
        yield runtime


async def test_a_run_returns_when_it_rests(demo: AgentRuntime):
    result = await demo.run("assistant", "hello", thread_id="t", run_id="r")

    assert (result.run.id, result.run.thread_id, result.run.status) == ("r", "t", "completed")
    assert result.text.startswith('You said "hello"')
    assert [message.role for message in result.messages] == ["assistant"]
    assert result.interrupts == ()


async def test_a_thread_remembers(demo: AgentRuntime):
    first = await demo.run("assistant", "hello", thread_id="t")
    second = await demo.run("assistant", "count to 3", thread_id="t")

    assert first.run.thread_key == second.run.thread_key
    assert second.text == "1 2 3"


async def test_a_stream_yields_every_event_until_the_run_rests(demo: AgentRuntime):
    events = [event async for event in demo.stream("assistant", "count to 3")]

    assert isinstance(events[0], RunAccepted)
    assert isinstance(events[-1], RunFinished)
    assert "".join(event.delta for event in events if isinstance(event, TextDelta)) == "1 2 3"


async def test_a_message_sent_returns_at_once_and_says_who_will_answer(demo: AgentRuntime):
    first = await demo.send("assistant", "count to 5 every 20 ms", thread_id="t")
    queued = await demo.send("assistant", "hello", thread_id="t")

    better = await demo.run("assistant", "count to 3", thread_id="t")

    assert (first.effect, queued.effect) == ("started", "queued")
    assert better.text == "1 2 3"


async def test_a_message_can_interrupt_what_a_thread_does(demo: AgentRuntime):
    endless = await demo.send("assistant", "count to 1000 every 100 ms", thread_id="t")

    await demo.send("assistant", "hello", thread_id="t", mode="interrupt")
    result = await demo.run("assistant", "count to 3", thread_id="t")

    assert result.text == "1 2 3"
    assert (await demo.cancel(endless.run.id)).stop_reason == "superseded"


async def test_leaving_a_stream_does_not_stop_the_run(demo: AgentRuntime):
    stream = demo.stream("assistant", "count to 10 every 5 ms", thread_id="t", run_id="r")
    await anext(stream)
    await stream.aclose()

    # What comes after it on the thread is answered after it.
    await demo.run("assistant", "hello", thread_id="t")

    run = await demo.inner.store.get_run("default", "r")
    assert run is not None
    assert run.status == "completed"


async def test_a_waiting_run_goes_on_once_it_is_decided(demo: AgentRuntime):
    waiting = await demo.run("assistant", "email bob@example.com hi", run_id="r")

    done = await demo.decide("r", Decision(waiting.interrupts[0].id, approved=True))

    assert waiting.run.status == "waiting"
    assert waiting.text == ""
    assert done.run.status == "completed"
    assert done.text.startswith("I sent the email to bob@example.com")
    assert done.interrupts == ()


async def test_what_follows_a_decision_can_be_streamed(demo: AgentRuntime):
    events = [event async for event in demo.stream("assistant", "email bob@example.com hi", run_id="r")]
    waiting = events[-1]
    assert isinstance(waiting, RunWaiting)

    after = [e async for e in demo.stream_decide("r", Decision(waiting.interrupts[0].id, approved=False))]

    assert isinstance(after[-1], RunFinished)
    assert "did not send" in "".join(event.delta for event in after if isinstance(event, TextDelta))


async def test_a_run_can_be_cancelled(demo: AgentRuntime):
    stream = demo.stream("assistant", "count to 40 every 50 ms", run_id="r")
    events = [await anext(stream)]
    async for event in stream:
        events.append(event)
        if isinstance(event, TextDelta) and event.delta == "1":
            await demo.cancel("r")

    last = events[-1]
    assert isinstance(last, RunFinished)
    assert last.outcome == "cancelled"


@pytest.mark.parametrize("thread", ["a/b", "..", "", "x" * 201])
async def test_ids_are_as_restricted_as_over_http(demo: AgentRuntime, thread: str):
    with pytest.raises(BadRequest, match="thread id"):
        await demo.run("assistant", "hello", thread_id=thread)


async def test_what_does_not_exist_raises(demo: AgentRuntime):
    with pytest.raises(NotFound, match="agent not found: nobody"):
        await demo.run("nobody", "hello")
    with pytest.raises(NotFound, match="run not found: r"):
        await demo.cancel("r")
    with pytest.raises(NotFound, match="run not found: r"):
        await demo.decide("r", Decision("x", approved=True))


async def test_a_run_id_in_use_by_another_request_raises(demo: AgentRuntime):
    await demo.run("assistant", "hello", thread_id="t", run_id="r")

    with pytest.raises(Conflict):
        await demo.run("assistant", "bye", thread_id="t", run_id="r")


async def test_a_runtime_starts_with_its_first_run():
    runtime = AgentRuntime(agents=[Agent("a", model="demo:offline")])

    result = await runtime.run("a", "count to 2")

    await runtime.inner.stop()
    assert result.text == "1 2"


async def test_many_runs_side_by_side(demo: AgentRuntime):
    results = await asyncio.gather(*(demo.run("assistant", f"count to {number}") for number in range(1, 33)))

    assert [result.text.split()[-1] for result in results] == [str(number) for number in range(1, 33)]


async def test_a_file_keeps_threads_for_the_next_process(tmp_path: Any):
    store = f"sqlite:///{tmp_path / 'agents.db'}"
    async with AgentRuntime(agents=[Agent("a", model="demo:offline")], store=store) as first:
        await first.run("a", "hello", thread_id="t", run_id="r")

    async with AgentRuntime(agents=[Agent("a", model="demo:offline")], store=store) as second:
        run = await second.inner.store.get_run("default", "r")
        assert run is not None
        messages = await second.inner.store.history(run.thread_key)

    assert [message.role for message in messages] == ["user", "assistant"]


async def test_models_and_providers_of_ones_own():
    @tool
    def lucky() -> int:
        """A lucky number."""
        return 7

    provider = ScriptedProvider([[call("lucky")], "It is 7."], name="mine")
    runtime = AgentRuntime(
        agents=[AgentSpec(id="a", model="fast", tools=("lucky",))],
        tools=[lucky],
        models=[ModelSpec(id="fast", provider="mine", name="small")],
        providers=[provider],
    )
    async with runtime:
        result = await runtime.run("a", "my lucky number?")

    assert result.text == "It is 7."
    assert {request.model for request in provider.requests} == {"small"}


def double() -> Agent:
    return Agent("a", model="demo:offline")


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"agents": [double(), double()]}, "two agents with the id 'a'"),
        ({"agents": [AgentSpec(id="a", model="demo:x", tools=("hammer",))]}, "agent 'a': unknown tools: hammer"),
        ({"agents": [AgentSpec(id="a", model="demo:x", delegates=("b",))]}, "agent 'a': unknown agent in delegates: b"),
        ({"agents": [AgentSpec(id="a", model="demo:x", delegates=("a",))]}, "'a' is also the name of the agent itself"),
        (
            {"agents": [AgentSpec(id="a", model="demo:x", delegates=("b c",)), AgentSpec(id="b c", model="demo:x")]},
            "delegate 'b c' cannot be a tool name",
        ),
        ({"agents": [AgentSpec(id="a", model="nonsense")]}, "agent 'a': unknown model 'nonsense'"),
        ({"agents": [AgentSpec(id="a", model="acme:x")]}, "built-in providers: openai, openai-responses, anthropic"),
        ({"agents": [double()], "store": "mysql://x"}, "expected a store URL"),
        (
            {"agents": [double()], "models": [ModelSpec(id="m", provider="demo", name="x")] * 2},
            "two models with the id 'm'",
        ),
    ],
)
def test_parts_that_do_not_fit_together_are_refused_at_once(parts: dict[str, Any], message: str):
    with pytest.raises(ConfigurationError) as caught:
        AgentRuntime(**parts)

    assert message in caught.value.message
