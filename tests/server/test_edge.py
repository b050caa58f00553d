"""The outermost layer, driven as a server drives it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from wakeful.server.edge import Edge
from wakeful.server.routing import Route, Router


class Counted:
    """Stands in for the metrics; remembers what was observed."""

    def __init__(self) -> None:
        self.in_flight = self
        self.open = 0
        self.observed: list[tuple[int, int]] = []

    def __enter__(self) -> None:
        self.open += 1

    def __exit__(self, *_: object) -> None:
        self.open -= 1

    def observe(self, scope: Any, status: int, seconds: float) -> None:
        self.observed.append((status, self.open))


async def echo(request: Request) -> Response:
    return Response(await request.body())


def door(counted: Counted) -> Edge:
    router = Router(Response(status_code=404))
    router.add([Route("/echo", echo, methods=["POST"])])
    return Edge(router, max_body_bytes=10, metrics=counted, new_id=lambda: "made")  # type: ignore[arg-type]


async def post(edge: Edge, *parts: bytes, headers: Any = ()) -> tuple[list[Any], int]:
    """What is sent, and how many parts were taken; more than these never come."""
    sent: list[Any] = []
    left = list(parts)

    async def receive() -> Any:
        if not left:
            await asyncio.Event().wait()
        part = left.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(left)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/echo", "headers": list(headers), "query_string": b""}
    async with asyncio.timeout(5):
        await edge(scope, receive, send)
    return sent, len(parts) - len(left)


@pytest.mark.parametrize("parts", [[b"x" * 11], [b"x" * 6, b"x" * 6], [b"x" * 6, b"x" * 6, b"x"]])
async def test_a_body_that_grows_too_long_is_read_to_its_end_and_refused(parts: list[bytes]):
    counted = Counted()

    sent, taken = await post(door(counted), *parts)

    assert sent[0]["status"] == 413
    assert taken == len(parts)
    assert counted.observed == [(413, 0)]


async def test_a_body_that_does_not_end_is_cut_off():
    sent, taken = await post(door(Counted()), *[b"x" * 6] * 9)

    assert sent[0]["status"] == 413
    assert taken < 9


@pytest.mark.parametrize(("headers", "taken"), [([], 1), ([(b"expect", b"100-continue")], 0)])
async def test_a_body_declared_too_long_is_only_read_where_it_comes_unasked(headers: Any, taken: int):
    sent, read = await post(door(Counted()), b"x" * 11, headers=[(b"content-length", b"11"), *headers])

    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]
    assert read == taken


@pytest.mark.parametrize(("sent", "echoed"), [(b"mine", b"mine"), (b"not mine", b"made"), (b"", b"made")])
async def test_a_request_keeps_its_id_where_that_fits_a_header(sent: bytes, echoed: bytes):
    counted = Counted()

    messages, _ = await post(door(counted), b"ping", headers=[(b"x-request-id", sent)])

    assert (b"x-request-id", echoed) in messages[0]["headers"]
    assert messages[1]["body"] == b"ping"
    assert counted.observed == [(200, 0)]
