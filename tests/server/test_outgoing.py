"""Posts to addresses that clients name: the address that was checked is the one that is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address

import pytest

from wakeful.contracts.errors import BadRequest, Unavailable
from wakeful.server.outgoing import Outgoing, public_or_loopback
from wakeful.server.remote_files import Address

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


def resolving(*answers: str) -> Callable[[str, int], Awaitable[Sequence[Address]]]:
    """Each look-up gives the next answer, the last one for ever."""
    left = list(answers)

    async def lookup(host: str, port: int) -> Sequence[Address]:
        return [ip_address(left.pop(0) if len(left) > 1 else left[0])]

    return lookup


@asynccontextmanager
async def host(answer: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A host that says one thing, and what it was asked."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard


def outgoing(*answers: str, timeout_seconds: float = 10) -> Outgoing:
    return Outgoing(lookup=resolving(*answers), may_reach=public_or_loopback, timeout_seconds=timeout_seconds)


async def test_a_post_reaches_the_address_that_was_looked_at() -> None:
    async with host(OK) as (port, heard):
        status = await outgoing("127.0.0.1").post(f"http://hook.example.com:{port}/a?b=c", b"{}", {"x-token": "t"})

    assert status == 200
    assert heard[0].startswith(b"POST /a?b=c HTTP/1.1\r\n")
    assert f"host: hook.example.com:{port}".encode() in heard[0].lower()
    assert b"x-token: t" in heard[0]


async def test_a_name_that_leads_elsewhere_later_is_not_followed_there() -> None:
    hook = outgoing("8.8.8.8", "10.0.0.1")

    await hook.check("https://hook.example.com/")

    with pytest.raises(BadRequest, match="public internet"):
        await hook.post("https://hook.example.com/", b"{}", {})


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "169.254.169.254", "::ffff:192.168.0.1", "fe80::1", "224.0.0.1", "0.0.0.0"]
)
async def test_private_addresses_are_refused_behind_any_name(address: str) -> None:
    with pytest.raises(BadRequest, match="public internet"):
        await outgoing(address).check("https://hook.example.com/")


async def test_this_machine_is_refused_unless_it_is_allowed() -> None:
    with pytest.raises(BadRequest):
        await Outgoing(lookup=resolving("127.0.0.1")).check("https://hook.example.com/")
    await outgoing("127.0.0.1").check("http://hook.example.com/")


async def test_clear_text_leaves_this_machine_never() -> None:
    with pytest.raises(BadRequest, match="clear text"):
        await outgoing("8.8.8.8").check("http://hook.example.com/")


async def test_redirects_are_answers_like_others() -> None:
    async with host(b"HTTP/1.1 302 Found\r\nlocation: http://10.0.0.1/\r\ncontent-length: 0\r\n\r\n") as (port, heard):
        status = await outgoing("127.0.0.1").post(f"http://hook.example.com:{port}/", b"{}", {})

    assert (status, len(heard)) == (302, 1)


@pytest.mark.parametrize("answer", [b"", b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000])
async def test_hosts_that_speak_no_http_are_unavailable(answer: bytes) -> None:
    async with host(answer) as (port, _):
        with pytest.raises(Unavailable):
            await outgoing("127.0.0.1").post(f"http://hook.example.com:{port}/", b"{}", {})


async def test_a_host_that_hangs_is_given_up() -> None:
    hung = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hung.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unavailable, match="did not answer"):
            await outgoing("127.0.0.1", timeout_seconds=0.05).post(f"http://hook.example.com:{port}/", b"{}", {})
        hung.set()
