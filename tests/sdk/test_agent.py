"""What an `Agent` holds, and which mistakes it refuses."""

from __future__ import annotations

import inspect
import math
from typing import Any

import pytest

from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.spec import AgentSpec, Endpoint
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
        "endpoint": None,
        "instructions": "i",
        "description": "d",
        "delegates": ("other",),
        "handoffs": ("third",),
        "max_steps": 2,
        "max_output_tokens": 3,
        "temperature": 0.5,
        "reasoning_effort": "low",
        "max_retries": 0,
        "max_tokens": 4,
        "max_seconds": 5.5,
        "max_cost": 0.25,
        "max_tool_errors": 6,
        "max_repeats": 7,
        "stop_on_tools": ("submit",),
        "stop_on_text": r"\bDONE\b",
        "max_tool_output_bytes": 4096,
        "question_timeout_seconds": 60,
    }

    spec = Agent(**written).spec.model_dump()

    assert spec == {**written, "tools": ()}


def test_values_out_of_range_are_refused_by_name():
    with pytest.raises(ConfigurationError, match=r"agent 'helper': max_steps: .*; temperature: "):
        Agent("helper", model="m", max_steps=0, temperature=9)


@pytest.mark.parametrize("pattern", ["(", "(?=x)", r"(a)\1", r"(\w{1000}){1000}", ""])
def test_a_stop_pattern_that_cannot_be_matched_in_linear_time_is_refused(pattern: str):
    with pytest.raises(ConfigurationError, match=r"agent 'helper': stop_on_text: "):
        Agent("helper", model="m", stop_on_text=pattern)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_tokens": 0},
        {"max_seconds": 0},
        {"max_seconds": math.inf},
        {"max_cost": -1},
        {"max_cost": math.nan},
        {"max_tool_errors": 0},
        {"max_repeats": 1},
        {"stop_on_tools": [" "]},
        {"max_tool_output_bytes": 255},
        {"question_timeout_seconds": 0},
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(wrong: dict[str, Any]):
    with pytest.raises(ConfigurationError, match=f"agent 'helper': {next(iter(wrong))}"):
        Agent("helper", model="m", **wrong)


def test_a_blank_id_is_refused():
    with pytest.raises(ConfigurationError, match="id: "):
        Agent(" ", model="m")


def test_two_tools_of_one_name_are_refused():
    with pytest.raises(ConfigurationError, match=r"agent 'helper' has several tools named search"):
        Agent("helper", model="m", tools=[search, add, tool(add, name="search")])


def test_an_agent_shows_what_it_is():
    assert repr(Agent("helper", model="m", tools=[add])) == "Agent('helper', model='m', tools=['add'])"


def test_an_agent_elsewhere_needs_no_more_than_its_address():
    spec = Agent("remote", endpoint="https://example.com/agents").spec

    assert spec.endpoint == Endpoint(url="https://example.com/agents")
    assert spec.model is None


def test_a_model_and_an_endpoint_together_are_refused():
    with pytest.raises(ConfigurationError, match="not both"):
        Agent("both", model="demo:x", endpoint="https://example.com")
