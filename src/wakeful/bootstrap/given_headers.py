"""Adds headers whose values were handed over, not configured, to every request to one server."""

from __future__ import annotations

from collections.abc import Generator, Mapping

import httpx2


class GivenHeaders(httpx2.Auth):
    """Set instead of headers of the same name."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = dict(headers)

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response]:
        """The request, with them."""
        request.headers.update(self._headers)
        yield request
