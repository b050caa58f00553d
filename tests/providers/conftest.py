"""A vendor on loopback that answers with exact bytes, and short ways to write requests and read replies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from wakeful.contracts.event import (
    FileGenerated,
    ReasoningDelta,
    SourceCited,
    TextDelta,
    ToolCallDelta,
    ToolCallProposed,
)
from wakeful.contracts.message import FilePart, Message, SourcePart, TextPart
from wakeful.contracts.model import ModelChunk, ModelRequest, ModelSettings, ReplyFinished
from wakeful.contracts.tool import ToolSpec
from wakeful.providers.anthropic.provider import AnthropicProvider
from wakeful.providers.openai.provider import OpenAIProvider
from wakeful.providers.openai_responses.provider import OpenAIResponsesProvider


@dataclass
class Answer:
    """What the vendor sends for one request: head, chunks, and then it ends, drops the line or says nothing more."""

    chunks: tuple[bytes, ...]
    status: str = "200 OK"
    headers: tuple[str, ...] = ("content-type: text/event-stream",)
    then: Literal["end", "drop", "hang", "wait"] = "end"


@dataclass
class Asked:
    """One request the vendor received."""

    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class LoopbackVendor:
    """Gives its answers in order.

    `hung_up` is set when a client leaves an answer that hangs; an answer that waits ends once `go` is set.
    """

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    def will_send(self, *chunks: bytes, then: Literal["end", "drop", "hang", "wait"] = "end") -> None:
        """Answer the next request with an event stream."""
        self.answers.append(Answer(chunks, then=then))

    def will_refuse(self, status: str, body: bytes, *headers: str) -> None:
        """Answer the next request with an error."""
        self.answers.append(Answer((body,), status, ("content-type: application/json", *headers)))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._exchange(reader, writer):
                pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            self.asked.append(await _read_request(reader))
            answer = self.answers.pop(0)
            head = [f"HTTP/1.1 {answer.status}", *answer.headers, "transfer-encoding: chunked", "", ""]
            writer.write("\r\n".join(head).encode())
            for chunk in filter(None, answer.chunks):
                writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
                await writer.drain()
            return await self._end(answer, reader, writer)
        return False

    async def _end(self, answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if answer.then == "wait":
            await self.go.wait()
        if answer.then in {"end", "wait"}:
            writer.write(b"0\r\n\r\n")
            await writer.drain()
            return True
        if answer.then == "hang":
            with suppress(ConnectionError):
                await reader.read()
            self.hung_up.set()
        return False


async def _read_request(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    line, *rest = head.strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (field.partition(": ") for field in rest)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Asked(line.split(" ")[1], headers, json.loads(body))


@pytest.fixture
async def vendor() -> AsyncIterator[LoopbackVendor]:
    loopback = LoopbackVendor()
    server = await asyncio.start_server(loopback.serve, "127.0.0.1", 0)
    loopback.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield loopback
    finally:
        server.close()
        await server.wait_closed()


PROVIDERS = {"openai": OpenAIProvider, "openai-responses": OpenAIResponsesProvider, "anthropic": AnthropicProvider}
WHOLE_REPLIES = {
    "openai": b'data: {"choices":[{"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
    "openai-responses": (
        b'data: {"type":"response.output_text.delta","delta":"hi"}\n\n'
        b'data: {"type":"response.completed","response":{"model":"m"}}\n\n'
    ),
    "anthropic": (
        b'data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":"hi"}}\n\n'
        b'data: {"type":"message_stop"}\n\n'
    ),
}


@asynccontextmanager
async def _open(kind: str, **options: Any) -> AsyncIterator[Any]:
    provider = PROVIDERS[kind](**options)
    try:
        yield provider
    finally:
        await provider.aclose()


@pytest.fixture
def open_provider() -> Callable[..., Any]:
    """`async with open_provider("openai", base_url=...) as provider`."""
    return _open


@pytest.fixture(params=list(PROVIDERS))
def wire(request: pytest.FixtureRequest) -> str:
    """Each wire of our own, by name."""
    return request.param


@pytest.fixture
def whole_reply(wire: str) -> bytes:
    """The bytes of a reply that says hi."""
    return WHOLE_REPLIES[wire]


def _message(role: str, *parts: Any) -> Message:
    return Message("m", role, tuple(TextPart(part) if isinstance(part, str) else part for part in parts), 0)


@pytest.fixture
def message() -> Callable[..., Message]:
    """`message("user", "text or parts", ...)`."""
    return _message


WEATHER = ToolSpec(
    name="get_weather",
    description="The weather",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


@pytest.fixture
def ask() -> Callable[..., ModelRequest]:
    """`ask("text" or messages..., instructions=..., tools=True, **settings)`."""

    def build(
        *messages: Message | str,
        model: str = "m",
        instructions: str = "",
        tools: bool | tuple[ToolSpec, ...] = False,
        **settings: Any,
    ) -> ModelRequest:
        return ModelRequest(
            model=model,
            instructions=instructions,
            messages=[_message("user", item) if isinstance(item, str) else item for item in messages],
            tools=((WEATHER,) if tools else ()) if isinstance(tools, bool) else tools,
            settings=ModelSettings(**settings),
        )

    return build


@dataclass
class Heard:
    """Everything a reply said."""

    chunks: list[ModelChunk]

    @property
    def text(self) -> str:
        return "".join(chunk.delta for chunk in self.chunks if isinstance(chunk, TextDelta))

    @property
    def reasoning(self) -> str:
        return "".join(chunk.delta for chunk in self.chunks if isinstance(chunk, ReasoningDelta))

    @property
    def sources(self) -> list[SourcePart]:
        return [chunk.source for chunk in self.chunks if isinstance(chunk, SourceCited)]

    @property
    def files(self) -> list[FilePart]:
        return [chunk.file for chunk in self.chunks if isinstance(chunk, FileGenerated)]

    @property
    def calls(self) -> dict[str, tuple[str, str]]:
        """Name and argument text by call id."""
        calls = {chunk.call_id: (chunk.name, "") for chunk in self.chunks if isinstance(chunk, ToolCallProposed)}
        for chunk in self.chunks:
            if isinstance(chunk, ToolCallDelta):
                name, arguments = calls[chunk.call_id]
                calls[chunk.call_id] = (name, arguments + chunk.delta)
        return calls

    @property
    def finished(self) -> ReplyFinished:
        last = self.chunks[-1]
        assert isinstance(last, ReplyFinished)
        assert sum(isinstance(chunk, ReplyFinished) for chunk in self.chunks) == 1
        return last


@pytest.fixture
def listen() -> Callable[..., Any]:
    """`await listen(provider, request)`: the whole reply; `into` keeps what came before a failure."""

    async def collect(provider: Any, request: ModelRequest, into: list[ModelChunk] | None = None) -> Heard:
        chunks: list[ModelChunk] = [] if into is None else into
        async with asyncio.timeout(10), aclosing(provider.stream(request)) as batches:
            async for batch in batches:
                assert batch
                chunks += batch
        return Heard(chunks)

    return collect
