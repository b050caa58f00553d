"""Reads the server's settings from the environment."""

from __future__ import annotations

from pydantic import ValidationError
from pydantic_settings import SettingsError

from wakeful.contracts.errors import ConfigurationError
from wakeful.server.config import ServerConfig


def read_settings(*, host: str | None = None, port: int = 3000) -> ServerConfig:
    """The settings of `WAKEFUL_*`, with the address given here when there is one.

    Raises `ConfigurationError` naming each bad variable, never its value.
    """
    try:
        if host is None:
            return ServerConfig()
        return ServerConfig(address=f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    except ValidationError as error:
        problems = [f"WAKEFUL_{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        raise ConfigurationError("; ".join(problems)) from None
    except SettingsError as error:
        raise ConfigurationError(f"{error}; expected JSON in the variable WAKEFUL_<FIELD>") from None
