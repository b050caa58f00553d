"""What an operator writes about an MCP server: how to reach it, which of its tools to offer, how far to trust it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from wakeful.contracts.spec import Id, Spec

ServerId = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9-]+(_[a-zA-Z0-9-]+)*$", max_length=24)]
Approval = Literal["always", "destructive", "never"]


class StdioSpec(Spec):
    """A server that is started here and spoken to over its pipes: no shell, no inherited secrets.

    Of our environment it sees the few harmless variables the SDK names (`PATH`, `HOME` ...), those listed in
    `env_from`, and what `env` sets.
    """

    command: str = Field(min_length=1)
    args: tuple[str, ...] = ()
    env: dict[str, str] = Field(default_factory=dict)
    env_from: tuple[Id, ...] = ()
    cwd: str | None = None


class OAuthSpec(Spec):
    """The client credentials grant (RFC 6749, section 4.4). Tokens are kept in memory and asked for again when needed.

    The secret, in the environment variable `client_secret_env`, goes to the authorization server `issuer` and nowhere
    else, whatever the MCP server advertises.
    """

    issuer: str = Field(pattern=r"^https?://")
    client_id: str
    client_secret_env: Id
    scope: str | None = None


class HttpSpec(Spec):
    """A server behind the streamable HTTP transport. Redirects to another origin are not followed.

    `headers_env` names the environment variables that hold the values of headers, `token_env` the one with a bearer
    token.
    """

    url: str = Field(pattern=r"^https?://", max_length=2000)
    headers_env: dict[str, Id] = Field(default_factory=dict)
    token_env: Id | None = None
    oauth: OAuthSpec | None = None

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if self.token_env and self.oauth:
            raise ValueError("expected token_env or oauth, found both; remove one")
        return self


class McpServerSpec(Spec):
    """One MCP server. Its tools are `mcp__<id>__<tool>`; exactly one of `stdio` and `http` is given.

    `allow` and `exclude` are patterns (`*`, `?`) of the server's own tool names. `approval` says which calls ask a
    human first: `destructive` means those of tools that do not promise to be harmless, and a promise counts only with
    `trust_annotations`, so that by default every call asks. Trusted annotations also say what a crash means:
    `readOnlyHint` is the effect `pure`, `idempotentHint` is `idempotent`; everything else is `once`.
    """

    id: ServerId
    stdio: StdioSpec | None = None
    http: HttpSpec | None = None
    allow: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    approval: Approval = "destructive"
    trust_annotations: bool = False
    era: Literal["auto", "legacy"] = "auto"
    """`legacy` greets with `initialize` at once: for servers that say nothing at all to `server/discover`."""
    connect_timeout_seconds: float = Field(default=30, gt=0, le=600)
    """How long starting, connecting and listing tools may take together."""
    call_timeout_seconds: float = Field(default=120, gt=0, le=86_400)
    check_seconds: float = Field(default=60, ge=1)
    """How often the list of tools is asked for when nothing says that it changed; also how a dead server is noticed."""
    max_tools: int = Field(default=128, ge=1, le=1000)
    max_message_bytes: int = Field(default=4 << 20, ge=1024, le=64 << 20)
    """The longest message the server may send; a longer one ends the connection or the answer."""

    @model_validator(mode="after")
    def _reachable_in_one_way(self) -> Self:
        if (self.stdio is None) == (self.http is None):
            raise ValueError(f"MCP server {self.id!r}: expected exactly one of stdio and http")
        return self
