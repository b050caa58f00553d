"""How much of a server's answers is read: an HTTP transport that fails where a body or one event of it is too long."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

import httpx

from wakeful.contracts.model_errors import MalformedReply

EVENT_STREAM = "text/event-stream"
ENDS = (b"\n\n", b"\r\n\r\n", b"\r\r")


class BoundedTransport(httpx.AsyncBaseTransport):
    """No body has more than `most_bytes`; a stream of events none in one event, and not `most_streamed` in all."""

    def __init__(self, inner: httpx.AsyncBaseTransport, *, most_bytes: int, most_streamed: int) -> None:
        self._inner = inner
        self._most_bytes = most_bytes
        self._most_streamed = most_streamed

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The response, its body bounded while it is read."""
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise MalformedReply("the remote agent compressed its answer, which was not asked for")
        streamed = response.headers.get("content-type", "").lower().startswith(EVENT_STREAM)
        body = cast("httpx.AsyncByteStream", response.stream)  # an async client's
        response.stream = _Body(body, self._most_bytes, self._most_streamed if streamed else None)
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream, most: int, most_streamed: int | None) -> None:
        self._inner = inner
        self._most = most
        self._most_streamed = most_streamed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        total = at_once = 0
        async for chunk in self._inner:
            total += len(chunk)
            at_once += len(chunk)
            if self._most_streamed is not None:
                end = max(chunk.rfind(mark) for mark in ENDS)
                at_once = len(chunk) - end if end >= 0 else at_once
            if at_once > self._most:
                raise MalformedReply(f"the remote agent sent more than {self._most} bytes at once")
            if self._most_streamed is not None and total > self._most_streamed:
                raise MalformedReply(f"the remote agent sent more than {self._most_streamed} bytes in one stream")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()
