"""The HTTP transport's client: who we are to the server, and how much of it we read.

The SDK's transport reads a JSON answer of any length, and one request that cannot be sent ends its whole session; here
both become the failure of that request.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import anyio
import httpx2
from mcp.client.auth import TokenStorage
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from mcp.shared.message import SessionMessage

from wakeful.contracts.errors import ConfigurationError
from wakeful.plugins.mcp.guard import Guard
from wakeful.plugins.mcp.spec import HttpSpec, OAuthSpec

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams

UNREACHABLE = -32090
"""A code of no meaning to the SDK, which takes -32000 for the end of the whole session."""
EVENT_STREAM = "text/event-stream"


@asynccontextmanager
async def http_transport(
    spec: HttpSpec, *, guard: Guard, max_message_bytes: int, connect_seconds: float, auth: httpx2.Auth | None
) -> AsyncGenerator[TransportStreams]:
    """A server's message streams, for the SDK's `Client`. Raises `ConfigurationError` when a secret is missing."""
    client = httpx2.AsyncClient(
        transport=BoundedTransport(httpx2.AsyncHTTPTransport(), max_message_bytes),
        headers={**request_headers(spec), "accept-encoding": "identity"},
        auth=auth or token_source(spec),
        timeout=httpx2.Timeout(connect_seconds, read=None),
    )
    inbound, received = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    async with (
        client,
        streamable_http_client(spec.url, http_client=client, max_sse_event_size=max_message_bytes) as (read, write),
        inbound,
        received,
        anyio.create_task_group() as tasks,
    ):

        async def pump() -> None:
            with contextlib.suppress(anyio.BrokenResourceError):  # the session is gone
                async with inbound:
                    async for item in read:
                        if guard.admits(item):
                            await inbound.send(item)

        tasks.start_soon(pump)
        try:
            yield received, write
        finally:
            tasks.cancel_scope.cancel()


def request_headers(spec: HttpSpec, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The headers of every request, with their values from the environment."""
    headers = {name: _secret(variable, environment) for name, variable in spec.headers_env.items()}
    if spec.token_env is not None:
        headers["authorization"] = f"Bearer {_secret(spec.token_env, environment)}"
    return headers


def token_source(spec: HttpSpec, environment: Mapping[str, str] = os.environ) -> httpx2.Auth | None:
    """What gets and renews tokens, where OAuth is configured."""
    oauth: OAuthSpec | None = spec.oauth
    if oauth is None:
        return None
    return ClientCredentialsOAuthProvider(
        server_url=spec.url,
        storage=_Memory(),
        client_id=oauth.client_id,
        client_secret=_secret(oauth.client_secret_env, environment),
        scope=oauth.scope,
        issuer=oauth.issuer,
    )


class BoundedTransport(httpx2.AsyncBaseTransport):
    """Sends requests through another transport; no answer but an event stream is longer than `max_bytes`.

    A server that cannot be reached is an answer too, 503 with a JSON-RPC error, so that only its request fails.
    """

    def __init__(self, inner: httpx2.AsyncBaseTransport, max_bytes: int) -> None:
        self._inner = inner
        self._max_bytes = max_bytes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The response, its body bounded while it is read."""
        try:
            response = await self._inner.handle_async_request(request)
        except httpx2.TransportError as error:
            problem = {"code": UNREACHABLE, "message": f"the server cannot be reached: {type(error).__name__}"}
            return httpx2.Response(503, json={"jsonrpc": "2.0", "id": None, "error": problem}, request=request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            problem = {"code": UNREACHABLE, "message": "the server compressed its answer, which was not asked for"}
            return httpx2.Response(502, json={"jsonrpc": "2.0", "id": None, "error": problem}, request=request)
        streamed = response.headers.get("content-type", "").lower().startswith(EVENT_STREAM)
        limit = None if streamed else self._max_bytes
        response.stream = _BoundedBody(cast("httpx2.AsyncByteStream", response.stream), limit)  # an async client's
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


class _BoundedBody(httpx2.AsyncByteStream):
    """A body that fails as one of its own kind of error when it is too long, or when its connection breaks."""

    def __init__(self, inner: httpx2.AsyncByteStream, limit: int | None) -> None:
        self._inner = inner
        self._limit = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        total = 0
        try:
            async for chunk in self._inner:
                total += len(chunk)
                if self._limit is not None and total > self._limit:
                    raise httpx2.StreamError(f"the answer has more than {self._limit} bytes")
                yield chunk
        except httpx2.TransportError as error:
            raise httpx2.StreamError(f"the connection broke: {type(error).__name__}") from error

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Memory(TokenStorage):
    """Tokens of this process; the client's registration is configured and need not be kept."""

    def __init__(self) -> None:
        self._tokens: OAuthToken | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self._tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self._tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return None

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        del client_info


def _secret(variable: str, environment: Mapping[str, str]) -> str:
    value = environment.get(variable)
    if not value:
        raise ConfigurationError(f"the environment variable {variable} is not set; an MCP server needs its value")
    return value
