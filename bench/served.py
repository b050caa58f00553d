"""What the measured servers serve: a model that says a few words at a pace, each with the time it was said at."""

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

STORE = "BENCH_STORE"


class Metronome:
    """Told `say 5 every 20 ms`, it says five words; `hold` never says another one. A word is `<nanoseconds>;`.

    The clock is the machine's monotonic one, so that a reader on the same machine can tell how old a word is.
    """

    name = "metronome"

    async def stream(self, request: ModelRequest) -> AsyncGenerator[list[ModelChunk]]:
        asked = next(part.text for part in request.messages[-1].parts if isinstance(part, TextPart))
        found = re.fullmatch(r"say (\d+) every (\d+) ms", asked)
        if found is None:
            await asyncio.Event().wait()
        else:
            for _ in range(int(found[1])):
                await asyncio.sleep(int(found[2]) / 1000)
                yield [TextDelta(f"{time.monotonic_ns()};")]
        yield [ReplyFinished("stop")]

    async def aclose(self) -> None:
        """Nothing to release."""


if STORE in os.environ:
    runtime = AgentRuntime(
        agents=[Agent("bench", model="metronome:steady")], providers=[Metronome()], store=os.environ[STORE]
    )
