"""What each of two servers serves: agents that hand work to the other server's, as their messages say.

`ask bob: ask carol: hello` is handed to the delegate `bob` with the message `ask carol: hello`; anything else is
answered, but a message that begins with `wait` only once the test lets it.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncGenerator
from pathlib import Path

import msgspec

from wakeful.contracts.event import TextDelta, ToolCallDelta, ToolCallProposed
from wakeful.contracts.message import ToolResultPart
from wakeful.contracts.model import ModelChunk, ModelRequest, ReplyFinished
from wakeful.contracts.spec import Endpoint
from wakeful.embed import AgentRuntime
from wakeful.sdk.agent import Agent

STORE, GATE, OTHER, HERE, THERE = (
    "RELAYING_STORE",
    "RELAYING_GATE",
    "RELAYING_OTHER",
    "RELAYING_HERE",
    "RELAYING_THERE",
)
LOOK_SECONDS = 0.02


class Relay:
    """The model of all agents here."""

    name = "relay"

    def __init__(self, gate: Path) -> None:
        self._gate = gate

    async def stream(self, request: ModelRequest) -> AsyncGenerator[list[ModelChunk]]:
        last = request.messages[-1]
        results = [part for part in last.parts if isinstance(part, ToolResultPart)]
        asked = re.fullmatch(r"ask (\w+): (.*)", last.text)
        if results:
            yield [TextDelta(f"{request.model} was told: {results[0].output}")]
        elif asked:
            call = f"{request.model}-{len(request.messages)}"
            arguments = msgspec.json.encode({"message": asked[2]}).decode()
            yield [ToolCallProposed(call, asked[1]), ToolCallDelta(call, arguments)]
            yield [ReplyFinished("tool_calls")]
            return
        else:
            await self._let_go(last.text)
            yield [TextDelta(f"{request.model} heard {last.text}")]
        yield [ReplyFinished("stop")]

    async def _let_go(self, text: str) -> None:
        if text.startswith("wait"):
            self._gate.with_suffix(".reached").touch()
            while not self._gate.exists():  # noqa: ASYNC110  the test lets it go
                await asyncio.sleep(LOOK_SECONDS)

    async def aclose(self) -> None:
        """Nothing to release."""


def agents() -> list[Agent]:
    """Those that answer here, and those that answer over there under their own names."""
    here, there = os.environ[HERE].split(), os.environ[THERE].split()
    own = [Agent(name, model=f"relay:{name}", delegates=there) for name in here]
    return [*own, *(Agent(name, endpoint=Endpoint(url=os.environ[OTHER], agent=name)) for name in there)]


if STORE in os.environ:
    runtime = AgentRuntime(agents=agents(), providers=[Relay(Path(os.environ[GATE]))], store=os.environ[STORE])
