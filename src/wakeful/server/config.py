"""Settings of the HTTP server; every field can come from the environment as `WAKEFUL_<FIELD>`."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from wakeful.server.files import HOST

MIB = 1024 * 1024
PUBLIC_URL = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")
TOKEN = re.compile(r"[\x21-\x7e]+")
OPERATOR = re.compile(r"[A-Za-z0-9_.@-]{1,64}")
DIGEST = "sha256:"
SHA256 = re.compile(r"sha256:[0-9a-f]{64}")


class ServerConfig(BaseSettings):
    """How the server listens and what it allows.

    `api_tokens` maps a bearer token's scope to the token: `{"team-a": "secret"}`. While it is empty, everybody may
    do everything in the scope `default`.
    """

    model_config = SettingsConfigDict(env_prefix="WAKEFUL_", extra="forbid", frozen=True)

    address: str = "0.0.0.0:3000"
    sse_buffer_size: int = Field(default=64, ge=1, le=1024)
    """Most events handed to one connection at a time; a reader further behind reads the log."""
    heartbeat_seconds: float = Field(default=10, gt=0, le=300)
    max_body_bytes: int = Field(default=16 * MIB, ge=1024)
    health_timeout_seconds: float = Field(default=5, gt=0)
    api_tokens: dict[str, SecretStr] = {}
    admin_token: SecretStr | None = None
    """The bearer token of the operator `admin`. Without any operator there is no admin API."""

    admin_tokens: dict[str, SecretStr] = {}
    """Operators by name, each with a token, or better with `sha256:` and the hex digest of one."""

    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may call this server, such as `http://localhost:5173`; `*` is all. Empty: only its own."""

    file_hosts: tuple[str, ...] = ()
    """Hosts that https links to files may name: `files.example.com`, `*.example.com`, with `:port` unless it is 443."""

    public_url: str | None = None
    """Where clients find this server, such as `https://agents.example.com`; None: where each request came to."""

    push_to_loopback: bool = False
    """Whether notifications may be posted to this machine, also without TLS; for development only."""

    ai_sdk_version: Literal["5", "6", "7"] = "6"
    """The major version of the AI SDK that clients speak which do not say so."""

    @field_validator("file_hosts")
    @classmethod
    def _check_file_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if not HOST.fullmatch(host.lower()):
                raise ValueError(f"a file host is files.example.com, *.example.com or host:port; found {host!r}")
        return value

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str | None) -> str | None:
        if value is not None and not PUBLIC_URL.fullmatch(value):
            raise ValueError(f"public_url must be like https://agents.example.com or .../path; found {value!r}")
        return value.rstrip("/") if value else None

    @field_validator("address")
    @classmethod
    def _check_address(cls, value: str) -> str:
        host, colon, port = value.rpartition(":")
        if not (colon and host and port.isdigit() and int(port) <= 65535):
            raise ValueError(f"address must be host:port, such as 127.0.0.1:3000; found {value!r}")
        return value

    @field_validator("api_tokens")
    @classmethod
    def _check_tokens(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        tokens = [token.get_secret_value() for token in value.values()]
        if not all(TOKEN.fullmatch(token) for token in tokens):
            raise ValueError("a token is one or more visible ASCII characters")
        if len(set(tokens)) < len(tokens):
            raise ValueError("two scopes have the same token; give each its own")
        return value

    @field_validator("admin_token")
    @classmethod
    def _check_admin_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("a token is one or more visible ASCII characters")
        return value

    @field_validator("admin_tokens")
    @classmethod
    def _check_admin_tokens(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, token in value.items():
            text = token.get_secret_value()
            if not OPERATOR.fullmatch(name):
                raise ValueError(f"an operator is named by 1 to 64 letters, digits and -_.@; found {name!r}")
            if not TOKEN.fullmatch(text) or (text.startswith(DIGEST) and not SHA256.fullmatch(text)):
                raise ValueError("a token is visible ASCII characters, or sha256: and 64 hex digits")
        return value

    @property
    def has_operators(self) -> bool:
        """Whether anybody may use the admin API."""
        return self.admin_token is not None or bool(self.admin_tokens)

    @property
    def host(self) -> str:
        """The part of `address` before the last colon."""
        return self.address.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The part of `address` after the last colon."""
        return int(self.address.rpartition(":")[2])
