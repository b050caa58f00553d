"""The key that agent cards are signed with, from the environment: `WAKEFUL_A2A_CARD_KEY`; without it none is signed."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from pydantic_settings import BaseSettings, SettingsConfigDict

from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.json import JsonObject

KEYS_PATH = "/.well-known/jwks.json"


class CardKeySettings(BaseSettings):
    """`card_key` is the path of a private key in PEM: Ed25519, P-256, or RSA of at least 2048 bits."""

    model_config = SettingsConfigDict(env_prefix="WAKEFUL_A2A_", frozen=True)

    card_key: Path | None = None


class Signing(Protocol):
    """Puts signatures on cards."""

    def signed(self, shown: JsonObject) -> JsonObject:
        """The card with `signatures` over what it says in 1.0: the same for the same card, in any process."""
        ...

    def public_keys(self) -> JsonObject | None:
        """The JWK set (RFC 7517) of the public keys, None without keys."""
        ...


class Unsigned:
    """Leaves cards as they are."""

    def signed(self, shown: JsonObject) -> JsonObject:
        """The card."""
        return shown

    def public_keys(self) -> None:
        """There are none."""


def open_signing(settings: CardKeySettings, public_url: str | None) -> Signing:
    """What signs cards of the server at `public_url` (without a slash at its end); raises `ConfigurationError`.

    The address must be configured: with that of each request, anybody could have any address signed.
    """
    if settings.card_key is None:
        return Unsigned()
    if public_url is None:
        raise ConfigurationError(
            "WAKEFUL_A2A_CARD_KEY signs cards, which name this server's address; set WAKEFUL_PUBLIC_URL to it"
        )
    try:
        from wakeful.protocols.a2a.signing import Signer
    except ModuleNotFoundError as error:
        raise ConfigurationError('WAKEFUL_A2A_CARD_KEY needs its library: pip install "wakeful[secrets]"') from error
    try:
        pem = settings.card_key.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"WAKEFUL_A2A_CARD_KEY names {settings.card_key}, which cannot be read: {error.strerror}"
        ) from None
    return Signer(pem, keys_url=public_url + KEYS_PATH)
