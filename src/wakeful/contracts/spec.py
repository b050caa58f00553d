"""What an operator writes about agents and models. Unknown fields are refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
ReasoningEffort = Literal["none", "minimal", "low", "medium", "high"]


class Spec(BaseModel):
    """Base of all specs: frozen, strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AgentSpec(Spec):
    """One agent. `model` is a `ModelSpec` id or `"provider:model"`; `tools` are names of registered tools."""

    id: Id
    model: Id
    instructions: str = ""
    description: str = ""
    tools: tuple[Id, ...] = ()
    max_steps: int = Field(default=16, ge=1, le=1000)
    max_output_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)
    reasoning_effort: ReasoningEffort | None = None
    max_retries: int = Field(default=2, ge=0, le=10)
    """How often one failed model call is asked again."""


class ModelSpec(Spec):
    """A model under a name of its own: which provider serves it and how that provider calls it."""

    id: Id
    provider: Id
    name: Id
    max_output_tokens: int | None = Field(default=None, ge=1)
