"""What `wakeful db copy` does: carries everything from one store to an empty one, and looks whether it arrived.

A page is read from the source, its keys are moved, and it is written together with how far the copy is. So a copy that
was killed goes on after the last page. At the end both stores are read again and compared, kind by kind.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Callable, Sequence

import msgspec

from wakeful.contracts.errors import BadRequest, ConfigurationError, Conflict
from wakeful.contracts.portable import (
    KINDS,
    START,
    CopyProgress,
    Distances,
    Holdings,
    Kind,
    Moving,
    Portable,
    PortableRow,
)

NOWHERE = Distances(threads=0, runs=0, dispatches=0)
_encoder = msgspec.msgpack.Encoder()


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one kind that are the same in both stores: how many, and the SHA-256 of all of them in key order."""

    kind: str
    rows: int
    sha256: str


async def copy(
    source: Moving, target: Moving, *, force: bool, tell: Callable[[str], None] = lambda _: None
) -> list[Checked]:
    """Copy everything, or the rest of it; what was copied, compared. `tell` hears what is done at the moment.

    Raises `ConfigurationError` for a source that holds nothing, or that somebody uses unless `force`; `Conflict` for a
    target that holds anything else, and when the two are not the same in the end.
    """
    held = await source.holdings()
    _check(held, force=force)
    progress = await _begin(target, _fingerprint(held))
    for kind in KINDS[[kind.name for kind in KINDS].index(progress.kind) :]:
        tell(f"copying {kind.name}")
        progress = await _carry(source, target, kind, progress)
    checked = [await _compare(source, target, kind, progress.distances, tell) for kind in KINDS]
    if _fingerprint(await source.holdings()) != progress.source:
        raise _changed()
    await target.end_copy()
    return checked


def _check(held: Holdings, *, force: bool) -> None:
    if not held.first and not held.documents:
        raise ConfigurationError("the source holds no threads, so there is nothing to copy; is its URL right?")
    if held.running and not force:
        raise ConfigurationError(
            f"{held.running} runs of the source are running: stop its servers, which hand their runs back, and try "
            "again; or copy them with --force as runs whose process died, which go on in the target at once"
        )


def _fingerprint(held: Holdings) -> str:
    """Tells a source, as it is, from others."""
    return hashlib.sha256(_encoder.encode(held)).hexdigest()


async def _begin(target: Moving, source: str) -> CopyProgress:
    progress = await target.copy_progress() or await target.begin_copy(source)
    if progress.source != source:
        raise Conflict(
            "the target holds a part of a copy of another source, or of this one before it changed; "
            "copy into an empty database"
        )
    return progress


async def _carry(source: Moving, target: Moving, kind: Kind, progress: CopyProgress) -> CopyProgress:
    """Copy the rest of one kind; how far the copy is then."""
    after = progress.after if progress.kind == kind.name else START
    while rows := await source.take_out(kind, after):
        after = kind.position(rows[-1])
        now = msgspec.structs.replace(progress, kind=kind.name, after=after)
        moved = [_moved(kind, row, progress.distances, 1) for row in rows]
        try:
            await target.take_in(kind, moved, progress, now)
        except BadRequest as error:
            raise BadRequest(
                f"{kind.name} numbered {kind.position(rows[0])} to {after}: the target cannot hold one of them; "
                "mend it in the source, such as a text with a NUL character"
            ) from error
        progress = now
    return progress


def _moved(kind: Kind, row: PortableRow, distances: Distances, times: int) -> PortableRow:
    """A row with the keys of the other store; 0 and None are no keys."""
    moved: list[Portable] = list(row)
    for place, column in enumerate(kind.columns):
        value = moved[place]
        if column in kind.keys and isinstance(value, int) and value:
            moved[place] = value + times * getattr(distances, kind.keys[column])
    return tuple(moved)


async def _compare(
    source: Moving, target: Moving, kind: Kind, distances: Distances, tell: Callable[[str], None]
) -> Checked:
    tell(f"comparing {kind.name}")
    wanted = await _sum(source, kind, NOWHERE)
    found = await _sum(target, kind, distances)
    if wanted != found:
        raise Conflict(
            f"{kind.name}: the source has {wanted.rows} ({wanted.sha256[:12]}), the target {found.rows} "
            f"({found.sha256[:12]}); somebody used one of the two meanwhile. Copy into an empty database again"
        )
    return wanted


async def _sum(store: Moving, kind: Kind, distances: Distances) -> Checked:
    digest, count = hashlib.sha256(), 0
    async for rows in _pages(store, kind):
        count += len(rows)
        for row in rows:
            digest.update(_encoder.encode(_moved(kind, row, distances, -1)))
    return Checked(kind=kind.name, rows=count, sha256=digest.hexdigest())


async def _pages(store: Moving, kind: Kind) -> AsyncGenerator[Sequence[PortableRow]]:
    after = START
    while rows := await store.take_out(kind, after):
        yield rows
        after = kind.position(rows[-1])


def _changed() -> Conflict:
    return Conflict("the source changed while it was copied: stop its servers and copy into an empty database again")
