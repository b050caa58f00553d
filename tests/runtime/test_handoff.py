"""Hand-off: another agent goes on with the run, and has the conversation from then on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from wakeful import Agent, AgentRequest, AgentRuntime, agent
from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.event import HandedOff
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import TextPart
from wakeful.contracts.model import Provider
from wakeful.contracts.request import InputMessage, RunRequest
from wakeful.contracts.spec import AgentSpec
from wakeful.providers.scripted import Reply, ScriptedProvider, call

PATIENCE = 10


def team(*replies: Reply, **fields: Any) -> tuple[list[Any], Provider]:
    """A front desk that may hand over to an expert, who may hand back."""
    desk = Agent("desk", model="scripted:any", handoffs=["expert"], **fields)
    expert = Agent("expert", model="scripted:any", description="Knows it all.", handoffs=["desk"], **fields)
    return [desk, expert], ScriptedProvider(list(replies))


@pytest.mark.proves("R23")
async def test_the_other_agent_answers_in_the_same_run():
    agents, provider = team(["One moment. ", call("transfer_to_expert")], "It is 42.")
    async with asyncio.timeout(PATIENCE), AgentRuntime(agents=agents, providers=[provider]) as runtime:
        result = await runtime.run("desk", "What is it?")
        log = await runtime.inner.store.read_log(result.run.key, after=0, limit=100)

    assert (result.run.status, result.run.agent_id) == (RunStatus.COMPLETED, "expert")
    assert [message.text for message in result.messages if message.role == "assistant"] == ["One moment. ", "It is 42."]
    assert [entry.event for entry in log.entries if isinstance(entry.event, HandedOff)] == [HandedOff("expert")]


@pytest.mark.proves("R23")
async def test_the_next_message_goes_to_whoever_has_the_conversation():
    agents, provider = team(call("transfer_to_expert"), "It is 42.", "Still 42.")
    async with asyncio.timeout(PATIENCE), AgentRuntime(agents=agents, providers=[provider]) as runtime:
        first = await runtime.run("desk", "What is it?")
        request = RunRequest(thread_id=first.run.thread_id, messages=(InputMessage("user", (TextPart("Sure?"),)),))
        receipt = await runtime.inner.mailbox.submit(first.run.scope, request, origin="test", mode="queue")
        run = await runtime.inner.control.rest(receipt.run, 5000)

    assert (run.agent_id, run.status) == ("expert", RunStatus.COMPLETED)


async def test_each_agent_is_told_of_its_own_tools():
    agents, provider = team(call("transfer_to_expert"), "It is 42.")
    async with asyncio.timeout(PATIENCE), AgentRuntime(agents=agents, providers=[provider]) as runtime:
        await runtime.run("desk", "What is it?")

    assert isinstance(provider, ScriptedProvider)
    asked, then = provider.requests
    assert [(tool.name, tool.description) for tool in asked.tools] == [
        ("transfer_to_expert", "Hand the conversation over to the agent expert: Knows it all.")
    ]
    assert [tool.name for tool in then.tools] == ["transfer_to_desk"]


async def test_agents_that_hand_over_for_ever_come_to_the_limit_of_steps():
    agents, provider = team(*[call("transfer_to_expert"), call("transfer_to_desk")] * 4, max_steps=5)
    async with asyncio.timeout(PATIENCE), AgentRuntime(agents=agents, providers=[provider]) as runtime:
        result = await runtime.run("desk", "What is it?")

    assert (result.run.stop_reason, result.run.steps) == ("max_steps", 5)


async def test_an_agent_of_code_may_take_over():
    @agent("human")
    async def human(request: AgentRequest) -> str:
        return f"You said {request.text!r}."

    desk = Agent("desk", model="scripted:any", handoffs=["human"])
    provider = ScriptedProvider([call("transfer_to_human")])
    async with asyncio.timeout(PATIENCE), AgentRuntime(agents=[desk, human], providers=[provider]) as runtime:
        result = await runtime.run("desk", "Help!")

    assert result.text == "You said 'Help!'."


@pytest.mark.proves("R23")
async def test_a_process_lost_in_between_hands_over_once_more(house: Any):
    """The step is closed and the hand-off is not written: the next attempt finds it in the thread."""
    house.agents[0] = house.agents[0].model_copy(update={"handoffs": ("expert",)})
    house.agents.append(AgentSpec(id="expert", model="scripted:any"))
    runtime = await house.open(call("transfer_to_expert"))
    house.valve.refused.add("requeue")
    receipt = await house.submit("What is it?")
    await house.valve.called("requeue")
    await house.crash(runtime)
    house.valve.refused.clear()

    await house.open("It is 42.")
    house.outlive_leases()
    await house.events(receipt)

    assert (await house.run(receipt)).agent_id == "expert"
    assert [m.text for m in await house.history(receipt) if m.role == "assistant"] == ["", "It is 42."]


@pytest.mark.parametrize(
    ("handoffs", "problem"),
    [(["nobody"], "unknown agent in handoffs"), (["desk"], "the agent itself"), (["x" * 60], "cannot be a tool name")],
)
def test_a_handoff_that_cannot_be_is_refused(handoffs: list[str], problem: str):
    desk = Agent("desk", model="demo:any", handoffs=handoffs)
    long = Agent("x" * 60, model="demo:any")

    with pytest.raises(ConfigurationError, match=problem):
        AgentRuntime(agents=[desk, long])
