"""What the processes serve: the demo's agent, and one whose words wait until the test lets them go."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncGenerator
from pathlib import Path

from wakeful.bootstrap.demo import demo_agents
from wakeful.contracts.event import TextDelta
from wakeful.contracts.message import TextPart
from wakeful.contracts.model import ModelChunk, ModelRequest, ReplyFinished
from wakeful.embed import AgentRuntime
from wakeful.sdk.agent import Agent

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
        asked = [part.text for part in request.messages[-1].parts if isinstance(part, TextPart)]
        last, name = re.findall(r"step to (\d+) as (\w+)", asked[0])[0]
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


if STORE in os.environ:
    runtime = AgentRuntime(
        agents=[*demo_agents(), Agent("stepper", model="stepper:slow")],
        providers=[Stepper(Path(os.environ[GATES]))],
        store=os.environ[STORE],
    )
