"""What an operator writes about agents and models. Unknown fields are refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from wakeful.contracts.glob import GlobText
from wakeful.contracts.regex import TextPattern

Id = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
ReasoningEffort = Literal["none", "minimal", "low", "medium", "high"]


PublicKey = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, max_length=10_000, pattern=r"^-----BEGIN PUBLIC KEY-----\s[^-]+-----END PUBLIC KEY-----$"
    ),
]
"""A public key in PEM (RFC 7468, SubjectPublicKeyInfo)."""
Origin = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, to_lower=True, pattern=r"^https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?$"
    ),
]
"""Scheme, host and port of a URL (RFC 6454)."""


class Spec(BaseModel):
    """Base of all specs: frozen, strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Endpoint(Spec):
    """Where a remote agent answers. `url` is its agent card, or the server that has one at the well-known place.

    `agent` is the tenant or agent id there, None the server's own choice. `token_env` names the environment variable
    that holds the bearer token to send. `timeout_seconds` is how long the other side may say nothing at all.
    `trusted_keys` are public keys in PEM: with any, the card must be signed with one of them. The card may lead to the
    origin of `url`, and to `interface_origins` (`https://host` or `https://host:port`) on the public internet; with
    `interfaces_on_loopback`, for development, these may be on this machine and without TLS.
    """

    model_config = ConfigDict(hide_input_in_errors=True)  # what is no public key may be a private one

    url: str = Field(pattern=r"^https?://", max_length=2000)
    agent: Id | None = None
    token_env: Id | None = None
    timeout_seconds: float = Field(default=300, gt=0, allow_inf_nan=False)
    trusted_keys: tuple[PublicKey, ...] = ()
    interface_origins: tuple[Origin, ...] = ()
    interfaces_on_loopback: bool = False


class AgentSpec(Spec):
    """One agent. `model` is a `ModelSpec` id or `"provider:model"`; `tools` are names of tools, or globs over
    them: `mcp__github__*`.

    An agent without a model is carried by a function of its author, or by another server at `endpoint`.

    The limits `max_steps` to `stop_on_text` end a run after the step they close and keep its answer; `None` is no
    limit. An answer that needs no further step is a natural end, whatever limit it reaches.
    """

    id: Id
    model: Id | None = None
    endpoint: Endpoint | None = None
    instructions: str = ""
    description: str = ""
    """What others are told of the agent: public, unlike the instructions."""
    tools: tuple[GlobText, ...] = ()
    delegates: tuple[Id, ...] = ()
    """Other agents this one may hand work to: each is a tool named by the agent's id."""
    handoffs: tuple[Id, ...] = ()
    """Other agents that may take the conversation over: each is a tool named `transfer_to_` and the agent's id."""
    max_steps: int = Field(default=16, ge=1, le=1000)
    max_output_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)
    reasoning_effort: ReasoningEffort | None = None
    max_retries: int = Field(default=2, ge=0, le=10)
    """How often one failed model call is asked again."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Input and output tokens of the whole run."""
    max_seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """How long the run may be carried; waiting for decisions does not count."""
    max_cost: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """US dollars for the model calls of the whole run; the price of the model must be known."""
    max_tool_errors: int | None = Field(default=None, ge=1)
    """Failed tool calls in a row; a denied or cancelled one neither counts nor interrupts the row."""
    max_repeats: int | None = Field(default=None, ge=2)
    """Steps in a row with the identical calls (names and arguments), or with the identical text."""
    stop_on_tools: tuple[Id, ...] = ()
    """A step in which one of these tools succeeded is the last."""
    stop_on_text: TextPattern | None = None
    """A step whose visible text holds a match of this regular expression (Rust's syntax) is the last."""
    max_tool_output_bytes: int = Field(default=65_536, ge=256)
    """A longer result is cut, and says so."""
    question_timeout_seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """How long a question waits for its answer; `None` is for ever."""

    @model_validator(mode="after")
    def _one_carrier(self) -> AgentSpec:
        if self.model is not None and self.endpoint is not None:
            raise ValueError("an agent has a model or an endpoint, not both; remove one")
        return self


class ModelSpec(Spec):
    """A model under a name of its own: which provider serves it and how that provider calls it."""

    id: Id
    provider: Id
    name: Id
    max_output_tokens: int | None = Field(default=None, ge=1)
