"""Asks the hosts of linked files for size and type, before a request that brings them is accepted.

The model's vendor fetches a linked file, not this server; it asks for the head of the answer only. What the host says
then may differ from what the vendor is given later: that is the trust an operator puts into `file_hosts`.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple
from urllib.parse import urljoin

import h11
import msgspec

from wakeful.contracts.errors import BadRequest
from wakeful.contracts.message import FilePart, InputPart
from wakeful.contracts.request import InputMessage
from wakeful.server.files import UNKNOWN_TYPE, FileHosts, Link, check_size, check_type, essence, inline_size

MAX_REDIRECTS = 3
TIMEOUT_SECONDS = 5.0
READ_BYTES = 16 * 1024
ASKING = (
    ("user-agent", "wakeful"),  # some hosts answer nobody without a name
    ("accept", "*/*"),
    ("accept-encoding", "identity"),
    ("connection", "close"),
)

Address = IPv4Address | IPv6Address
Lookup = Callable[[str, int], Awaitable[Sequence[Address]]]
"""All addresses of a host name. Raises `OSError` when there are none."""

_NAT64 = IPv6Network("64:ff9b::/96")
_RANGE = re.compile(r"bytes \d+-\d+/(\d+)")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


async def system_lookup(host: str, port: int) -> Sequence[Address]:
    """The addresses the system's resolver knows."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(entry[4][0]) for entry in found]


def is_public(address: Address) -> bool:
    """Whether an address is of the public internet: not this machine, a private network, or link-local.

    An IPv6 address that carries an IPv4 one is judged by that.
    """
    if isinstance(address, IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in _NAT64:
            carried = IPv4Address(int(address) & 0xFFFFFFFF)
        if carried is not None:
            return is_public(carried)
    return address.is_global and not address.is_multicast


class _Described(NamedTuple):
    size: int
    media_type: str


class RemoteFiles:
    """Looks at linked files. `may_reach` decides about every address a host name stands for, before any is reached.

    `tls` is whose certificates are trusted, by default the system's.
    """

    def __init__(
        self,
        hosts: FileHosts,
        *,
        lookup: Lookup = system_lookup,
        may_reach: Callable[[Address], bool] = is_public,
        tls: ssl.SSLContext | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._hosts = hosts
        self._lookup = lookup
        self._may_reach = may_reach
        self._tls = tls
        self._timeout_seconds = timeout_seconds

    async def described(self, messages: tuple[InputMessage, ...]) -> tuple[InputMessage, ...]:
        """The messages, each linked file with the type its host tells; without links they are the same.

        Raises `BadRequest` for a link that is not to an allowed host, leads elsewhere or to a private address, does
        not answer in time, tells no size or another type than declared, and for files too large together.
        """
        files = [part for message in messages for part in message.parts if isinstance(part, FilePart)]
        links = list(dict.fromkeys(file for file in files if _is_link(file)))
        if not links:
            return messages
        async with asyncio.TaskGroup() as group:
            asked = {file: group.create_task(self._describe(file)) for file in links}
        answers = {file: task.result() for file, task in asked.items()}
        for answer in answers.values():
            if isinstance(answer, BadRequest):
                raise answer
        told = {file: answer for file, answer in answers.items() if isinstance(answer, _Described)}
        check_size(sum(told[file].size if file in told else inline_size(file.url) for file in files))
        return tuple(_with_types(message, told) for message in messages)

    async def _describe(self, file: FilePart) -> _Described | BadRequest:
        """The file's description, or why there is none: as a value, so that the other hosts are not cut off."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                found = await self._follow(file.url)
            _check_agreement(file, found)
        except BadRequest as error:
            return error
        except TimeoutError:
            return BadRequest(f"{_named(file)}: its host did not answer within {self._timeout_seconds:g} s")
        except (OSError, EOFError, UnicodeError, h11.RemoteProtocolError):
            return BadRequest(f"{_named(file)}: its host cannot be asked; check the link or send the file inline")
        return found

    async def _follow(self, url: str) -> _Described:
        first = url
        for _ in range(MAX_REDIRECTS + 1):
            link = self._hosts.read(url)
            head = await self._ask(link, "HEAD")
            if head.status_code not in _REDIRECTS and (not _is_fine(head) or _size(head) is None):
                head = await self._ask(link, "GET")
            if head.status_code not in _REDIRECTS:
                return _description(first, head)
            url = urljoin(url, _field(head, b"location") or "")
        raise BadRequest(f"the file {first} is behind more than {MAX_REDIRECTS} redirects; link to it directly")

    async def _ask(self, link: Link, method: str) -> h11.Response:
        """The head of the answer; of the content at most one byte is asked for."""
        async with self._connected(link) as (reader, writer):
            connection = h11.Connection(h11.CLIENT)
            authority = link.host if link.port == 443 else f"{link.host}:{link.port}"
            fields = [("host", authority), *ASKING, *([("range", "bytes=0-0")] if method == "GET" else [])]
            request = h11.Request(method=method, target=link.target, headers=fields)
            writer.write((connection.send(request) or b"") + (connection.send(h11.EndOfMessage()) or b""))
            while True:
                event = connection.next_event()
                if isinstance(event, h11.Response):
                    return event
                if event is h11.NEED_DATA:
                    connection.receive_data(await reader.read(READ_BYTES))
                elif not isinstance(event, h11.InformationalResponse):
                    raise EOFError

    @asynccontextmanager
    async def _connected(self, link: Link) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection to an address that was looked at, so that no second look-up can lead elsewhere."""
        name = link.host.strip("[]")
        addresses = await self._lookup(name, link.port)
        if not all(map(self._may_reach, addresses)):
            raise BadRequest(f"files may not be linked from {link.host}: it is not on the public internet")
        reader, writer = await self._connect(addresses, link.port, name)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    async def _connect(
        self, addresses: Sequence[Address], port: int, name: str
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The first address that can be reached."""
        if self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        problem = OSError("no address")
        for address in dict.fromkeys(addresses):
            try:
                return await asyncio.open_connection(str(address), port, ssl=self._tls, server_hostname=name)
            except OSError as error:
                problem = error
        raise problem


def _is_link(file: FilePart) -> bool:
    return file.url[:5].lower() != "data:"


def _named(file: FilePart) -> str:
    return f"the file {file.url}"


def _is_fine(head: h11.Response) -> bool:
    return 200 <= head.status_code < 300


def _description(url: str, head: h11.Response) -> _Described:
    if not _is_fine(head):
        raise BadRequest(f"the file {url} cannot be had: its host answered {head.status_code}")
    size, media_type = _size(head), essence(_field(head, b"content-type") or "")
    if size is None:
        raise BadRequest(f"the file {url} has no known size: its host must send content-length or content-range")
    return _Described(size, media_type)


def _size(head: h11.Response) -> int | None:
    """The bytes of the whole file; None where the host does not tell them, or those of a packed form only."""
    if (_field(head, b"content-encoding") or "identity").lower() != "identity":
        return None
    if head.status_code == 206:
        found = _RANGE.fullmatch(_field(head, b"content-range") or "")
        return int(found[1]) if found else None
    length = _field(head, b"content-length")
    return int(length) if length is not None else None


def _field(head: h11.Response, name: bytes) -> str | None:
    return next((value.decode("latin-1") for found, value in head.headers if found == name), None)


def _check_agreement(file: FilePart, found: _Described) -> None:
    """The type found must be one requests may bring, and the declared one, or of its family."""
    check_type(found.media_type)
    declared, kind = file.media_type, found.media_type.partition("/")[0]
    if declared not in (UNKNOWN_TYPE, f"{kind}/*", found.media_type):
        raise BadRequest(f"{_named(file)} says it is {declared!r} but its host says {found.media_type!r}")


def _with_types(message: InputMessage, told: dict[FilePart, _Described]) -> InputMessage:
    def typed(part: InputPart) -> InputPart:
        if not isinstance(part, FilePart) or part not in told:
            return part
        return msgspec.structs.replace(part, media_type=told[part].media_type)

    return msgspec.structs.replace(message, parts=tuple(map(typed, message.parts)))
