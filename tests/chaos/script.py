"""What the model says: every answer follows from the text of the question alone, so that any run can be repeated.

A question is `tale <number>` or, to be spared approvals, `letter <number>`. `saga <number>` is so many long words.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from typing import Any

from wakeful.contracts.event import ReasoningDelta, TextDelta, ToolCallDelta, ToolCallProposed
from wakeful.contracts.model import ModelChunk, ModelRequest, ReplyFinished
from wakeful.contracts.usage import Usage

WORDS = ("once", "upon", "a", "mill", "the", "wind", "rose", "über", "night", "“and”", "nobody", "slept", "水", "far")

SAGA_WORD = 2_000
"""Characters in a word of a saga."""


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call of a reply."""

    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of the model: a thought, words, and the calls it asks for, which are none in the last one."""

    thought: str
    words: tuple[str, ...]
    calls: tuple[Call, ...]

    def chunks(self) -> Iterator[ModelChunk]:
        """The reply in as many pieces as it has words and halves of arguments."""
        if self.thought:
            yield ReasoningDelta(self.thought)
        for word in self.words:
            yield TextDelta(word)
        for call in self.calls:
            text = json.dumps(call.arguments)
            yield ToolCallProposed(call.id, call.name)
            yield ToolCallDelta(call.id, text[: len(text) // 2])
            yield ToolCallDelta(call.id, text[len(text) // 2 :])


def replies(question: str) -> tuple[Reply, ...]:
    """The whole answer to a question."""
    kind, number = question.split()
    if kind == "saga":
        return (Reply("", tuple(f"{i:x>{SAGA_WORD}} " for i in range(int(number))), ()),)
    rng = random.Random(question)
    tools = ["look_up", "reserve", "pay"] + (["sign"] if kind == "tale" else [])
    steps = rng.randint(2, 4)
    return tuple(_reply(f"{kind}-{number}-{step}", rng, tools, last=step == steps) for step in range(1, steps + 1))


def _reply(name: str, rng: random.Random, tools: list[str], *, last: bool) -> Reply:
    words = tuple(f"{rng.choice(WORDS)} " for _ in range(rng.randint(4, 12)))
    names = [] if last else rng.choices(tools, weights=[3, 3, 3, 1][: len(tools)], k=rng.randint(1, 3))
    calls = tuple(Call(f"{name}-{i}", tool, {"item": f"{name}/{i}"}) for i, tool in enumerate(names))
    return Reply(rng.choice(("", f"thinking of {name} ")), words, calls)


class Teller:
    """The model behind `teller:…`. `pace` is the pause between two pieces, in seconds."""

    name = "teller"

    def __init__(self, pace: float) -> None:
        self._pace = pace

    async def stream(self, request: ModelRequest) -> AsyncGenerator[list[ModelChunk]]:
        """Give the reply whose turn it is: as many were given as there are answers since the question."""
        asked = max(i for i, message in enumerate(request.messages) if message.role == "user")
        given = sum(message.role == "assistant" for message in request.messages[asked:])
        reply = replies(request.messages[asked].text)[given]
        for chunk in reply.chunks():
            await asyncio.sleep(self._pace)
            yield [chunk]
        yield [ReplyFinished("tool_calls" if reply.calls else "stop", Usage(input_tokens=1, output_tokens=1))]

    async def aclose(self) -> None:
        """Nothing to release."""
