"""One vendor's HTTP endpoint: posts a request and hands the reply's events to a reader as they arrive.

aiohttp is imported with the first request: it takes a tenth of a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import urlsplit

import msgspec

from wakeful.contracts.errors import ConfigurationError, ModelError
from wakeful.contracts.model import ModelChunk
from wakeful.providers.failures import Failures
from wakeful.providers.sse import EventReader

if TYPE_CHECKING:
    import aiohttp

CONNECT_TIMEOUT_MS = 10_000
IDLE_TIMEOUT_MS = 60_000
READ_BYTES = 16 * 1024
DRAIN_SECONDS = 0.1
LONGEST_ERROR_BODY = 64 * 1024
_EVENT_STREAM = frozenset({"text/event-stream", "application/octet-stream"})  # the second: no content-type was sent


def host_of(base_url: str) -> str:
    """The host a base URL names. Raises `ConfigurationError`, without repeating the URL: it may hold a password."""
    try:
        parts = urlsplit(base_url)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return parts.hostname
    except ValueError:
        pass
    raise ConfigurationError("a provider's base_url is not an http or https URL; check its configuration")


class ReplyReader(Protocol):
    """Understands one vendor's events."""

    @property
    def finished(self) -> bool:
        """Whether the end of the reply was read."""
        ...

    def read(self, data: bytes) -> list[ModelChunk]:
        """The chunks of one event; the one that ends the reply gives `ReplyFinished`.

        Raises `ModelError`, or what msgspec raises for an event that cannot be understood.
        """
        ...

    def end(self) -> list[ModelChunk]:
        """The stream is over without an end marker: the last chunks, if what was read is a whole reply.

        Raises `ModelUnavailable` if it is not.
        """
        ...


class Question(NamedTuple):
    """One request in the vendor's words, and who understands its reply."""

    path: str
    body: bytes
    reply: ReplyReader


class Endpoint:
    """Where one vendor is asked. The connection pool opens with the first request, in its event loop.

    `idle_timeout_ms` bounds the wait for the first byte and between bytes. Raises `ConfigurationError` when aiohttp
    is not installed.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str],
        failures: Failures,
        connect_timeout_ms: int = CONNECT_TIMEOUT_MS,
        idle_timeout_ms: int = IDLE_TIMEOUT_MS,
    ) -> None:
        _require_aiohttp()
        self._base_url = base_url.rstrip("/")
        self._headers = {**headers, "content-type": "application/json", "accept": "text/event-stream"}
        self._failures = failures
        self._connect_timeout_ms = connect_timeout_ms
        self._idle_timeout_ms = idle_timeout_ms
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, begin: Callable[[], Question]) -> AsyncGenerator[list[ModelChunk]]:
        """Post what `begin` gives and yield the chunks of each network read. Raises `ModelError` only.

        A vendor that sends faster than it is read gets a turn of the event loop for each 16 KiB, like all others.
        """
        path, body, reply = begin()
        events = EventReader()
        with self._translating():
            # Redirects are not followed: the key would travel to wherever they point.
            async with await self._open().post(self._base_url + path, data=body, allow_redirects=False) as response:
                del body  # it may be long, and the reply takes its time
                await self._check(response)
                content = response.content
                while read := await content.read(READ_BYTES):
                    batch: list[ModelChunk] = []
                    try:
                        self._read_into(batch, events.feed(read), reply)
                    except ModelError:
                        if batch:
                            yield batch
                        raise
                    if batch:
                        yield batch
                    if reply.finished:
                        await _drain(content)
                        return
                    if len(read) == READ_BYTES:
                        await asyncio.sleep(0)
        yield reply.end()

    async def aclose(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    def _read_into(self, batch: list[ModelChunk], events: list[bytes], reply: ReplyReader) -> None:
        try:
            for data in events:
                if reply.finished:
                    return
                batch += reply.read(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise self._failures.malformed(str(error)) from error

    @contextmanager
    def _translating(self) -> Generator[None]:
        """What goes wrong with the connection, as a `ModelError`."""
        import aiohttp

        try:
            yield
        except aiohttp.ConnectionTimeoutError as error:
            raise self._failures.slow_to_connect(self._connect_timeout_ms) from error
        except aiohttp.ServerTimeoutError as error:
            raise self._failures.silent(self._idle_timeout_ms) from error
        except aiohttp.ClientConnectorError as error:
            raise self._failures.unreachable(error.strerror or type(error).__name__) from error
        except (aiohttp.ClientError, ConnectionError) as error:
            raise self._failures.dropped() from error

    def _open(self) -> aiohttp.ClientSession:
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),  # the worker bounds how many runs ask at once
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(
                    total=None, connect=self._connect_timeout_ms / 1000, sock_read=self._idle_timeout_ms / 1000
                ),
            )
        return self._session

    async def _check(self, response: aiohttp.ClientResponse) -> None:
        if not 200 <= response.status < 300:
            headers = {name.lower(): value for name, value in response.headers.items()}
            raise self._failures.refused(response.status, headers, await _error_body(response.content))
        if response.content_type not in _EVENT_STREAM:
            raise self._failures.malformed(f"expected an event stream, got {response.content_type}")


async def _error_body(content: aiohttp.StreamReader) -> bytes:
    """As much of the body as can be had: the status alone is worth reporting."""
    import aiohttp

    body = b""
    with suppress(aiohttp.ClientError, ConnectionError):
        async for read in content.iter_any():
            body += read
            if len(body) > LONGEST_ERROR_BODY:
                break
    return body


async def _drain(content: aiohttp.StreamReader) -> None:
    """Read the few bytes behind the end marker, so that the connection can be used again."""
    if content.at_eof():
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            async for _ in content.iter_any():
                pass


def _require_aiohttp() -> None:
    if find_spec("aiohttp") is None:
        raise ConfigurationError('this provider needs aiohttp: pip install "wakeful[models]"')
