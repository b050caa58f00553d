"""Secrets in specs: write-only over the API, sealed in the store, never in a text that anybody reads.

In JSON a secret has one of three forms: `"text"` as somebody sends it, `{"sealed": "..."}` as the store keeps it, and
`{"set": true}` as it is shown. Which one is written depends on the vault in pydantic's serialisation context.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, SerializationInfo, ValidationInfo
from pydantic_core import core_schema

from wakeful.contracts.json import JsonObject, JsonValue

SEALED = "sealed"
SHOWN: JsonObject = {"set": True}
LONGEST = 16_384
VAULT = "vault"
"""The name of the vault in the contexts of validation and serialisation."""


class Vault(Protocol):
    """Seals texts so that only holders of the key can read them."""

    def seal(self, text: str) -> str:
        """Raises `ConfigurationError` when there is no key."""
        ...

    def unseal(self, token: str) -> str:
        """Raises `ConfigurationError` when it was sealed with a key that is not known, or is damaged."""
        ...


class Secret:
    """A text that shows itself to nobody who does not ask for it with `reveal`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return "Secret()"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    @classmethod
    def __get_pydantic_core_schema__(cls, _: object, __: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Validated from any of the three forms but the shown one; serialised as the context says."""
        return core_schema.with_info_plain_validator_function(
            _validated,
            serialization=core_schema.plain_serializer_function_ser_schema(_serialised, info_arg=True),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _: core_schema.CoreSchema, __: GetJsonSchemaHandler) -> dict[str, Any]:
        """What a client may send."""
        return {
            "type": "string",
            "minLength": 1,
            "maxLength": LONGEST,
            "writeOnly": True,
            "description": 'A secret. It is shown as {"set": true}, which, sent back, keeps it.',
        }


def is_sealed(value: JsonValue) -> bool:
    """Whether it is a secret in the form the store keeps."""
    return isinstance(value, dict) and value.keys() == {SEALED} and isinstance(value[SEALED], str)


def _validated(value: object, info: ValidationInfo) -> Secret:
    if isinstance(value, Secret):
        return value
    if isinstance(value, str) and 0 < len(value) <= LONGEST:
        return Secret(value)
    vault = _vault(info.context)
    if vault is not None and isinstance(value, dict) and is_sealed(cast("JsonObject", value)):
        return Secret(vault.unseal(cast("dict[str, str]", value)[SEALED]))
    raise ValueError(f"expected a secret as a text of 1 to {LONGEST} characters")


def _serialised(value: Secret, info: SerializationInfo) -> JsonObject:
    vault = _vault(info.context)
    return SHOWN if vault is None else {SEALED: vault.seal(value.reveal())}


def _vault(context: object) -> Vault | None:
    return cast("dict[str, Vault]", context).get(VAULT) if isinstance(context, dict) else None
