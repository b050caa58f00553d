"""What moving house needs in every store: pages of a bearable size, and how far a copy is as bytes."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from wakeful.contracts.errors import ConfigurationError, Conflict
from wakeful.contracts.portable import CopyProgress

MOST_ROWS = 2_000
MOST_BYTES = 4_000_000

_decoder = msgspec.json.Decoder(CopyProgress)


def fitting(sizes: Sequence[int]) -> int:
    """How many of the next rows, of these sizes in bytes, make a page: at least one."""
    total = 0
    for count, size in enumerate(sizes):
        total += size
        if total > MOST_BYTES and count:
            return count
    return len(sizes)


def encode_progress(progress: CopyProgress) -> bytes:
    """As a column stores it."""
    return msgspec.json.encode(progress)


def decode_progress(body: bytes | None) -> CopyProgress | None:
    """The same back; None without a row."""
    return None if body is None else _decoder.decode(body)


def occupied() -> Conflict:
    """The error of a copy into a database that is in use."""
    return Conflict("the target holds threads already; copy into an empty database")


def moved_on() -> Conflict:
    """The error of one of two copies into the same database."""
    return Conflict("another copy into the target is under way; let one of them end")


def unfinished_copy() -> ConfigurationError:
    """The error of somebody who would use half a copy."""
    return ConfigurationError(
        "this database is half of a copy; run `wakeful db copy` again, which goes on where it was, before it is used"
    )
