"""What a server promises of its results: kept, broken, or promised by a schema that nobody can afford to judge by."""

from __future__ import annotations

from typing import Any

import pytest
from tests.plugins.mcp.conftest import called, connected, hostile

from wakeful.contracts.errors import ToolError
from wakeful.plugins.mcp.schemas import MAX_EXPANSION, MAX_WORK, result_check


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"properties": {"a": {}}}
    for _ in range(levels):
        schema = {"allOf": [schema, {"type": "object"}], "unevaluatedProperties": False}
    return schema


async def test_a_result_that_is_what_was_promised_is_the_result():
    async with connected(hostile("promised")) as source:
        assert await called(source.tools["mcp__bad__honest"], {"give": {"n": 3}}) == {"n": 3}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({"give": {"n": "three"}}, "n: .*integer"), ({"give": {}}, "required"), ({}, "no structured content")],
)
async def test_a_result_that_is_not_what_was_promised_fails_its_call_and_says_how(arguments: Any, words: str):
    async with connected(hostile("promised")) as source:
        with pytest.raises(ToolError, match=f"made the call, but .* outputSchema: .*{words}"):
            await called(source.tools["mcp__bad__honest"], arguments)


async def test_a_call_that_failed_promises_nothing():
    async with connected(hostile("promised")) as source:
        with pytest.raises(ToolError, match=r"^words$"):
            await called(source.tools["mcp__bad__honest"], {"fail": True})


@pytest.mark.parametrize("name", ["fetches", "recursive", "bomb", "deep", "nonsense"])
async def test_a_promise_nobody_can_judge_is_none(name: str):
    async with connected(hostile("promised")) as source:
        assert await called(source.tools[f"mcp__bad__{name}"], {"give": {"n": "three"}}) == {"n": "three"}


@pytest.mark.parametrize(
    "schema",
    [
        None,
        {},
        {"$ref": "http://127.0.0.1:9/x"},
        {"$dynamicRef": "#x"},
        {"pattern": "(?=a)b"},
        {"pattern": "(a{1000}){1000}"},
        {"type": "object", "description": "x" * 100_000, "required": ["n"]},
        {"required": ["n"], "anyOf": [{}] * (MAX_EXPANSION + 1)},
        nested(40),
    ],
)
def test_a_schema_out_of_bounds_judges_nothing(schema: Any):
    assert result_check(schema)({"anything": 1}) is None


def test_a_pattern_that_would_backtrack_is_matched_in_linear_time_and_refuses():
    misfit = result_check({"type": "string", "pattern": "^(a+)+$"})("a" * 100_000 + "b")

    assert misfit is not None
    assert len(misfit) < 1000


def test_a_result_too_large_to_be_judged_is_not_judged():
    check = result_check({"type": "integer"})

    assert check("x") is not None
    assert check("x" * MAX_WORK) is None


def test_nested_unevaluated_keywords_count_for_what_they_cost():
    assert result_check(nested(2))({"b": 1}) is not None
    assert result_check(nested(18))({"b": 1}) is None
