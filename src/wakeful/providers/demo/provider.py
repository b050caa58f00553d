"""The offline demo model: no key, no network, and every kind of event."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator, Iterator, Sequence

from wakeful.contracts.clock import Clock
from wakeful.contracts.event import ReasoningDelta, TextDelta, ToolCallDelta, ToolCallProposed
from wakeful.contracts.message import Message, ToolResultPart
from wakeful.contracts.model import ModelChunk, ModelRequest, ReplyFinished
from wakeful.contracts.model_errors import ModelRequestInvalid
from wakeful.providers.call_ids import CallIds
from wakeful.providers.demo.answers import answer_from, answer_to, picture_of, reasoning_about, small_talk
from wakeful.providers.demo.commands import Chat, Cite, Command, CountTo, Draw, Fail, ThinkAbout, UseTool, read_commands
from wakeful.providers.generated import generated_file
from wakeful.providers.sources import Citations, Span
from wakeful.providers.words import WordMeter, split_words

Pause = int
"""Milliseconds to wait before the next chunk."""


class DemoProvider:
    """Understands the commands of `demo/commands.py` in the last user message; answers from the tool results after it.

    It waits, on `clock`, only where it is told to play a slow model.
    """

    def __init__(self, clock: Clock, *, name: str = "demo") -> None:
        self._clock = clock
        self._name = name

    @property
    def name(self) -> str:
        """The prefix in `"name:model"`."""
        return self._name

    async def stream(self, request: ModelRequest) -> AsyncGenerator[list[ModelChunk]]:
        """Ask the model. Raises `ModelRequestInvalid` when told to fail."""
        meter, sources = WordMeter(request), Citations(request)
        called = False
        for chunk in self._reply(request, sources):
            if isinstance(chunk, Pause):
                await self._clock.sleep(chunk)
                continue
            await asyncio.sleep(0)  # as between two network reads, others get their turn
            yield sources.place([chunk])
            meter.count(chunk)
            called = called or isinstance(chunk, ToolCallProposed)
        yield sources.place([ReplyFinished("tool_calls" if called else "stop", meter.usage, request.model)])

    async def aclose(self) -> None:
        """Nothing to release."""

    def _reply(self, request: ModelRequest, sources: Citations) -> Iterator[ModelChunk | Pause]:
        asked, after = _last_turn(request.messages)
        results = [part for message in after for part in message.parts if isinstance(part, ToolResultPart)]
        if results:
            yield from _say(" ".join(_answers(after, results)))
            return
        tools = {tool.name for tool in request.tools}
        ids = CallIds(request, mint=lambda number: f"call_{number}_{self._clock.new_id()}")
        spoken = False
        for command in sorted(read_commands(asked), key=_calls_come_last):
            if isinstance(command, UseTool) and command.arguments is not None and command.name in tools:
                call_id = ids.claim()
                yield ToolCallProposed(call_id, command.name)
                yield ToolCallDelta(call_id, command.arguments)
            else:
                yield from _say("\n") if spoken else ()
                spoken = True
                yield from _play(command, sources)


def _last_turn(messages: Sequence[Message]) -> tuple[str, Sequence[Message]]:
    """The text of the last user message, and the messages after it."""
    for position in range(len(messages) - 1, -1, -1):
        if messages[position].role == "user":
            return messages[position].text, messages[position + 1 :]
    return "", messages


def _calls_come_last(command: Command) -> bool:
    return isinstance(command, UseTool)


def _answers(after: Sequence[Message], results: Sequence[ToolResultPart]) -> Iterator[str]:
    calls = {call.call_id: call for message in after for call in message.tool_calls}
    for result in results:
        if result.call_id in calls:
            yield answer_from(calls[result.call_id], result)


def _play(command: Command, sources: Citations) -> Iterator[ModelChunk | Pause]:
    match command:
        case Fail():
            raise ModelRequestInvalid("the demo model was asked to fail")
        case CountTo():
            yield from _count(command)
        case Chat():
            yield from _say(small_talk(command.text))
        case ThinkAbout():
            yield from (ReasoningDelta(word) for word in split_words(reasoning_about(command.topic)))
            yield from _say(answer_to(command))
        case Cite():
            yield from _say(answer_to(command))
            _cite(command.source, sources, Span(sources.written - len(answer_to(command)), sources.written))
        case Draw():
            yield from _say(answer_to(command))
            yield from generated_file("image/svg+xml", b64encode(picture_of(command.shape).encode()).decode())
        case UseTool():
            yield from _say(answer_to(command))


def _cite(source: str, sources: Citations, span: Span) -> None:
    if "://" in source:
        sources.cite_page(source, title=source.partition("://")[2], span=span)
    else:
        sources.cite_document(source, filename=source, span=span)


def _count(command: CountTo) -> Iterator[ModelChunk | Pause]:
    yield TextDelta("1")
    for number in range(2, command.last + 1):
        if command.pause_ms:
            yield command.pause_ms
        yield TextDelta(f" {number}")


def _say(text: str) -> Iterator[ModelChunk]:
    yield from (TextDelta(word) for word in split_words(text))
