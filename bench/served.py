"""What the measured servers serve: an agent whose model is the scripted server, and one that needs no other process."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import AsyncGenerator

from wakeful.contracts.event import TextDelta
from wakeful.contracts.message import TextPart
from wakeful.contracts.model import ModelChunk, ModelRequest, ReplyFinished
from wakeful.embed import AgentRuntime
from wakeful.sdk.agent import Agent
from wakeful.sdk.tool import tool

STORE = "BENCH_STORE"


class Metronome:
    """Told `say 5 every 20 ms`, it says five words, each `<nanoseconds>;` of the machine's monotonic clock."""

    name = "metronome"

    async def stream(self, request: ModelRequest) -> AsyncGenerator[list[ModelChunk]]:
        asked = next(part.text for part in request.messages[-1].parts if isinstance(part, TextPart))
        words, pause = re.findall(r"say (\d+) every (\d+) ms", asked)[0]
        for _ in range(int(words)):
            await asyncio.sleep(int(pause) / 1000)
            yield [TextDelta(f"{time.monotonic_ns()};")]
        yield [ReplyFinished("stop")]

    async def aclose(self) -> None:
        """Nothing to release."""


@tool(effect="pure")
def look_up(city: str) -> dict[str, str]:
    """Look something up.

    Args:
        city: Where.
    """
    return {"city": city, "weather": "fine"}


@tool(approval=True)
def send_letter(city: str) -> dict[str, str]:
    """Send a letter; somebody approves first.

    Args:
        city: Where to.
    """
    return {"sent": city}


def agents() -> list[Agent]:
    """`bench` has its words from the scripted model server, `metronome` from this process."""
    return [
        Agent("bench", model="openai:scripted", tools=[look_up, send_letter]),
        Agent("metronome", model="metronome:steady"),
    ]


if STORE in os.environ:
    runtime = AgentRuntime(agents=agents(), providers=[Metronome()], store=os.environ[STORE])
