"""Files by link: the host is asked for size and type first, and nothing leads anywhere an operator did not allow."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

import pytest

from wakeful.contracts.errors import BadRequest
from wakeful.contracts.message import FilePart, TextPart
from wakeful.contracts.request import InputMessage
from wakeful.server.files import MAX_BYTES, FileHosts
from wakeful.server.remote_files import Address, RemoteFiles, is_public

PEM = Path(__file__).with_name("file_hosts.pem")
LOOPBACK = "127.0.0.1"


def answer(status: str, *fields: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode()


def png(size: int | None = 1000, type: str = "image/png", *fields: str) -> bytes:
    length = [] if size is None else [f"content-length: {size}"]
    return answer("200 OK", f"content-type: {type}", *length, *fields)


class PlayedHosts:
    """Plays every host of the tests on one port of loopback; `answers` by method and path, None for silence."""

    def __init__(self) -> None:
        self.port = 0
        self.answers: dict[str, bytes | None] = {}
        self.asked: list[str] = []
        self.heads: list[str] = []
        self.addresses: dict[str, Sequence[str]] = {}
        self.left = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heads.append(head)
            self.asked.append(" ".join(head.split(" ")[:2]))
            said = self.answers[self.asked[-1]]
            if said is None:
                await reader.read()
                self.left.set()
            else:
                writer.write(said)
                await writer.drain()
        writer.close()

    async def lookup(self, host: str, _: int) -> Sequence[Address]:
        return [ip_address(address) for address in self.addresses.get(host, [LOOPBACK])]

    def url(self, path: str = "/a.png", host: str = "files.test") -> str:
        return f"https://{host}:{self.port}{path}"

    def files(self, *hosts: str, timeout_seconds: float = 5) -> RemoteFiles:
        tls = ssl.create_default_context(cafile=str(PEM))
        listed = [f"{host}:{self.port}" for host in hosts or ("files.test", "*.files.test")]
        return RemoteFiles(
            FileHosts(listed),
            lookup=self.lookup,
            may_reach=lambda address: address.is_loopback,
            tls=tls,
            timeout_seconds=timeout_seconds,
        )


@pytest.fixture
async def played() -> AsyncIterator[PlayedHosts]:
    hosts = PlayedHosts()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(PEM)
    server = await asyncio.start_server(hosts.serve, LOOPBACK, 0, ssl=tls)
    hosts.port = server.sockets[0].getsockname()[1]
    try:
        yield hosts
    finally:
        server.close()
        await server.wait_closed()


def message(*files: FilePart) -> tuple[InputMessage, ...]:
    return (InputMessage("user", (TextPart("look"), *files)),)


async def ask(files: RemoteFiles, *parts: FilePart) -> tuple[FilePart, ...]:
    async with asyncio.timeout(5):
        (found,) = await files.described(message(*parts))
    return tuple(part for part in found.parts if isinstance(part, FilePart))


@pytest.mark.proves("S26")
async def test_a_link_of_known_size_and_type_is_accepted_after_one_head_request(played: PlayedHosts):
    played.answers["HEAD /a.png?v=1"] = png()
    file = FilePart("image/png", played.url("/a.png?v=1#top"), "a.png")

    found = await ask(played.files(), file)

    assert found == (file,)
    assert played.asked == ["HEAD /a.png?v=1"]
    assert f"host: files.test:{played.port}" in played.heads[0].lower()


async def test_messages_without_links_are_the_same(played: PlayedHosts):
    messages = message(FilePart("image/png", "data:image/png;base64,eA=="))

    assert await played.files().described(messages) is messages


@pytest.mark.parametrize("declared", ["*/*", "image/*", "image/png"])
async def test_the_host_tells_the_type_that_was_left_open(played: PlayedHosts, declared: str):
    played.answers["HEAD /a.png"] = png(1000, "IMAGE/PNG; charset=binary")

    (found,) = await ask(played.files(), FilePart(declared, played.url()))

    assert found.media_type == "image/png"


@pytest.mark.parametrize(
    "refusal", [answer("405 No"), answer("403 No"), png(None), png(9, "image/png", "content-encoding: gzip")]
)
async def test_a_host_that_tells_nothing_on_head_is_asked_for_one_byte(played: PlayedHosts, refusal: bytes):
    played.answers["HEAD /a.png"] = refusal
    played.answers["GET /a.png"] = answer(
        "206 Partial Content", "content-type: image/png", "content-length: 1", f"content-range: bytes 0-0/{MAX_BYTES}"
    )

    await ask(played.files(), FilePart("image/png", played.url()))

    assert played.asked == ["HEAD /a.png", "GET /a.png"]
    assert "range: bytes=0-0" in played.heads[1]


async def test_a_host_that_ignores_the_range_tells_the_size_as_well(played: PlayedHosts):
    played.answers = {"HEAD /a.png": answer("501 No"), "GET /a.png": png(MAX_BYTES)}

    assert await ask(played.files(), FilePart("image/png", played.url()))


@pytest.mark.proves("S26")
@pytest.mark.parametrize(
    ("head", "get", "why"),
    [
        (png(None), png(None), "no known size"),
        (png(None), answer("206 Some", "content-type: image/png", "content-range: bytes 0-0/*"), "no known size"),
        (answer("404 No"), answer("404 No"), "answered 404"),
        (answer("500 No"), answer("416 No"), "answered 416"),
        (png(MAX_BYTES + 1), None, f"at most {MAX_BYTES} bytes"),
        (png(10, "image/gif"), None, "says it is 'image/png' but its host says 'image/gif'"),
        (png(10, "text/html"), None, "'text/html' are not accepted"),
        (answer("200 OK", "content-length: 10"), None, "not accepted"),
        (b"220 hello, this is mail\r\n\r\n", None, "cannot be asked"),
        (b"", None, "cannot be asked"),
        (png(None, "image/png", "content-length: many"), None, "cannot be asked"),
        (answer("200 OK", "x: " + "y" * 100_000), None, "cannot be asked"),
    ],
)
async def test_a_link_whose_host_does_not_answer_well_is_refused(
    played: PlayedHosts, head: bytes, get: bytes | None, why: str
):
    played.answers = {"HEAD /a.png": head, "GET /a.png": get}

    with pytest.raises(BadRequest, match=why):
        await ask(played.files(), FilePart("image/png", played.url()))


async def test_all_files_of_a_request_count_together(played: PlayedHosts):
    played.answers = {"HEAD /a.png": png(MAX_BYTES - 3), "HEAD /b.png": png(2), "HEAD /c.png": png(3)}
    inline = FilePart("image/png", "data:image/png;base64,eA==")
    first, fits, large = (FilePart("image/png", played.url(f"/{name}.png")) for name in "abc")

    assert await ask(played.files(), first, fits, inline)
    with pytest.raises(BadRequest, match="too large"):
        await ask(played.files(), first, large, inline)


async def test_redirects_are_followed_among_allowed_hosts(played: PlayedHosts):
    played.answers = {
        "HEAD /a.png": answer("302 Found", "location: b.png", "content-length: 5"),
        "HEAD /b.png": answer("308 Moved", f"location: {played.url('/c.png', 'cdn.files.test')}"),
        "HEAD /c.png": answer("405 No"),
        "GET /c.png": answer("307 Moved", "location: /d.png"),
        "HEAD /d.png": png(),
    }
    file = FilePart("image/png", played.url())

    assert await ask(played.files(), file) == (file,)


@pytest.mark.parametrize(
    "location",
    [
        "https://other.test:{port}/b.png",
        "http://files.test:{port}/b.png",
        "https://files.test/b.png",
        "//x@files.test:{port}/",
        "file:///etc/passwd",
    ],
)
async def test_a_redirect_off_the_list_is_refused(played: PlayedHosts, location: str):
    played.answers["HEAD /a.png"] = answer("302 Found", "location: " + location.format(port=played.port))
    played.answers["HEAD /b.png"] = png()

    with pytest.raises(BadRequest, match="linked from an allowed host"):
        await ask(played.files(), FilePart("image/png", played.url()))

    assert played.asked == ["HEAD /a.png"]


async def test_a_redirect_without_an_end_is_refused(played: PlayedHosts):
    played.answers["HEAD /a.png"] = answer("302 Found", "location: /a.png")

    with pytest.raises(BadRequest, match="more than 3 redirects"):
        await ask(played.files(), FilePart("image/png", played.url()))

    assert len(played.asked) == 4


async def test_a_host_that_says_nothing_is_given_up_and_left(played: PlayedHosts):
    played.answers["HEAD /a.png"] = None

    with pytest.raises(BadRequest, match=r"within 1 s"):
        await ask(played.files(timeout_seconds=1), FilePart("image/png", played.url()))

    async with asyncio.timeout(5):
        await played.left.wait()


async def test_one_bad_link_among_good_ones_is_named(played: PlayedHosts):
    played.answers = {"HEAD /a.png": png(), "HEAD /b.png": answer("410 Gone"), "GET /b.png": answer("410 Gone")}
    good, bad = (FilePart("image/png", played.url(path)) for path in ("/a.png", "/b.png"))

    with pytest.raises(BadRequest, match=r"/b\.png cannot be had: its host answered 410"):
        await ask(played.files(), good, bad)


@pytest.mark.parametrize("addresses", [["10.0.0.7"], [LOOPBACK, "169.254.169.254"]])
async def test_a_name_that_stands_for_a_private_address_is_refused_before_it_is_reached(
    played: PlayedHosts, addresses: list[str]
):
    played.answers["HEAD /a.png"] = png()
    played.addresses["files.test"] = addresses

    with pytest.raises(BadRequest, match="not on the public internet"):
        await ask(played.files(), FilePart("image/png", played.url()))

    assert played.asked == []


async def test_a_redirect_to_a_private_address_is_refused(played: PlayedHosts):
    played.addresses["cdn.files.test"] = ["192.168.0.1"]
    played.answers["HEAD /a.png"] = answer("302 Found", f"location: {played.url('/b.png', 'cdn.files.test')}")

    with pytest.raises(BadRequest, match=r"cdn\.files\.test: it is not on the public internet"):
        await ask(played.files(), FilePart("image/png", played.url()))


async def test_loopback_is_private_unless_somebody_says_otherwise(played: PlayedHosts):
    files = RemoteFiles(FileHosts([f"127.0.0.1:{played.port}"]))

    with pytest.raises(BadRequest, match="not on the public internet"):
        await ask(files, FilePart("image/png", played.url(host=LOOPBACK)))


async def test_another_name_than_the_certificates_is_refused(played: PlayedHosts):
    played.answers["HEAD /a.png"] = png()

    with pytest.raises(BadRequest, match="cannot be asked"):
        await ask(played.files("strange.test"), FilePart("image/png", played.url(host="strange.test")))

    assert played.asked == []


async def test_an_address_that_refuses_is_followed_by_the_next(played: PlayedHosts):
    played.answers["HEAD /a.png"] = png()
    played.addresses["files.test"] = ["127.0.0.2", LOOPBACK]

    assert await ask(played.files(), FilePart("image/png", played.url()))


@pytest.mark.parametrize("host", ["a..files.test", "x" * 70 + ".files.test"])
async def test_a_name_no_resolver_takes_is_refused(played: PlayedHosts, host: str):
    files = RemoteFiles(FileHosts(["*.files.test"]))

    with pytest.raises(BadRequest, match="cannot be asked"):
        await ask(files, FilePart("image/png", f"https://{host}/a.png"))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_public(address: str):
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
    ],
)
def test_other_addresses_are_not(address: str):
    assert not is_public(ip_address(address))
