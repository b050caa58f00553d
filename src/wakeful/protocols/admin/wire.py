"""The bodies of the admin API. Times are milliseconds; secrets are shown as `{"set": true}`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from wakeful.catalog.editor import Record
from wakeful.catalog.journal import Entry
from wakeful.contracts.config import Namespace, Problem
from wakeful.contracts.json import JsonObject


class Members(RootModel[dict[str, Any]]):
    """A spec, or a JSON Merge Patch (RFC 7396) of one; `GET .../$schema` says what it may hold."""


class RestoreBody(BaseModel):
    """Which version to restore."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: int = Field(ge=1)


class NamespaceView(BaseModel):
    """One kind of record. `closed`: code alone says which there are."""

    name: str
    closed: bool
    builtin: list[str]


class Namespaces(BaseModel):
    """All kinds of records."""

    items: list[NamespaceView]


class RecordView(BaseModel):
    """One record as it counts. `version` is also its ETag; 0: as code defines it.

    `overridden` are the members in which it differs from the code's.
    """

    namespace: str
    id: str
    version: int
    source: Literal["code", "operator"]
    overridden: list[str]
    spec: dict[str, Any]


class Records(BaseModel):
    """All records of a namespace."""

    items: list[RecordView]


class ProblemView(BaseModel):
    """One thing that is wrong with the member `path` of a record; an empty path is all of it."""

    namespace: str
    id: str
    path: str
    message: str


class Verdict(BaseModel):
    """What a change would be refused for; nothing was changed."""

    valid: bool
    problems: list[ProblemView]


class EntryView(BaseModel):
    """One thing an operator did. `before` and `after` are versions, null where there was none."""

    number: int
    at: int
    actor: str
    address: str | None
    request_id: str | None
    action: str
    namespace: str
    id: str
    before: int | None
    after: int | None
    spec: dict[str, Any] | None
    """The record as it was written, with what code says of the rest."""


class EntryPage(BaseModel):
    """Entries, the newest first."""

    items: list[EntryView]
    has_more: bool
    next_cursor: str | None


def namespace_view(namespace: Namespace) -> NamespaceView:
    """As shown."""
    return NamespaceView(name=namespace.name, closed=namespace.closed, builtin=list(namespace.builtin))


def record_view(record: Record) -> RecordView:
    """As shown."""
    return RecordView(
        namespace=record.namespace,
        id=record.id,
        version=record.version,
        source="code" if record.builtin else "operator",
        overridden=list(record.overridden),
        spec=record.spec,
    )


def verdict(problems: list[Problem]) -> Verdict:
    """As shown."""
    views = [ProblemView(namespace=p.namespace, id=p.id, path=p.path, message=p.message) for p in problems]
    return Verdict(valid=not views, problems=views)


def entry_view(entry: Entry, spec: JsonObject | None) -> EntryView:
    """As shown."""
    return EntryView(
        number=entry.number,
        at=entry.at,
        actor=entry.who.actor,
        address=entry.who.address,
        request_id=entry.who.request_id,
        action=entry.action,
        namespace=entry.namespace,
        id=entry.id,
        before=entry.before or None,
        after=entry.number if entry.value is not None else None,
        spec=spec,
    )
