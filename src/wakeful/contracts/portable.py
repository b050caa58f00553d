"""The part of the store socket that hands out everything a store holds, and takes it into another one.

Everything is rows of eleven kinds, in pages in the order of their keys. Keys are the store's own numbers: who carries
rows from one store to another moves them by a fixed distance per sequence, so that their order stays; those of
documents stay as they are, because nobody refers to them. Leases stay behind: a run that somebody carries is handed out
as one whose lease has run out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, cast

import msgspec

Sequenced = Literal["threads", "runs", "dispatches"]
"""What a store numbers itself."""
Position = tuple[int, int]
"""Where a row is in the order of its kind: its key, then its number under that key, 0 when it has none."""
Portable = str | bytes | int | None
PortableRow = tuple[Portable, ...]

START: Position = (-1, -1)
"""Before every row."""


class Kind(msgspec.Struct, frozen=True):
    """Rows of one kind: their columns, how many of the first make the order, and which hold numbers of a store."""

    name: str
    columns: tuple[str, ...]
    ordered_by: Literal[1, 2]
    keys: Mapping[str, Sequenced]

    def position(self, row: PortableRow) -> Position:
        """Where a row is."""
        # Every kind begins with the numbers that make its order.
        return cast("Position", (row[0], row[1] if self.ordered_by == 2 else 0))


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """What a store holds, in short: its highest keys, its first thread, how many runs somebody carries.

    `turns` is the highest turn of a run that waits for the first time. All are 0, and `first` is empty, without any.
    """

    threads: int
    runs: int
    dispatches: int
    documents: int
    turns: int
    running: int
    first: str


class Distances(msgspec.Struct, frozen=True, kw_only=True):
    """By how much the keys of a copy are higher than those of its source."""

    threads: int
    runs: int
    dispatches: int


class CopyProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a copy into a store is: everything up to row `after` of kind `kind` is there.

    `source` tells the source, as it was at the beginning, from others.
    """

    source: str
    distances: Distances
    kind: str
    after: Position


class Moving(Protocol):
    """Moving house. Only one copy at a time goes into a store, and nobody else may use it meanwhile."""

    async def holdings(self) -> Holdings:
        """What there is to copy."""
        ...

    async def take_out(self, kind: Kind, after: Position) -> Sequence[PortableRow]:
        """The rows after a position, in order: some thousand, or fewer large ones; none at the end."""
        ...

    async def copy_progress(self) -> CopyProgress | None:
        """How far the copy into this store is; None while there is none."""
        ...

    async def begin_copy(self, source: str) -> CopyProgress:
        """Make ready for a copy; until `end_copy`, `recover` refuses.

        Raises `Conflict` when the store holds anything, or a copy was begun.
        """
        ...

    async def take_in(self, kind: Kind, rows: Sequence[PortableRow], before: CopyProgress, now: CopyProgress) -> None:
        """Write rows, whose keys are this store's already, and how far the copy is now.

        Raises `Conflict` when it is not where it was `before`; then nothing was written.
        """
        ...

    async def end_copy(self) -> None:
        """Open the store to everybody; what is written next is numbered above what was taken in."""
        ...


def _kind(name: str, columns: str, *, ordered_by: Literal[1, 2] = 1, **keys: Sequenced) -> Kind:
    return Kind(name, tuple(columns.split()), ordered_by, keys)


KINDS = (
    _kind(
        "threads",
        "key scope id created_at updated_at title resource_id custom message_seq message_count replaced "
        "latest_agent_id generation",
        key="threads",
    ),
    _kind("parents", "key parent_key", key="threads", parent_key="threads"),
    _kind("shared_states", "thread_key state", thread_key="threads"),
    _kind("messages", "thread_key seq id visibility run_id body", ordered_by=2, thread_key="threads"),
    _kind(
        "replaced_messages",
        "thread_key seq id visibility run_id body replaced_by",
        ordered_by=2,
        thread_key="threads",
    ),
    _kind(
        "runs",
        "key thread_key scope id agent_id status origin created_at updated_at started_at finished_at "
        "cancel_requested_at stop_reason error parent_run_id attempt steps usage options input digest "
        "idempotency_key last_seq position mode voids log replace_from",
        key="runs",
        thread_key="threads",
        position="runs",
    ),
    _kind("interrupts", "run_key position id body decision decided_at expires_at", ordered_by=2, run_key="runs"),
    _kind("events", "run_key seq at body", ordered_by=2, run_key="runs"),
    _kind("packs", "run_key first_seq last_seq count body", ordered_by=2, run_key="runs"),
    _kind("documents", "key scope kind id value revision updated_at thread_key due_at", thread_key="threads"),
    _kind(
        "dispatches",
        "key run_key id status token worker due_at failures steps_at_claim last_error ended_at",
        key="dispatches",
        run_key="runs",
    ),
)
"""In the order in which they are taken in: what others point to first, and last what makes work due."""
