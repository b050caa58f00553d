"""Puts together what code defines and what operators wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from wakeful.catalog.merge import difference, merged
from wakeful.contracts.config import InvalidConfiguration, Namespace, Problem, Specs
from wakeful.contracts.errors import BadRequest, ConfigurationError
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.secret import SHOWN, VAULT, Vault, is_sealed
from wakeful.contracts.spec import Spec

Values = Mapping[str, Mapping[str, JsonObject]]
"""By namespace and id: `{"spec": {...}}` or `{"patch": {...}}`, secrets sealed."""


@dataclass(frozen=True, slots=True)
class Records:
    """Reads and writes the stored forms of specs."""

    namespaces: Mapping[str, Namespace]
    vault: Vault

    def specs(self, values: Values) -> Specs:
        """All specs that count, those that code defines first. Raises `InvalidConfiguration` naming every problem."""
        problems: list[Problem] = []
        found: dict[str, dict[str, Spec]] = {}
        for name, namespace in self.namespaces.items():
            found[name] = dict(namespace.builtin)
            for key, value in values.get(name, {}).items():
                try:
                    found[name][key] = self.spec(namespace, key, value)
                except InvalidConfiguration as error:
                    problems.extend(error.problems)
        if problems:
            raise InvalidConfiguration(problems)
        return found

    def spec(self, namespace: Namespace, id: str, value: JsonObject) -> Spec:
        """The spec a stored value stands for. Raises `InvalidConfiguration`."""
        try:
            spec = namespace.spec.model_validate(self.members(namespace, id, value), context={VAULT: self.vault})
        except ValidationError as error:
            raise InvalidConfiguration(_problems(namespace, id, error)) from None
        except ConfigurationError as error:
            raise InvalidConfiguration([Problem(namespace.name, id, "", error.message)]) from None
        if _id(spec) != id:
            message = f"expected the id {id!r}, as in the path, found {_id(spec)!r}"
            raise InvalidConfiguration([Problem(namespace.name, id, "id", message)])
        return spec

    def members(self, namespace: Namespace, id: str, value: JsonObject) -> JsonObject:
        """The members of the spec a stored value stands for, secrets sealed."""
        if "patch" not in value:
            return cast("JsonObject", value["spec"])
        base = namespace.builtin.get(id)
        return merged({} if base is None else self._sealed(base), cast("JsonObject", value["patch"]))

    def value(self, namespace: Namespace, id: str, spec: Spec) -> JsonObject:
        """How the spec is stored: what differs from the code's, or what was set where code defines none.

        Raises `InvalidConfiguration` for a secret where there is no key.
        """
        base = namespace.builtin.get(id)
        try:
            if base is None:
                return {"spec": self._sealed(spec, only_set=True)}
            return {"patch": difference(self._sealed(base), self._sealed(spec))}
        except ConfigurationError as error:
            raise InvalidConfiguration([Problem(namespace.name, id, "", error.message)]) from None

    def _sealed(self, spec: Spec, *, only_set: bool = False) -> JsonObject:
        try:
            return spec.model_dump(mode="json", exclude_unset=only_set, context={VAULT: self.vault})
        except PydanticSerializationError:
            self.vault.seal("")  # says what is wrong with the vault
            raise


def shown(spec: Spec) -> JsonObject:
    """All members of a spec, as they may be seen."""
    return spec.model_dump(mode="json")


def redacted(value: JsonValue) -> JsonValue:
    """A stored form as it may be seen: every sealed secret as `{"set": true}`."""
    if is_sealed(value):
        return SHOWN
    if isinstance(value, dict):
        return {key: redacted(child) for key, child in cast("JsonObject", value).items()}
    if isinstance(value, list):
        return [redacted(item) for item in cast("list[JsonValue]", value)]
    return value


def with_kept_secrets(sent: JsonValue, old: JsonValue, path: str = "") -> JsonValue:
    """What a client sent, with every `{"set": true}` replaced by the sealed secret at the same place of `old`.

    Raises `BadRequest` where there is none, and for a sealed secret: those never come from outside.
    """
    if is_sealed(sent):
        raise BadRequest(f"{path}: a sealed secret cannot be sent; send the secret itself as a text")
    if sent == SHOWN:
        if not is_sealed(old):
            raise BadRequest(f'{path}: {{"set": true}} keeps a secret, and there is none; send the secret as a text')
        return old
    if isinstance(sent, dict):
        before = _members(old)
        members = cast("JsonObject", sent)
        return {key: with_kept_secrets(value, before.get(key), f"{path}.{key}") for key, value in members.items()}
    if isinstance(sent, list):
        items = cast("list[JsonValue]", sent)
        past = cast("list[JsonValue]", old) if isinstance(old, list) else []
        padded = [*past, *[None] * len(items)]
        return [with_kept_secrets(item, padded[i], f"{path}[{i}]") for i, item in enumerate(items)]
    return sent


def _members(value: JsonValue) -> JsonObject:
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def _id(spec: Spec) -> str:
    return str(getattr(spec, "id", ""))


def _problems(namespace: Namespace, id: str, error: ValidationError) -> list[Problem]:
    """Without what was sent: it may be a secret."""
    return [
        Problem(namespace.name, id, ".".join(map(str, e["loc"])), e["msg"].removeprefix("Value error, "))
        for e in error.errors(include_input=False, include_url=False, include_context=False)
    ]
