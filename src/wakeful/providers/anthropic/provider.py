"""Models behind an Anthropic messages endpoint."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from wakeful.contracts.model import ModelChunk, ModelRequest
from wakeful.contracts.model_errors import ModelUnauthorised
from wakeful.providers.anthropic.prompt import encode_prompt
from wakeful.providers.anthropic.reply import MessageReply
from wakeful.providers.call_ids import CallIds
from wakeful.providers.failures import Failures
from wakeful.providers.http import CONNECT_TIMEOUT_MS, IDLE_TIMEOUT_MS, Endpoint, host_of

ANTHROPIC_URL = "https://api.anthropic.com"
VERSION = "2023-06-01"


class AnthropicProvider:
    """Asks `POST {base_url}/v1/messages`, streaming (Anthropic API reference, version 2023-06-01).

    Without `api_key` a server of one's own is asked without an `x-api-key` header; Anthropic itself is not asked and
    `ModelUnauthorised` raised. `headers` are added to every request. Raises `ConfigurationError` when aiohttp is not
    installed or `base_url` is none.
    """

    def __init__(
        self,
        name: str = "anthropic",
        *,
        api_key: str | None = None,
        base_url: str = ANTHROPIC_URL,
        headers: Mapping[str, str] | None = None,
        connect_timeout_ms: int = CONNECT_TIMEOUT_MS,
        idle_timeout_ms: int = IDLE_TIMEOUT_MS,
    ) -> None:
        self._name = name
        self._unauthorised = host_of(base_url) == host_of(ANTHROPIC_URL) and not api_key
        extra = dict(headers or {})
        self._failures = Failures(name, [api_key, *extra.values()])
        self._endpoint = Endpoint(
            base_url,
            headers={"anthropic-version": VERSION, **({"x-api-key": api_key} if api_key else {}), **extra},
            failures=self._failures,
            connect_timeout_ms=connect_timeout_ms,
            idle_timeout_ms=idle_timeout_ms,
        )

    @property
    def name(self) -> str:
        """The prefix in `"name:model"`."""
        return self._name

    async def stream(self, request: ModelRequest) -> AsyncGenerator[list[ModelChunk]]:
        """Ask the model."""
        if self._unauthorised:
            raise ModelUnauthorised(f"{self._name} has no API key: set ANTHROPIC_API_KEY")
        body = encode_prompt(request, provider=self._name)
        reply = MessageReply(self._failures, CallIds(request))
        async with aclosing(self._endpoint.ask("/v1/messages", body, reply)) as batches:
            async for batch in batches:
                yield batch

    async def aclose(self) -> None:
        """Release connections; the provider is not used afterwards."""
        await self._endpoint.aclose()
