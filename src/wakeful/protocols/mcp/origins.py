"""Which pages may call: browsers name theirs in `Origin`, and a page elsewhere must not reach a server at home."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.requests import Request

from wakeful.server.config import ServerConfig


class Origins:
    """Judges the `Origin` of a request (MCP 2025-11-25 and 2026-07-28, transports, security warning).

    Taken are pages on this machine, the configured `cors_origins`, and the server's own pages where tokens are needed:
    without them a page whose name was rebound to this machine would pass for our own.
    """

    def __init__(self, config: ServerConfig) -> None:
        self._listed = frozenset(config.cors_origins)
        self._own = bool(config.api_tokens)

    def allow(self, request: Request) -> bool:
        """Whether a request comes from no page, or from one that may ask."""
        origin = request.headers.get("origin")
        if origin is None or origin in self._listed or "*" in self._listed:
            return True
        try:
            host, port = urlsplit(origin).hostname, urlsplit(origin).netloc
        except ValueError:
            return False
        return host is not None and (_is_here(host) or (self._own and port == request.headers.get("host")))


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
