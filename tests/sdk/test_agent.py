"""What an `Agent` holds, and which mistakes it refuses."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.spec import AgentSpec
from wakeful.sdk.agent import Agent
from wakeful.sdk.tool import tool


@tool
def search(query: str) -> str:
    return query


def add(a: int, b: int) -> int:
    return a + b


def test_an_agent_holds_its_spec_and_its_tools():
    agent = Agent("helper", model="openai:gpt-5", instructions="Be kind.", tools=[search, add], max_steps=4)

    assert agent.spec == AgentSpec(
        id="helper", model="openai:gpt-5", instructions="Be kind.", tools=("search", "add"), max_steps=4
    )
    assert agent.tools[0] is search
    assert agent.tools[1].spec.name == "add"


def test_every_field_of_the_spec_can_be_written_with_the_same_default():
    parameters = inspect.signature(Agent).parameters

    for name, field in AgentSpec.model_fields.items():
        assert name in parameters
        if not field.is_required():
            assert parameters[name].default == field.default


def test_every_argument_reaches_the_spec():
    written: dict[str, Any] = {
        "id": "helper",
        "model": "m",
        "instructions": "i",
        "description": "d",
        "max_steps": 2,
        "max_output_tokens": 3,
        "temperature": 0.5,
        "reasoning_effort": "low",
        "max_retries": 0,
    }

    spec = Agent(**written).spec.model_dump()

    assert spec == {**written, "tools": ()}


def test_values_out_of_range_are_refused_by_name():
    with pytest.raises(ConfigurationError, match=r"agent 'helper': max_steps: .*; temperature: "):
        Agent("helper", model="m", max_steps=0, temperature=9)


def test_a_blank_id_is_refused():
    with pytest.raises(ConfigurationError, match="id: "):
        Agent(" ", model="m")


def test_two_tools_of_one_name_are_refused():
    with pytest.raises(ConfigurationError, match=r"agent 'helper' has several tools named search"):
        Agent("helper", model="m", tools=[search, add, tool(add, name="search")])


def test_an_agent_shows_what_it_is():
    assert repr(Agent("helper", model="m", tools=[add])) == "Agent('helper', model='m', tools=['add'])"
