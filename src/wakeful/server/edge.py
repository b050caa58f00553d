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
        headers = dict(scope["headers"])
        request_id = self._request_id(headers.get(b"x-request-id"))
        outgoing = _Outgoing(send, request_id)
        began = time.perf_counter()
        self._metrics.in_flight += 1
        try:
            declared = headers.get(b"content-length", b"0")
            if declared.isdigit() and int(declared) > self._limit:
                if b"expect" not in headers:
                    await self._discard(receive)
                await self._refuse(scope, receive, outgoing)
            else:
                await self._app(scope, self._limited(receive), outgoing)
        finally:
            self._metrics.in_flight -= 1
            self._metrics.observe(scope, outgoing.status, time.perf_counter() - began)

    def _request_id(self, sent: bytes | None) -> bytes:
        return sent if sent and REQUEST_ID.fullmatch(sent) else self._new_id().encode()

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = self._too_large()
        response = problem(413, error.code, error.message, headers={"connection": "close"})
        await response(scope, receive, send)

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"the body is larger than {self._limit} bytes; send less or raise max_body_bytes")

    def _limited(self, receive: Receive) -> Receive:
        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                if message.get("more_body", False):
                    await self._discard(receive)
                raise self._too_large()
            return message

        return limited

    async def _discard(self, receive: Receive) -> None:
        """Let a client finish that reads only after it has written; one that sends the limit once more is cut off."""
        discarded = 0
        while discarded <= self._limit:
            message = await receive()
            discarded += len(message.get("body", b""))
            if not message.get("more_body", False):
                return


class _Outgoing:
    """Adds the request id to the response's head and remembers its status."""

    def __init__(self, send: Send, request_id: bytes) -> None:
        self._send = send
        self._request_id = request_id
        self.status = 500

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", []), (b"x-request-id", self._request_id)]
        await self._send(message)
