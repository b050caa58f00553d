"""The outermost layer: request ids, the body limit and the HTTP metrics, without touching streamed chunks."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wakeful.contracts.errors import PayloadTooLarge
from wakeful.server.metrics import Metrics
from wakeful.server.problems import problem

REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")


class Edge:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int, metrics: Metrics, new_id: Callable[[], str]) -> None:
        self._app = app
        self._limit = max_body_bytes
        self._metrics = metrics
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = self._exchange(scope, receive, send)
        began = time.perf_counter()
        try:
            with self._metrics.in_flight:
                if exchange.refused:
                    await exchange.refuse(scope)
                else:
                    await self._app(scope, exchange.receive, exchange.send)
        finally:
            self._metrics.observe(scope, exchange.status, time.perf_counter() - began)

    def _exchange(self, scope: Scope, receive: Receive, send: Send) -> _Exchange:
        headers = dict(scope["headers"])
        sent = headers.get(b"x-request-id")
        request_id = sent if sent and REQUEST_ID.fullmatch(sent) else self._new_id().encode()
        declared = headers.get(b"content-length", b"0")
        refused = declared.isdigit() and int(declared) > self._limit
        return _Exchange(receive, send, request_id, self._limit, refused=refused, waits=b"expect" in headers)


class _Exchange:
    """One request and its answer: stops a body that is too long, adds the request id, remembers the status."""

    __slots__ = ("_limit", "_receive", "_received", "_request_id", "_send", "_waits", "refused", "status")

    def __init__(
        self, receive: Receive, send: Send, request_id: bytes, limit: int, *, refused: bool, waits: bool
    ) -> None:
        self.refused = refused
        self.status = 500
        self._receive = receive
        self._send = send
        self._request_id = request_id
        self._limit = limit
        self._received = 0
        self._waits = waits

    async def receive(self) -> Message:
        """The next part of the request. Raises `PayloadTooLarge`."""
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > self._limit:
            if message.get("more_body", False):
                await self._discard()
            raise self._too_large()
        return message

    async def send(self, message: Message) -> None:
        """The next part of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", []), (b"x-request-id", self._request_id)]
        await self._send(message)

    async def refuse(self, scope: Scope) -> None:
        """Say that the body is too long; one that nobody asked for yet need not be sent."""
        if not self._waits:
            await self._discard()
        error = self._too_large()
        response = problem(413, error.code, error.message, headers={"connection": "close"})
        await response(scope, self._receive, self.send)

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"the body is larger than {self._limit} bytes; send less or raise max_body_bytes")

    async def _discard(self) -> None:
        """Let a client finish that reads only after it has written; one that sends the limit once more is cut off."""
        discarded = 0
        while discarded <= self._limit:
            message = await self._receive()
            discarded += len(message.get("body", b""))
            if not message.get("more_body", False):
                return
