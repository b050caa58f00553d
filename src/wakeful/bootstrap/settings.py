"""Reads the settings of the server and the runtime from the environment."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsError

from wakeful.contracts.errors import ConfigurationError
from wakeful.runtime.config import RuntimeConfig
from wakeful.server.config import ServerConfig

LOOPBACK = "127.0.0.1:3000"

S = TypeVar("S", bound=BaseSettings)


def read_settings(**given: Any) -> ServerConfig:
    """The settings of `WAKEFUL_*`, where `null` means none; what is given here wins.

    Raises `ConfigurationError` naming each bad variable, never its value.
    """
    return _read(ServerConfig, given)


def read_runtime_settings(**given: Any) -> RuntimeConfig:
    """The same for the runtime."""
    return _read(RuntimeConfig, given)


def _read(settings: type[S], given: dict[str, Any]) -> S:
    try:
        return settings(_env_parse_none_str="null", **given)
    except ValidationError as error:
        problems = [f"WAKEFUL_{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        raise ConfigurationError("; ".join(problems)) from None
    except SettingsError as error:
        raise ConfigurationError(f"{error}; expected JSON in the variable WAKEFUL_<FIELD>") from None


def at_address(config: ServerConfig, *, host: str | None, port: int | None) -> ServerConfig:
    """The settings for the command line: its `host` and `port`, else an address somebody set, else loopback."""
    said = config if "address" in config.model_fields_set else config.model_copy(update={"address": LOOPBACK})
    host, port = host or said.host, said.port if port is None else port
    shown = f"[{host}]" if ":" in host else host
    return read_settings(**{**said.model_dump(include=said.model_fields_set), "address": f"{shown}:{port}"})
