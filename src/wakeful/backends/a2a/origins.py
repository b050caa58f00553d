"""Which addresses a remote agent is asked at: those of its endpoint's origin, and of others the endpoint names.

The endpoint's own origin is the operator's choice and may be anywhere. To the others a stranger's card leads, so their
host names may only stand for public addresses, and the address that was looked at is the one that is asked.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

import httpx

from wakeful.backends.a2a.failures import UntrustedCard
from wakeful.contracts.spec import Endpoint

Address = IPv4Address | IPv6Address
Lookup = Callable[[str, int], Awaitable[Sequence[Address]]]
"""All addresses of a host name. Raises `OSError` when there are none."""
LOOKUP_SECONDS = 10
PORTS = {"http": 80, "https": 443}
NAT64 = IPv6Network("64:ff9b::/96")


async def system_lookup(host: str, port: int) -> Sequence[Address]:
    """The addresses the system's resolver knows."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(entry[4][0]) for entry in found]


class Origins:
    """The origins of one endpoint."""

    def __init__(self, agent_id: str, endpoint: Endpoint) -> None:
        self._agent_id = agent_id
        self._on_loopback = endpoint.interfaces_on_loopback
        self.home = origin(endpoint.url)
        self._others = frozenset(map(origin, endpoint.interface_origins))

    def allow(self, url: str) -> bool:
        """Whether a card may lead to `url`."""
        return origin(url) in {self.home, *self._others}

    def refused(self, url: str) -> UntrustedCard:
        """The error for a card that leads to `url`."""
        return UntrustedCard(
            f"the card of remote agent {self._agent_id} leads to {origin(url)}, and only "
            f"{', '.join((self.home, *sorted(self._others)))} may be asked; name that origin in interface_origins of "
            "its endpoint, or let that server say its public address"
        )

    def check_addresses(self, url: str, addresses: Sequence[Address]) -> None:
        """Raise `UntrustedCard` unless another origin's host stands for addresses that may be asked."""
        local = self._on_loopback and all(address.is_loopback for address in addresses)
        if local:
            return
        if not addresses or not all(map(is_public, addresses)):
            raise UntrustedCard(
                f"the card of remote agent {self._agent_id} leads to {origin(url)}, which is not on the public internet"
            )
        if urlsplit(url).scheme != "https":
            raise UntrustedCard(
                f"the card of remote agent {self._agent_id} leads to {origin(url)}, which is asked over https only"
            )


class GuardedTransport(httpx.AsyncBaseTransport):
    """Sends requests to `origins` only, to another than home at the address that was looked at."""

    def __init__(self, inner: httpx.AsyncBaseTransport, origins: Origins, *, lookup: Lookup = system_lookup) -> None:
        self._inner = inner
        self._origins = origins
        self._lookup = lookup

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The response. Raises `UntrustedCard` for an address that must not be asked."""
        url = str(request.url)
        if not self._origins.allow(url):
            raise self._origins.refused(url)
        if origin(url) == self._origins.home:
            return await self._inner.handle_async_request(request)
        problem = httpx.ConnectError(f"the host {request.url.host} has no address", request=request)
        for address in dict.fromkeys(await self._addresses(request)):
            try:
                return await self._inner.handle_async_request(_at(request, address))
            except httpx.ConnectError as error:
                problem = error
        raise problem

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    async def _addresses(self, request: httpx.Request) -> Sequence[Address]:
        url = request.url
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                found = await self._lookup(url.host, url.port or PORTS[url.scheme])
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(f"the host {url.host} is not known", request=request) from error
        self._origins.check_addresses(str(url), found)
        return found


def _at(request: httpx.Request, address: Address) -> httpx.Request:
    """The request to this address; the host is still named to it, and proved by TLS."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )


def origin(url: str) -> str:
    """Scheme, host and port of an http URL; of anything else something that is no other's origin."""
    try:
        split = urlsplit(url)
        port = split.port or PORTS[split.scheme]
    except (ValueError, KeyError):
        return f"not http: {url[:100]}"
    if split.username is not None or not split.hostname:
        return f"not a plain address: {split.hostname}"
    return f"{split.scheme}://{split.hostname}:{port}"


def is_public(address: Address) -> bool:
    """Whether an address is of the public internet; an IPv6 address that carries an IPv4 one is judged by that."""
    if isinstance(address, IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in NAT64:
            carried = IPv4Address(int(address) & 0xFFFFFFFF)
        if carried is not None:
            return is_public(carried)
    return address.is_global and not address.is_multicast
