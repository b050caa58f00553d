"""Settings of the runtime; every field can come from the environment as `WAKEFUL_<FIELD>`."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class RuntimeConfig(BaseSettings):
    """How much a process carries, how long it is patient, and how long logs are kept."""

    model_config = SettingsConfigDict(env_prefix="WAKEFUL_", env_parse_none_str="null", extra="forbid", frozen=True)

    worker_capacity: int = Field(default=10_000, ge=0)
    """How many runs one process carries at once; with 0 it only accepts them."""
    lease_seconds: float = Field(default=30, ge=1, le=3600)
    """After how long without a sign of life another worker takes a run over."""
    max_attempts: int = Field(default=5, ge=1, le=100)
    """How often a run may fail in a row, without finishing a step in between, before it is given up."""
    max_backlog: int = Field(default=256, ge=1)
    """How many unfinished runs one thread may have; a request beyond that is refused."""
    shutdown_grace_seconds: float = Field(default=30, ge=0, le=3600)
    """How long running steps may go on once the process was asked to stop."""
    compact_after_seconds: float | None = Field(default=3600, ge=0)
    """When the log of a finished run is packed; null: never."""
    prune_after_seconds: float | None = Field(default=None, ge=0)
    """When the log of a finished run is removed; null: never. Messages are kept."""
    migrate: bool = True
    """Whether a process that starts brings PostgreSQL's schema up to date; else it refuses an old one."""
    secret_key: SecretStr | None = Field(default=None, repr=False)
    """The key that seals secrets in the managed configuration; several apart by commas, of which the first seals."""
    bus: str | None = Field(default=None, repr=False)
    """The URL of a message bus between the processes that share the store; null: none."""
