"""Changes of the configuration: checked as a whole, published as one entry, never half-written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from wakeful.catalog.catalogs import Catalogs, Publication
from wakeful.catalog.journal import LAST, Action, Entry, Who
from wakeful.catalog.merge import merged
from wakeful.catalog.records import redacted, shown, with_kept_secrets
from wakeful.contracts.clock import Clock
from wakeful.contracts.config import InvalidConfiguration, Namespace, PreconditionFailed, Problem
from wakeful.contracts.errors import BadRequest, ConfigurationError, Conflict, NotFound
from wakeful.contracts.json import JsonObject

TRIES = 8
"""How often a change is made again because another record was changed at the same moment."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it counts: `version` is the entry that wrote it, 0 where code alone says what it is.

    `spec` has all members, secrets as `{"set": true}`; `overridden` names those that differ from the code's.
    """

    namespace: str
    id: str
    version: int
    builtin: bool
    spec: JsonObject
    overridden: tuple[str, ...]


Draft = Callable[[JsonObject | None], JsonObject | None]
"""From a record's members as stored (None where there is none) to the new ones; None removes it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one record that is at the version `expected`, None: at any."""

    namespace: str
    id: str
    action: Action
    draft: Draft
    expected: int | None = None


class Editor:
    """Reads and changes records. Unknown namespaces and records raise `NotFound`.

    A change with `expected` raises `PreconditionFailed` when the record is at another version; 0 is one that nobody
    changed. A change that does not hold raises `InvalidConfiguration`; then nothing was written.
    """

    def __init__(self, catalogs: Catalogs, clock: Clock) -> None:
        self._catalogs = catalogs
        self._journal = catalogs.journal
        self._records = catalogs.records
        self._clock = clock

    @property
    def namespaces(self) -> Mapping[str, Namespace]:
        """By name."""
        return self._records.namespaces

    # -- reading

    async def records(self, namespace: str) -> list[Record]:
        """All records of a namespace: the code's first, then the others by id."""
        found = self._namespace(namespace)
        _, publication = await self._catalogs.newest()
        own = publication.values.get(namespace, {})
        return [self._record(found, key, publication) for key in [*found.builtin, *sorted(own.keys() - found.builtin)]]

    async def get(self, namespace: str, id: str) -> Record:
        """One record."""
        _, publication = await self._catalogs.newest()
        return self._record(self._namespace(namespace), id, publication)

    async def entries(self, *, before: int | None, limit: int) -> Sequence[Entry]:
        """What operators did, the newest first, from before entry `before` on."""
        return await self._journal.before(LAST if before is None else before, limit=limit)

    def stored(self, entry: Entry) -> JsonObject | None:
        """The record as the entry wrote it, secrets as `{"set": true}`; None where it wrote none."""
        if entry.value is None or entry.namespace not in self.namespaces:
            return None
        return cast(
            "JsonObject", redacted(self._records.members(self._namespace(entry.namespace), entry.id, entry.value))
        )

    # -- changing

    async def create(self, namespace: str, spec: JsonObject, who: Who) -> Record:
        """A record that does not exist yet. Raises `Conflict` when it does."""
        name = spec.get("id")
        if not isinstance(name, str) or not name:
            raise InvalidConfiguration([Problem(namespace, "", "id", "expected a text")])

        def draft(old: JsonObject | None) -> JsonObject:
            if old is not None:
                raise Conflict(f"{namespace}/{name} exists; change it with PUT or PATCH, or choose another id")
            return _received(spec, None)

        return await self._changed(Change(namespace, name, "create", draft), who)

    async def put(self, namespace: str, id: str, spec: JsonObject, who: Who, *, expected: int | None) -> Record:
        """The record as it is from now on, made when absent. Secrets shown as `{"set": true}` are kept."""
        return await self._changed(Change(namespace, id, "update", lambda old: _received(spec, old), expected), who)

    async def patch(self, namespace: str, id: str, patch: JsonObject, who: Who, *, expected: int | None) -> Record:
        """Some members changed, as a JSON Merge Patch."""

        def draft(old: JsonObject | None) -> JsonObject:
            if old is None:
                raise NotFound(namespace, id)
            return merged(old, _received(patch, old))

        return await self._changed(Change(namespace, id, "update", draft, expected), who)

    async def delete(self, namespace: str, id: str, who: Who, *, expected: int | None) -> None:
        """Remove the record; one that code defines is as code says again, and raises `Conflict` when it is already."""
        await self._change(Change(namespace, id, "delete", lambda _: None, expected), who)

    async def restore(self, namespace: str, id: str, version: int, who: Who, *, expected: int | None) -> Record:
        """The record as entry `version` wrote it, as a new version. Raises `NotFound` when that wrote another."""
        entry = await self._journal.entry(version)
        if (entry.namespace, entry.id) != (namespace, id) or entry.value is None:
            raise NotFound(f"version of {namespace}/{id}", str(version))
        members = self._records.members(self._namespace(namespace), id, entry.value)
        return await self._changed(Change(namespace, id, "restore", lambda _: members, expected), who)

    async def validate(self, namespace: str, id: str, spec: JsonObject | None) -> list[Problem]:
        """Every problem a change would be refused for; None is its removal. Nothing is written."""
        change = Change(namespace, id, "update", lambda old: None if spec is None else _received(spec, old))
        number, publication = await self._catalogs.newest()
        try:
            self._catalogs.build(self._candidate(change, publication, number + 1))
        except InvalidConfiguration as error:
            return list(error.problems)
        except (BadRequest, Conflict, ConfigurationError) as error:
            return [Problem(namespace, id, "", error.message)]
        return []

    async def note(self, namespace: str, id: str, action: Action, who: Who) -> None:
        """Something that was done to a record and changed nothing of the configuration."""
        for _ in range(TRIES):
            number, publication = await self._catalogs.newest()
            entry = Entry(
                number=number + 1,
                at=self._clock.now(),
                who=who,
                action=action,
                namespace=namespace,
                id=id,
                publication=publication.number,
            )
            if await self._written(entry):
                return
        raise _busy()

    # -- inside

    async def _changed(self, change: Change, who: Who) -> Record:
        publication = await self._change(change, who)
        return self._record(self._namespace(change.namespace), change.id, publication)

    async def _change(self, change: Change, who: Who) -> Publication:
        for _ in range(TRIES):
            number, publication = await self._catalogs.newest()
            before = publication.versions.get(change.namespace, {}).get(change.id, 0)
            if change.expected not in (None, before):
                raise PreconditionFailed(
                    f"{change.namespace}/{change.id} is at version {before}, expected {change.expected}: read it again "
                    "and repeat the change"
                )
            candidate = self._candidate(change, publication, number + 1)
            catalog = self._catalogs.build(candidate)
            entry = Entry(
                number=number + 1,
                at=self._clock.now(),
                who=who,
                action=change.action,
                namespace=change.namespace,
                id=change.id,
                before=before,
                value=candidate.values[change.namespace].get(change.id),
                publication=number + 1,
                versions=candidate.versions,
            )
            if await self._written(entry):
                self._catalogs.publish(catalog)
                return candidate
        raise _busy()

    def _candidate(self, change: Change, publication: Publication, number: int) -> Publication:
        """The publication with the change, not yet built."""
        namespace = self._namespace(change.namespace)
        value = self._value(namespace, change, publication.values.get(namespace.name, {}).get(change.id))
        return Publication(
            number,
            _replaced(publication.versions, namespace.name, change.id, number if value is not None else None),
            _replaced(publication.values, namespace.name, change.id, value),
        )

    def _value(self, namespace: Namespace, change: Change, old: JsonObject | None) -> JsonObject | None:
        builtin = change.id in namespace.builtin
        if old is None and builtin:
            old = {"patch": {}}
        members = change.draft(None if old is None else self._records.members(namespace, change.id, old))
        if members is None:
            if old is None:
                raise NotFound(namespace.name, change.id)
            if old == {"patch": {}}:
                raise Conflict(
                    f"{namespace.name}/{change.id} is defined in code and was not changed; nothing to remove"
                )
            return None
        if namespace.closed and not builtin:
            message = f"{namespace.name} are defined in code; expected one of: {', '.join(namespace.builtin) or 'none'}"
            raise InvalidConfiguration([Problem(namespace.name, change.id, "id", message)])
        spec = self._records.spec(namespace, change.id, {"spec": members})
        value = self._records.value(namespace, change.id, spec)
        return None if value == {"patch": {}} else value

    async def _written(self, entry: Entry) -> bool:
        """False when somebody else wrote an entry in the meantime."""
        try:
            await self._journal.append(entry)
        except Conflict:
            return False
        return True

    def _record(self, namespace: Namespace, id: str, publication: Publication) -> Record:
        value = publication.values.get(namespace.name, {}).get(id)
        builtin = namespace.builtin.get(id)
        if value is None and builtin is None:
            raise NotFound(namespace.name, id)
        spec = self._records.spec(namespace, id, value or {"patch": {}})
        return Record(
            namespace=namespace.name,
            id=id,
            version=publication.versions.get(namespace.name, {}).get(id, 0),
            builtin=builtin is not None,
            spec=shown(spec),
            overridden=tuple(cast("JsonObject", value["patch"])) if value and "patch" in value else (),
        )

    def _namespace(self, name: str) -> Namespace:
        found = self._records.namespaces.get(name)
        if found is None:
            raise NotFound("namespace", name)
        return found


def _received(sent: JsonObject, old: JsonObject | None) -> JsonObject:
    return cast("JsonObject", with_kept_secrets(sent, old))


T = TypeVar("T")


def _replaced(
    all: Mapping[str, Mapping[str, T]], namespace: str, id: str, value: T | None
) -> Mapping[str, Mapping[str, T]]:
    others = {key: one for key, one in all.get(namespace, {}).items() if key != id}
    return {**all, namespace: others if value is None else {**others, id: value}}


def _busy() -> Conflict:
    return Conflict("others change the configuration all the time; try again")
