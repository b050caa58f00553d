"""The client counts right however its bytes are cut, and the scripted model says what it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from bench.client import Answer, Connection
from bench.model import answering

PATIENCE = 10
BODY = b": \n\n", b"id: 1\ndata: one\n\n", b"id: 2\ndata: two\n\ndata: three\n\n"
STREAM = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"".join(
    b"%x\r\n%b\r\n" % (len(part), part) for part in (*BODY, b"")
)


@pytest.fixture
async def model() -> AsyncIterator[int]:
    """The port of a scripted model."""
    server = await answering()
    async with server:
        yield server.sockets[0].getsockname()[1]


def prompt(text: str, *more: str) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": text}, *({"role": role, "content": ""} for role in more)]}


async def said(model: int, text: str, *more: str) -> list[bytes]:
    """The events of a whole reply."""
    async with asyncio.timeout(PATIENCE), await Connection.open(model) as connection:
        return [event async for event in connection.stream("POST", "/v1/chat/completions", prompt(text, *more))]


class Wire(asyncio.Transport):
    """Takes what is written and is never closed by anybody else."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Forget it."""

    def abort(self) -> None:
        """Nothing to close."""


async def answer_of(*pieces: bytes) -> Answer:
    """What a client makes of an answer that arrives in these pieces."""
    connection = Connection(1)
    connection.connection_made(Wire())
    asking = asyncio.create_task(connection.ask("GET", "/"), name="asking")
    await asyncio.sleep(0)
    for piece in pieces:
        connection.data_received(piece)
    connection.connection_lost(None)
    async with asyncio.timeout(PATIENCE):
        return await asking


@pytest.mark.parametrize("cut", range(1, len(STREAM)))
async def test_events_are_counted_wherever_the_network_cuts_the_stream(cut: int) -> None:
    answer = await answer_of(STREAM[:cut], STREAM[cut:])

    assert (answer.status, answer.events, bool(answer.first), bool(answer.ended)) == (200, 3, True, True)


async def test_events_are_counted_when_every_byte_comes_alone() -> None:
    answer = await answer_of(*(STREAM[place : place + 1] for place in range(len(STREAM))))

    assert (answer.events, answer.size) == (3, len(STREAM.partition(b"\r\n\r\n")[2]))


async def test_a_body_whose_length_was_said_is_kept() -> None:
    answer = await answer_of(b'HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\n{"a":', b' "b"}')

    assert (answer.status, answer.json()) == (404, {"a": "b"})


async def test_a_connection_that_the_server_closes_in_the_middle_is_an_error() -> None:
    with pytest.raises(ConnectionError):
        await answer_of(STREAM[:-5])


async def test_the_model_says_as_many_words_as_it_is_told(model: int) -> None:
    events = await said(model, "say 7")

    assert sum(b'"content"' in event for event in events) == 7
    assert b'"finish_reason":"stop"' in events[-3]
    assert events[-1] == b"[DONE]"


async def test_the_model_says_words_at_a_pace_with_the_time_of_each(model: int) -> None:
    events = await said(model, "say 3 every 1 ms")

    times = [int(event.partition(b'"content":"')[2].partition(b";")[0]) for event in events if b'"content"' in event]
    assert len(times) == 3
    assert times == sorted(times)


async def test_the_model_calls_a_tool_and_goes_on_after_its_result(model: int) -> None:
    first = await said(model, "call look_up then say 2")
    second = await said(model, "call look_up then say 2", "assistant", "tool")

    assert b'"name":"look_up"' in first[0]
    assert b'"tool_calls"' in first[-3]
    assert sum(b'"content"' in event for event in second) == 2


async def test_the_model_floods_only_as_fast_as_it_is_read(model: int) -> None:
    async with asyncio.timeout(PATIENCE), await Connection.open(model) as connection:
        answer = await connection.begin("POST", "/", prompt("flood"))
        while answer.events < 10_000:  # noqa: ASYNC110  the client tells nobody how far it is
            await asyncio.sleep(0)

    assert not answer.ended


async def test_a_script_that_the_model_does_not_know_is_refused(model: int) -> None:
    async with asyncio.timeout(PATIENCE), await Connection.open(model) as connection:
        answer = await connection.ask("POST", "/", prompt("sing"))

    assert answer.status == 400
