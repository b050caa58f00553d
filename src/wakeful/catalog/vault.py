"""The vault: Fernet tokens (AES-128-CBC with HMAC-SHA256) under keys from the environment."""

from __future__ import annotations

from collections.abc import Sequence

from wakeful.contracts.errors import ConfigurationError

HOW_TO = (
    'make one with: python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())", and '
    "set it as WAKEFUL_SECRET_KEY on every process"
)


class FernetVault:
    """Seals with the first key; unseals with any, so that a key can be replaced by putting the new one in front."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Raises `ConfigurationError` for a key that is none, or where the library is not installed."""
        try:
            from cryptography.fernet import Fernet, InvalidToken, MultiFernet
        except ModuleNotFoundError as error:
            raise ConfigurationError('WAKEFUL_SECRET_KEY needs its library: pip install "wakeful[secrets]"') from error
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise ConfigurationError(
                f"WAKEFUL_SECRET_KEY: expected 32 bytes in URL-safe base64, several apart by commas; {HOW_TO}"
            ) from None
        self._invalid = InvalidToken

    def seal(self, text: str) -> str:
        """The text, so that only holders of a key can read it."""
        return self._fernet.encrypt(text.encode()).decode()

    def unseal(self, token: str) -> str:
        """The text; raises `ConfigurationError` when no key fits."""
        try:
            return self._fernet.decrypt(token).decode()
        except self._invalid:
            raise ConfigurationError(
                "a stored secret cannot be read with the keys in WAKEFUL_SECRET_KEY; add the key it was sealed with, "
                "or write the secret again"
            ) from None


class NoVault:
    """Where no key is set: secrets are refused."""

    def seal(self, text: str) -> str:
        """Always raises `ConfigurationError`."""
        raise ConfigurationError(f"a secret is only kept sealed, and there is no key; {HOW_TO}")

    def unseal(self, token: str) -> str:
        """Always raises `ConfigurationError`."""
        raise ConfigurationError("a stored secret cannot be read, because WAKEFUL_SECRET_KEY is not set; set it")
