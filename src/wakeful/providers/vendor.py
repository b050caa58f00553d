"""What providers that ask one HTTP endpoint with one key have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping
from typing import ClassVar

from wakeful.contracts.model import ModelChunk, ModelRequest
from wakeful.contracts.model_errors import ModelUnauthorised
from wakeful.providers.failures import Failures
from wakeful.providers.http import CONNECT_TIMEOUT_MS, IDLE_TIMEOUT_MS, Endpoint, Question, host_of


class VendorProvider(ABC):
    """Keeps the `Provider` promise with one vendor's wire; `question` is what a vendor adds.

    `name` is the prefix in `"name:model"`, `VENDOR` unless given. Without `api_key` a server of one's own at
    `base_url` is asked without credentials; the vendor itself (`HOME`) is not asked and `ModelUnauthorised` raised,
    naming `KEY_VARIABLE`. `headers` are added to every request. Raises `ConfigurationError` when aiohttp is not
    installed or `base_url` is none.
    """

    VENDOR: ClassVar[str]
    HOME: ClassVar[str]
    KEY_VARIABLE: ClassVar[str]

    def __init__(
        self,
        name: str | None = None,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        headers: Mapping[str, str] | None = None,
        connect_timeout_ms: int = CONNECT_TIMEOUT_MS,
        idle_timeout_ms: int = IDLE_TIMEOUT_MS,
    ) -> None:
        self._name = name or self.VENDOR
        base_url = base_url or self.HOME
        self._at_home = host_of(base_url) == host_of(self.HOME)
        self._has_key = bool(api_key)
        extra = dict(headers or {})
        self._failures = Failures(self._name, [api_key, *extra.values()])
        self._endpoint = Endpoint(
            base_url,
            headers={**self.identify(api_key), **extra},
            failures=self._failures,
            connect_timeout_ms=connect_timeout_ms,
            idle_timeout_ms=idle_timeout_ms,
        )

    @property
    def name(self) -> str:
        """The prefix in `"name:model"`."""
        return self._name

    @abstractmethod
    def question(self, request: ModelRequest) -> Question:
        """The request in the vendor's words."""

    def identify(self, api_key: str | None) -> dict[str, str]:
        """The headers that say who asks."""
        return {"authorization": f"Bearer {api_key}"} if api_key else {}

    def stream(self, request: ModelRequest) -> AsyncGenerator[list[ModelChunk]]:
        """Ask the model."""
        return self._endpoint.ask(lambda: self._question(request))

    def _question(self, request: ModelRequest) -> Question:
        if self._at_home and not self._has_key:
            raise ModelUnauthorised(f"{self._name} has no API key: set {self.KEY_VARIABLE}")
        return self.question(request)

    async def aclose(self) -> None:
        """Release connections; the provider is not used afterwards."""
        await self._endpoint.aclose()
