"""Specs that exist only where operators manage the configuration: providers, and what they say of tools."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from wakeful.contracts.secret import Secret
from wakeful.contracts.spec import Id, Spec

Adapter = Literal["openai", "openai-responses", "anthropic", "pydantic-ai", "demo"]


class ProviderSpec(Spec):
    """Where models are asked, under a name of its own: `"<id>:<model>"`, or the `provider` of a model.

    The key is `api_key`, kept sealed, or in the environment variable `api_key_env`. Without `base_url` the vendor
    itself is asked. `headers` are added to every request and as secret as the key. `pydantic-ai` and `demo` take none
    of these.
    """

    id: Id
    adapter: Adapter
    api_key: Secret | None = None
    api_key_env: Id | None = None
    base_url: str | None = Field(default=None, pattern=r"^https?://[^?#]+$", max_length=2000)
    headers: dict[str, Secret] = Field(default_factory=dict)
    connect_timeout_seconds: float = Field(default=15, gt=0, le=600)
    idle_timeout_seconds: float = Field(default=120, gt=0, le=3600)
    """How long the vendor may say nothing in the middle of a reply."""

    @model_validator(mode="after")
    def _one_key(self) -> ProviderSpec:
        if self.api_key is not None and self.api_key_env is not None:
            raise ValueError("expected api_key or api_key_env, found both; remove one")
        if self.adapter in {"pydantic-ai", "demo"} and (self.api_key or self.api_key_env or self.base_url):
            raise ValueError(f"{self.adapter} takes neither a key nor an address; remove them")
        return self


class ToolPatch(Spec):
    """What models are told of a tool that code defines: everything else about it is code."""

    id: Id
    description: str = Field(max_length=8000)
