"""The backend behind a tool that is called from outside: one step, one call, no words of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import msgspec

from wakeful.contracts.backend import BackendChunk, Memory, Turn
from wakeful.contracts.event import ToolCallDelta, ToolCallProposed
from wakeful.contracts.message import DataPart, Message
from wakeful.contracts.model import ReplyFinished
from wakeful.contracts.run import Run
from wakeful.contracts.spec import AgentSpec

PREFIX = "tool:"
"""What the ids of callers begin with; the tool's name follows."""


def caller_of(tool: str, description: str) -> AgentSpec:
    """The agent that makes one call of a tool: its input is a data part with the arguments."""
    return AgentSpec(id=f"{PREFIX}{tool}", description=description, tools=(tool,), max_steps=1)


class ToolCaller:
    """Proposes the call that the run's input describes; the engine asks, runs and records it like a model's call."""

    def __init__(self, tool: str) -> None:
        self._tool = tool

    @property
    def name(self) -> str:
        """What replies say made them."""
        return "tool"

    async def stream(self, turn: Turn) -> AsyncGenerator[list[BackendChunk]]:
        """The call in the first step; nothing in a later one."""
        asked = _arguments(turn.history[-1]) if turn.history else None
        if asked is None:
            yield [ReplyFinished("stop")]
            return
        call_id = f"call-{turn.run.id}"
        yield [
            ToolCallProposed(call_id, self._tool),
            ToolCallDelta(call_id, msgspec.json.encode(asked).decode()),
            ReplyFinished("tool_calls"),
        ]

    async def abandon(self, run: Run, memory: Memory) -> None:
        """Nothing goes on elsewhere."""

    async def aclose(self) -> None:
        """Nothing to release."""


def _arguments(message: Message) -> object:
    found = [part.data for part in message.parts if isinstance(part, DataPart)]
    return found[-1] if message.role == "user" and found else None
