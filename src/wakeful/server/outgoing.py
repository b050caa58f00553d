"""Posts to addresses that clients name: never to this machine or a private network, whatever a host name stands for.

The address that was checked is the one that is asked, so no second look-up can lead elsewhere; redirects are not
followed.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import h11

from wakeful.contracts.errors import BadRequest, Unavailable
from wakeful.server.remote_files import READ_BYTES, Address, Lookup, is_public, system_lookup

LONGEST_URL = 2048
TIMEOUT_SECONDS = 10.0
PORTS = {"http": 80, "https": 443}

# Stricter than RFC 3986, so that a URL means the same host to everybody who reads it: no userinfo, no backslash.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9_.-]+|\[[0-9a-f:.]+\])(:(?P<port>\d{1,5}))?(?P<target>[/?][!-\[\]-~]*)?",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Target:
    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        return self.host if self.port == PORTS[self.scheme] else f"{self.host}:{self.port}"


def public_or_loopback(address: Address) -> bool:
    """For development: this machine, too."""
    return address.is_loopback or is_public(address)


class Outgoing:
    """Posts. `may_reach` decides about every address a host name stands for, before any is reached.

    `tls` is whose certificates are trusted, by default the system's. Without TLS only this machine can be asked, where
    `may_reach` allows it.
    """

    def __init__(
        self,
        *,
        lookup: Lookup = system_lookup,
        may_reach: Callable[[Address], bool] = is_public,
        tls: ssl.SSLContext | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._lookup = lookup
        self._may_reach = may_reach
        self._tls = tls
        self._timeout_seconds = timeout_seconds

    async def check(self, url: str) -> None:
        """Raise `BadRequest` unless a post may go to `url` as its host name stands now."""
        target = _read(url)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._addresses(target)
        except (OSError, UnicodeError, TimeoutError):
            raise BadRequest(f"the host {target.host} is not known; check the URL") from None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer, whose body is not read.

        Raises `BadRequest` for a URL that nothing may be posted to, `Unavailable` when its host does not answer.
        """
        target = _read(url)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._exchange(target, body, headers)
        except TimeoutError:
            raise Unavailable(f"{target.host} did not answer within {self._timeout_seconds:g} s") from None
        except (OSError, EOFError, UnicodeError, h11.ProtocolError):
            raise Unavailable(f"{target.host} cannot be reached, or does not speak HTTP") from None

    async def _exchange(self, target: _Target, body: bytes, headers: Mapping[str, str]) -> int:
        reader, writer = await self._connect(target)
        try:
            connection = h11.Connection(h11.CLIENT)
            fields = {"host": target.authority, "user-agent": "wakeful", "connection": "close", **headers}
            fields["content-length"] = str(len(body))
            request = h11.Request(method="POST", target=target.path, headers=list(fields.items()))
            for event in (request, h11.Data(data=body), h11.EndOfMessage()):
                writer.write(connection.send(event) or b"")
            await writer.drain()
            while True:
                event = connection.next_event()
                if isinstance(event, h11.Response):
                    return event.status_code
                if event is h11.NEED_DATA:
                    connection.receive_data(await reader.read(READ_BYTES))
                elif not isinstance(event, h11.InformationalResponse):
                    raise EOFError
        finally:
            writer.transport.abort()

    async def _connect(self, target: _Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The first address that can be reached, of those that were looked at."""
        addresses = await self._addresses(target)
        tls = await self._trusted() if target.scheme == "https" else None
        name = target.host.strip("[]") if tls else None
        problem = OSError("no address")
        for address in dict.fromkeys(addresses):
            try:
                return await asyncio.open_connection(str(address), target.port, ssl=tls, server_hostname=name)
            except OSError as error:
                problem = error
        raise problem

    async def _addresses(self, target: _Target) -> Sequence[Address]:
        addresses = await self._lookup(target.host.strip("[]"), target.port)
        if not addresses or not all(map(self._may_reach, addresses)):
            raise BadRequest(f"nothing may be posted to {target.host}: it is not on the public internet")
        if target.scheme == "http" and not all(address.is_loopback for address in addresses):
            raise BadRequest(f"nothing is posted to {target.host} in clear text; expected an https URL")
        return addresses

    async def _trusted(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        return self._tls


def _read(url: str) -> _Target:
    found = _URL.fullmatch(url) if len(url) <= LONGEST_URL else None
    if found is None:
        raise BadRequest("expected an https URL without credentials and fragment, of at most 2048 characters")
    scheme, path = found["scheme"].lower(), found["target"] or "/"
    port = int(found["port"] or PORTS[scheme])
    return _Target(scheme, found["host"].lower(), port, path if path.startswith("/") else f"/{path}")
