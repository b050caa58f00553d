"""Server-Sent Events (WHATWG HTML, section 9.2): frames, heartbeats and the response.

Frames use LF only, carry the event's sequence number as `id:`, and never an `event:` field.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Protocol

from starlette.responses import StreamingResponse
from starlette.types import Send

from wakeful.contracts.errors import WakefulError
from wakeful.contracts.event import LogEntry

HEARTBEAT = b": heartbeat\n\n"
GOING_DOWN = b"retry: 1000\n\n"
HEADERS = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}

log = logging.getLogger("wakeful.http")


class Encoder(Protocol):
    """A protocol's fold: fed the events of one run in order, gives the JSON payloads each adds."""

    def encode(self, entry: LogEntry) -> Sequence[bytes]:
        """The payloads, each one SSE message."""
        ...


def framed(encoder: Encoder) -> Callable[[LogEntry], bytes]:
    """The encoder's payloads as SSE frames.

    The last frame of an event carries its `id:`, so that a client that resumes from there missed no part of it.
    """

    def frames(entry: LogEntry) -> bytes:
        payloads = encoder.encode(entry)
        if not payloads:
            return b""
        if len(payloads) == 1:
            return b"id: %d\ndata: %b\n\n" % (entry.seq, payloads[0])
        parts = [b"data: %b\n\n" % payload for payload in payloads[:-1]]
        parts.append(b"id: %d\ndata: %b\n\n" % (entry.seq, payloads[-1]))
        return b"".join(parts)

    return frames


def response(
    frames: AsyncGenerator[bytes],
    *,
    trailer: bytes = b"",
    headers: Mapping[str, str] | None = None,
    going_down: Callable[[], bool],
) -> StreamingResponse:
    """A stream of frames: opens with a heartbeat, answers silence (empty bytes) with one, ends with `trailer`.

    When the process is going down, or the log cannot be read, the stream ends early, without the trailer, telling
    the client to come back.
    """

    async def body() -> AsyncGenerator[bytes]:
        yield HEARTBEAT
        try:
            async with aclosing(frames):
                async for data in frames:
                    yield data or HEARTBEAT
        except WakefulError as error:
            log.warning("an event stream ended early, its reader may come back: %s", error.message)
            yield GOING_DOWN
            return
        if going_down():
            yield GOING_DOWN
        elif trailer:
            yield trailer

    return _EventStream(body(), headers={**HEADERS, **(headers or {})}, media_type="text/event-stream")


class _EventStream(StreamingResponse):
    """Closes its frames whatever happens; Starlette leaves them to the garbage collector when a client goes."""

    def __init__(self, frames: AsyncGenerator[bytes], *, headers: Mapping[str, str], media_type: str) -> None:
        super().__init__(frames, headers=headers, media_type=media_type)
        self._frames = frames

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._frames):
            await super().stream_response(send)


def last_event_id(header: str | None) -> int:
    """The sequence number a client saw last; 0 for anything that is not one of ours."""
    return int(header) if header and header.isascii() and header.isdigit() and len(header) < 17 else 0
