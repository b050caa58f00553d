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


assert_type(add(1, b=2), int)
add("one")  # pyright: ignore[reportArgumentType] - the parameters of the function are still checked

socket: Tool = add
assert_type(as_tool(add), Tool)
Agent("helper", model="m", tools=[add, book, as_tool(len)])


async def watch(context: ToolContext) -> None:
    assert_type(await book(context, "blue"), list[str])
