"""A model that plays a list given in Python: for tests, examples and the quickstart.

ScriptedProvider([
    [think("Paris, then."), call("get_weather", {"city": "Paris"})],
    "It is sunny in Paris.",
    Overloaded("come back later"),
])
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from wakeful.contracts.event import ReasoningDelta, TextDelta, ToolCallDelta, ToolCallProposed
from wakeful.contracts.model import ModelChunk, ModelRequest, ReplyFinished
from wakeful.contracts.model_errors import ModelRequestInvalid
from wakeful.providers.call_ids import CallIds
from wakeful.providers.words import WordMeter, split_words


class Say(msgspec.Struct, frozen=True):
    """Text, streamed word by word."""

    text: str


class Think(msgspec.Struct, frozen=True):
    """Reasoning, streamed word by word."""

    text: str


class Call(msgspec.Struct, frozen=True):
    """A tool call, its arguments as JSON text. Without `call_id` it gets `call_<n>`, counted over the thread."""

    name: str
    arguments: str
    call_id: str | None = None


Piece = str | Say | Think | Call | ModelChunk | Exception | asyncio.Event
"""A part of a reply. An exception is raised when its turn comes; an event is waited for."""

Reply = Piece | Sequence[Piece] | Callable[[ModelRequest], "Reply"]
"""A whole reply: one piece, several, or a function that looks at the request and gives either."""


def say(text: str) -> Say:
    """Text, streamed word by word; a plain string means the same."""
    return Say(text)


def think(text: str) -> Think:
    """Reasoning, streamed word by word."""
    return Think(text)


def call(name: str, arguments: Mapping[str, Any] | None = None, *, call_id: str | None = None) -> Call:
    """A call of tool `name`; `arguments` is any JSON object."""
    return Call(name, msgspec.json.encode(arguments or {}).decode(), call_id)


class ScriptedProvider:
    """Gives the first reply to the first request, the second to the second, whoever asks.

    `requests` holds what was asked, in order. A reply without a `ReplyFinished` ends by itself, with words counted
    as tokens. Raises `ModelRequestInvalid` when the script is at its end.
    """

    def __init__(self, replies: Sequence[Reply], *, name: str = "scripted") -> None:
        self._name = name
        self._replies = list(replies)
        self.requests: list[ModelRequest] = []

    @property
    def name(self) -> str:
        """The prefix in `"name:model"`."""
        return self._name

    async def stream(self, request: ModelRequest) -> AsyncGenerator[list[ModelChunk]]:
        """Play the next reply."""
        self.requests.append(request)
        meter, ids = WordMeter(request), CallIds(request)
        called = False
        for piece in _pieces(self._next(), request):
            if isinstance(piece, asyncio.Event):
                await piece.wait()
                continue
            for chunk in _chunks(piece, ids):
                await asyncio.sleep(0)  # as between two network reads, others get their turn
                yield [chunk]
                if isinstance(chunk, ReplyFinished):
                    return
                meter.count(chunk)
                called = called or isinstance(chunk, ToolCallProposed)
        yield [ReplyFinished("tool_calls" if called else "stop", meter.usage)]

    async def aclose(self) -> None:
        """Nothing to release."""

    def _next(self) -> Reply:
        given, asked = len(self._replies), len(self.requests)
        if asked > given:
            raise ModelRequestInvalid(f"the script was given {given} replies and this is request {asked}; add a reply")
        return self._replies[asked - 1]


def _pieces(reply: Reply, request: ModelRequest) -> list[Piece]:
    while callable(reply):
        reply = reply(request)
    if isinstance(reply, Sequence) and not isinstance(reply, str):
        return list(reply)
    return [reply]


def _chunks(piece: Piece, ids: CallIds) -> Iterator[ModelChunk]:
    match piece:
        case str() | Say():
            text = piece if isinstance(piece, str) else piece.text
            yield from (TextDelta(word) for word in split_words(text))
        case Think():
            yield from (ReasoningDelta(word) for word in split_words(piece.text))
        case Call():
            call_id = piece.call_id or ids.claim()
            yield ToolCallProposed(call_id, piece.name)
            yield ToolCallDelta(call_id, piece.arguments)
        case Exception():
            raise piece
        case asyncio.Event():
            raise TypeError("an event is waited for, it has no chunks")
        case _:
            yield piece
