"""Server-Sent Events (WHATWG HTML, section 9.2): frames, heartbeats and the response.

Frames use LF only, carry the event's sequence number as `id:`, and never an `event:` field.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, nullcontext
from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from wakeful.contracts.errors import WakefulError
from wakeful.contracts.event import LogEntry

HEARTBEAT = b": heartbeat\n\n"
GOING_DOWN = b"retry: 1000\n\n"
UNCOUNTED = nullcontext()
HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
)

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


class EventStream(Response):
    """A stream of frames: opens with a heartbeat, answers silence (empty bytes) with one, ends with `trailer`.

    When the process is going down, or the log cannot be read, the stream ends early, without the trailer, telling
    the client to come back. The frames are closed as soon as nobody listens. `counted` is entered while it is open.
    """

    def __init__(
        self,
        frames: AsyncGenerator[bytes],
        *,
        trailer: bytes = b"",
        headers: Mapping[str, str] | None = None,
        going_down: Callable[[], bool],
        counted: AbstractContextManager[None] = UNCOUNTED,
    ) -> None:
        self.status_code = 200
        self.background = None
        self.raw_headers = [
            *HEADERS,
            *((name.encode("latin-1"), value.encode("latin-1")) for name, value in (headers or {}).items()),
        ]
        self._frames = frames
        self._trailer = trailer
        self._going_down = going_down
        self._counted = counted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it all, or as much as the client takes."""
        try:
            with self._counted:
                async with aclosing(self._frames), asyncio.TaskGroup() as tasks:
                    listening = tasks.create_task(_leave(receive))
                    await self._send_all(send)
                    listening.cancel()
        except* _Left:
            pass

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": HEARTBEAT, "more_body": True})
        try:
            async for data in self._frames:
                await send({"type": "http.response.body", "body": data or HEARTBEAT, "more_body": True})
            last = GOING_DOWN if self._going_down() else self._trailer
        except WakefulError as error:
            log.warning("an event stream ended early, its reader may come back: %s", error.message)
            last = GOING_DOWN
        await send({"type": "http.response.body", "body": last, "more_body": False})


class _Left(Exception):
    """The client is gone."""


async def _leave(receive: Receive) -> None:
    """Raise `_Left` when the client goes."""
    while (await receive())["type"] != "http.disconnect":
        pass
    raise _Left


def last_event_id(header: str | None) -> int:
    """The sequence number a client saw last; 0 for anything that is not one of ours."""
    return int(header) if header and header.isascii() and header.isdigit() and len(header) < 17 else 0
