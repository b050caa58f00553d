"""Tools that behave as badly as they can, and a model that calls the one it is told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator

from wakeful.contracts.event import TextDelta, ToolCallDelta, ToolCallProposed
from wakeful.contracts.model import ModelChunk, ModelRequest, ReplyFinished
from wakeful.embed import AgentRuntime
from wakeful.sdk.agent import Agent
from wakeful.sdk.tool import tool

MIB = 1024 * 1024


class Doom(BaseException):
    """Not an `Exception`: what catches those does not catch it."""


@tool
async def hang() -> str:
    await asyncio.Event().wait()
    return "never"


@tool
def hang_in_thread() -> str:
    threading.Event().wait()
    return "never"


@tool
async def doom() -> str:
    raise Doom("async")


@tool
def doom_in_thread() -> str:
    raise Doom("in a thread")


@tool
async def leave() -> str:
    raise SystemExit(3)


@tool
def leave_in_thread() -> str:
    raise SystemExit(3)


@tool
async def interrupt() -> str:
    raise KeyboardInterrupt


@tool
def interrupt_in_thread() -> str:
    raise KeyboardInterrupt


@tool
async def flood() -> str:
    return "x" * (50 * MIB)


TOOLS = (hang, hang_in_thread, doom, doom_in_thread, leave, leave_in_thread, interrupt, interrupt_in_thread, flood)


class Obedient:
    """Calls the tool that the last message names, if it names one, and says `done` when there is a result."""

    name = "obedient"

    async def stream(self, request: ModelRequest) -> AsyncGenerator[list[ModelChunk]]:
        """One call, or `done`."""
        asked = request.messages[-1]
        names = [spec.name for spec in request.tools if spec.name == asked.text]
        if asked.role == "user" and names:
            call_id = f"call-{len(request.messages)}"
            yield [ToolCallProposed(call_id, names[0]), ToolCallDelta(call_id, "{}")]
            yield [ReplyFinished("tool_calls")]
        else:
            yield [TextDelta("done")]
            yield [ReplyFinished("stop")]

    async def aclose(self) -> None:
        """Nothing to release."""


agent = Agent("assistant", model="obedient:m", tools=TOOLS)


def hostile_runtime() -> AgentRuntime:
    """A runtime in memory for `wakeful serve`."""
    return AgentRuntime(agents=[agent], providers=[Obedient()])
