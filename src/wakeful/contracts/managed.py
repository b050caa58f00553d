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


class PoolMember(Spec):
    """One model of a pool: a `ModelSpec` id or `"provider:model"`. A `spare` is asked only when no other can be."""

    model: Id
    weight: float = Field(default=1, gt=0, allow_inf_nan=False)
    role: Literal["member", "spare"] = "member"


class ModelPoolSpec(Spec):
    """Several models that stand in for one another, under one id that agents use like a model's.

    `home` chooses who is asked first: `weighted` by a hash of the conversation, so that all processes agree;
    `round_robin` in turns; `first` the first that works. A conversation (`sticky`) keeps its home while that works.
    """

    id: Id
    members: tuple[PoolMember, ...] = Field(min_length=1, max_length=32)
    home: Literal["weighted", "round_robin", "first"] = "weighted"
    sticky: Literal["thread", "run"] = "thread"
    quota_patience_seconds: float = Field(default=0, ge=0, le=60)
    """A vendor that wants a shorter pause than this is waited for instead of being left."""
    breaker_failures: int = Field(default=5, ge=1, le=1000)
    """After so many failures in a row a model is not asked ..."""
    breaker_seconds: float = Field(default=30, gt=0, le=3600)
    """... for so long; then one call tries it."""

    @model_validator(mode="after")
    def _sound(self) -> ModelPoolSpec:
        models = [member.model for member in self.members]
        if len(set(models)) < len(models):
            raise ValueError("a model is in the pool twice; give it a larger weight instead")
        if all(member.role == "spare" for member in self.members):
            raise ValueError("expected at least one member that is no spare")
        return self
