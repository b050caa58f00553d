"""One event stream as a server drives it: what it sends, and what becomes of it when its client goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from wakeful.contracts.errors import StoreUnavailable
from wakeful.server.sse import GOING_DOWN, HEARTBEAT, EventStream


class Client:
    """Takes what is sent, and goes when told to."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.left = asyncio.Event()

    async def receive(self) -> Any:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.sent[1:])

    @property
    def complete(self) -> bool:
        return not self.sent[-1].get("more_body", False)


async def taken_by(client: Client, stream: EventStream) -> None:
    async with asyncio.timeout(5):
        await stream({"type": "http"}, client.receive, client.send)


async def test_a_stream_opens_with_its_head_and_a_heartbeat_before_the_first_frame():
    async def frames() -> AsyncGenerator[bytes]:
        assert [message["type"] for message in client.sent] == ["http.response.start", "http.response.body"]
        yield b"data: 1\n\n"
        yield b""

    client = Client()

    await taken_by(client, EventStream(frames(), trailer=b"end", headers={"x-a": "b"}, going_down=lambda: False))

    assert (b"x-a", b"b") in client.sent[0]["headers"]
    assert client.body == HEARTBEAT + b"data: 1\n\n" + HEARTBEAT + b"end"
    assert client.complete


@pytest.mark.parametrize("how", ["going down", "log unreadable"])
async def test_a_stream_that_ends_early_has_no_trailer_and_says_when_to_come_back(how: str):
    async def frames() -> AsyncGenerator[bytes]:
        yield b"data: 1\n\n"
        if how == "log unreadable":
            raise StoreUnavailable("away")

    client = Client()

    await taken_by(client, EventStream(frames(), trailer=b"end", going_down=lambda: how == "going down"))

    assert client.body == HEARTBEAT + b"data: 1\n\n" + GOING_DOWN
    assert client.complete


async def test_a_client_that_goes_ends_its_frames_at_once():
    silent, closed = asyncio.Event(), asyncio.Event()

    async def frames() -> AsyncGenerator[bytes]:
        try:
            silent.set()
            await asyncio.Event().wait()
            yield b""
        finally:
            closed.set()

    client = Client()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(taken_by(client, EventStream(frames(), trailer=b"end", going_down=lambda: False)))
        await silent.wait()
        client.left.set()

    assert closed.is_set()
    assert client.body == HEARTBEAT
    assert not client.complete


async def test_frames_are_closed_when_the_server_gives_the_request_up():
    silent, closed = asyncio.Event(), asyncio.Event()

    async def frames() -> AsyncGenerator[bytes]:
        try:
            yield b"data: 1\n\n"
            silent.set()
            await asyncio.Event().wait()
        finally:
            closed.set()

    serving = asyncio.create_task(taken_by(Client(), EventStream(frames(), going_down=lambda: False)))
    await silent.wait()
    serving.cancel()

    with pytest.raises(asyncio.CancelledError):
        await serving
    assert closed.is_set()


async def test_frames_are_closed_when_sending_fails():
    closed = asyncio.Event()

    async def frames() -> AsyncGenerator[bytes]:
        try:
            yield b"data: 1\n\n"
        finally:
            closed.set()

    class Broken(Client):
        async def send(self, message: Any) -> None:
            await super().send(message)
            if len(self.sent) == 3:
                raise OSError

    with pytest.raises(ExceptionGroup):
        await taken_by(Broken(), EventStream(frames(), going_down=lambda: False))
    assert closed.is_set()
