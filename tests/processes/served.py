"""What the processes serve: the demo's agent, and two whose words wait until the test lets them go."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from wakeful.bootstrap.demo import demo_agents
from wakeful.contracts.event import TextDelta, ToolCallDelta, ToolCallProposed
from wakeful.contracts.message import Message
from wakeful.contracts.model import ModelChunk, ModelRequest, ReplyFinished
from wakeful.embed import AgentRuntime
from wakeful.sdk.agent import Agent
from wakeful.sdk.tool import tool

STORE, GATES = "PROCESSES_STORE", "PROCESSES_GATES"
LOOK_SECONDS = 0.02


class Stepper:
    """Told `step to 3 as red`, it says 1, 2 and 3: each once a file of that name, such as `red-2`, is there.

    When it is cancelled it leaves a file itself, `red-cancelled-` and the number of its process.
    """

    name = "stepper"

    def __init__(self, gates: Path) -> None:
        self._gates = gates

    async def stream(self, request: ModelRequest) -> AsyncGenerator[list[ModelChunk]]:
        last, name = told(request.messages)
        for number in range(1, int(last) + 1):
            await self._let_go(name, number)
            yield [TextDelta(f"{number} ")]
        yield [ReplyFinished("stop")]

    async def _let_go(self, name: str, number: int) -> None:
        try:
            while not (self._gates / f"{name}-{number}").exists():  # noqa: ASYNC110  another process lets it go
                await asyncio.sleep(LOOK_SECONDS)
        except asyncio.CancelledError:
            (self._gates / f"{name}-cancelled-{os.getpid()}").touch()
            raise

    async def aclose(self) -> None:
        """Nothing to release."""


class Launcher(Stepper):
    """A stepper that launches something first. It says half of that, and the other half once `red-0` is there."""

    name = "launcher"

    async def stream(self, request: ModelRequest) -> AsyncGenerator[list[ModelChunk]]:
        if request.messages[-1].role == "tool":
            async for chunks in super().stream(request):
                yield chunks
            return
        _, name = told(request.messages)
        yield [TextDelta("I would like ")]
        await self._let_go(name, 0)
        yield [TextDelta("to launch. "), ToolCallProposed("call-1", "launch")]
        yield [ToolCallDelta("call-1", f'{{"name":"{name}"}}'), ReplyFinished("tool_calls")]


def told(messages: Sequence[Message]) -> tuple[str, str]:
    """How far the user wants to go, and under what name."""
    asked = next(message.text for message in reversed(messages) if message.role == "user")
    return re.findall(r"step to (\d+) as (\w+)", asked)[0]


@tool(approval=True)
def launch(name: str) -> dict[str, str]:
    """Launch something, and leave a line in the file `launched`.

    Args:
        name: What to launch.
    """
    with (Path(os.environ[GATES]) / "launched").open("a") as book:
        book.write(f"{name}\n")
    return {"launched": name}


if STORE in os.environ:
    gates = Path(os.environ[GATES])
    runtime = AgentRuntime(
        agents=[
            *demo_agents(),
            Agent("stepper", model="stepper:slow"),
            Agent("launcher", model="launcher:slow", tools=[launch]),
        ],
        providers=[Stepper(gates), Launcher(gates)],
        store=os.environ[STORE],
    )
