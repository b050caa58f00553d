"""Agents that ask in words: one whose tool does, and one of code alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from wakeful import (
    Agent,
    AgentRequest,
    AgentRuntime,
    Artifact,
    AskUser,
    Data,
    Status,
    ToolContext,
    ToolQuestion,
    agent,
    tool,
)


@tool
async def book(context: ToolContext) -> str:
    """Book a journey; asks two things before it does."""
    answer = context.answer
    if answer is None:
        raise ToolQuestion("When?", schema={"type": "string", "minLength": 3}, resume="when")
    if answer.resume == "when":
        raise ToolQuestion("Window or aisle?", resume=f"{answer.output} at the")
    return f"{answer.resume} {answer.output}"


@agent("planner")
async def planner(request: AgentRequest) -> AsyncIterator[Any]:
    """Plans a journey, by code alone."""
    if "day" not in request.answers:
        yield Status("looking at the calendar")
        yield AskUser("Which day?", key="day", schema={"type": "string", "minLength": 3})
    yield f"You leave on {request.answers['day']}."
    yield Data({"to": request.text}, "journey")
    yield Artifact("plan", "First ", name="Plan")
    yield Status("writing")
    yield Artifact("plan", "the train", append=True)
    yield Artifact("plan", {"stops": 2}, append=True, last=True)


runtime = AgentRuntime(agents=[Agent("booker", model="demo:offline", tools=[book]), planner])
