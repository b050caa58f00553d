"""What may be asked of a store's contents, and the pages it answers with."""

from __future__ import annotations

from typing import Literal

import msgspec

from wakeful.contracts.event import LogEntry
from wakeful.contracts.json import JsonObject
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import Message, Visibility
from wakeful.contracts.run import Run
from wakeful.contracts.thread import Thread

Order = Literal["asc", "desc"]
RunOrder = Literal["created", "updated"]


class ThreadQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which threads: newest activity first, ids ascending within a millisecond. `after` is the last row seen."""

    scope: str
    resource_id: str | None = None
    parent_thread_id: str | None = None
    root: bool = False
    after: tuple[int, str] | None = None
    offset: int = 0
    limit: int = 50


class MessageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages of a thread; `after` and `before` are exclusive message sequence numbers.

    `replaced_by` asks for those that this run took the place of, instead of the present ones.
    """

    thread_key: int
    after: int | None = None
    before: int | None = None
    order: Order = "asc"
    visibility: Visibility | None = "external"
    run_id: str | None = None
    replaced_by: str | None = None
    limit: int = 50


class RunQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs: newest first, or last changed first where `order` says so; the higher key first within a millisecond.

    `after` is the last row seen: its `created_at`, or its `updated_at` in the other order, and its key. Time bounds are
    inclusive ms. `statuses` are any of several; one `status` alone takes their place.
    """

    scope: str
    order: RunOrder = "created"
    thread_id: str | None = None
    status: RunStatus | None = None
    statuses: tuple[RunStatus, ...] = ()
    agent_id: str | None = None
    origin: str | None = None
    parent_run_id: str | None = None
    created_from: int | None = None
    created_to: int | None = None
    updated_from: int | None = None
    updated_to: int | None = None
    after: tuple[int, int] | None = None
    offset: int = 0
    limit: int = 50


class ThreadRows(msgspec.Struct, frozen=True):
    """One page of threads; `total` counts all that match."""

    items: tuple[Thread, ...]
    total: int
    has_more: bool


class MessageRows(msgspec.Struct, frozen=True):
    """One page of (sequence number, message); `total` counts all that match without `after` and `before`."""

    items: tuple[tuple[int, Message], ...]
    total: int
    has_more: bool


class RunRows(msgspec.Struct, frozen=True):
    """One page of runs; `total` counts all that match."""

    items: tuple[Run, ...]
    total: int
    has_more: bool


class RunCounts(msgspec.Struct, frozen=True):
    """Unfinished runs by status."""

    queued: int
    running: int
    waiting: int


class LogPage(msgspec.Struct, frozen=True):
    """Entries after a point, and the run's status read in the same snapshot.

    `leased_until` (ms) is how long the worker that carries the run may be silent; 0: nobody carries it.
    """

    entries: tuple[LogEntry, ...]
    status: RunStatus
    has_more: bool
    leased_until: int = 0


class Orders(msgspec.Struct, frozen=True):
    """What running runs were asked meanwhile, by their keys: to `stop`, or to take in input (`steer`)."""

    stop: frozenset[int]
    steer: frozenset[int]


class ThreadChange(msgspec.Struct, frozen=True, kw_only=True):
    """What to change of a thread; `msgspec.UNSET` leaves a field alone, None clears it. `custom` merges shallowly."""

    title: str | msgspec.UnsetType | None = msgspec.UNSET
    resource_id: str | msgspec.UnsetType | None = msgspec.UNSET
    parent_thread_id: str | msgspec.UnsetType | None = msgspec.UNSET
    custom: JsonObject | msgspec.UnsetType = msgspec.UNSET
