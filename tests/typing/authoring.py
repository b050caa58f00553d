"""Checked by pyright alone: what an author's editor knows about decorated functions."""

from __future__ import annotations

from typing import assert_type

from wakeful.contracts.tool import Tool, ToolContext
from wakeful.sdk.agent import Agent
from wakeful.sdk.tool import as_tool, tool


@tool
def add(a: int, b: int = 0) -> int:
    return a + b


@tool(effect="idempotent", approval=True)
async def book(ctx: ToolContext, room: str) -> list[str]:
    return [ctx.idempotency_key, room]


@tool(timeout=30)
def slow() -> None: ...


@tool(frontend=True)
def pick(places: list[str]) -> str: ...


assert_type(pick(["Rome"]), str)
assert_type(add(1, b=2), int)
add("one")  # pyright: ignore[reportArgumentType] - the parameters of the function are still checked

socket: Tool = add
assert_type(as_tool(add), Tool)
Agent("helper", model="m", tools=[add, book, slow, pick, as_tool(len)])
Agent(
    "careful",
    model="m",
    max_steps=8,
    max_tokens=100_000,
    max_seconds=60,
    max_cost=0.5,
    max_tool_errors=3,
    max_repeats=3,
    stop_on_tools=["pick"],
    stop_on_text=r"\bDONE\b",
    max_tool_output_bytes=10_000,
    question_timeout_seconds=3600,
)


async def watch(context: ToolContext) -> None:
    assert_type(await book(context, "blue"), list[str])
