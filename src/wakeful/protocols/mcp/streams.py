"""Messages as an event stream: a call's is resumable in the old era, in the new one over when its client goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from wakeful.protocols.mcp.calls import Said
from wakeful.server import sse


class CancelledWithItsClient(Response):
    """Sends a stream; when the client goes before its end, `gone` is done (MCP 2026-07-28, cancellation)."""

    def __init__(self, stream: Response, gone: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self._stream = stream
        self._gone = gone
        self._ended = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it all, or find that nobody listens."""

        async def watched(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                self._ended = True

        await self._stream(scope, receive, watched)
        if not self._ended:
            await self._gone()


class Accompanied(Response):
    """Sends a stream; `work` is done beside it, at most until the stream is over."""

    def __init__(self, stream: Response, work: Callable[[], Coroutine[None, None, None]]) -> None:
        super().__init__()
        self._stream = stream
        self._work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it all, or as much as the client takes."""
        async with asyncio.TaskGroup() as tasks:
            working = tasks.create_task(self._work())
            await self._stream(scope, receive, send)
            working.cancel()


async def frames(messages: AsyncGenerator[Said | None], *, key: str | None, primed: bool) -> AsyncGenerator[bytes]:
    """Messages as frames, empty bytes for silence.

    With `key`, which names the call, the last frame of each event says where to resume; `primed` says so before the
    first event already.
    """
    if primed and key is not None:
        yield b"id: %b\ndata: \n\n" % event_id(key, 0)
    async with aclosing(messages):
        async for said in messages:
            if said is None:
                yield b""
            elif key is not None and said.last:
                yield b"id: %b\ndata: %b\n\n" % (event_id(key, said.seq), said.message)
            else:
                yield b"data: %b\n\n" % said.message


async def plain(messages: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Messages of a stream that nobody resumes as frames, empty bytes for silence."""
    async with aclosing(messages):
        async for message in messages:
            yield b"data: %b\n\n" % message if message else b""


def event_id(key: str, seq: int) -> bytes:
    """Where a call's stream is: the call's key and the number of the event."""
    return f"{key}.{seq}".encode()


def resumed_at(header: str) -> tuple[str, int]:
    """The key and the event in a `Last-Event-ID`; an empty key when it is none of ours."""
    key, _, seq = header.rpartition(".")
    number = sse.last_event_id(seq)
    return (key, number) if key and (number or seq == "0") else ("", 0)
