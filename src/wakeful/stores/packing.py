"""How the events of a finished run are put into a few compressed rows, and taken out again, byte for byte."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import msgspec

from wakeful.stores.rows import UNREADABLE, Row, damaged

Stored = tuple[int, int, bytes]
"""An event as its row: seq, at (ms), body."""

# A reader of one page unpacks the whole pack it lies in; smaller ones compress less.
LARGEST_PACK = 2_000

Columns = tuple[list[int], list[int], list[bytes]]
"""Events by column: seq and at as the difference to the one before, which repeats and so compresses well; bodies."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Columns)


class Pack(NamedTuple):
    """A row of `packs` without its run."""

    first_seq: int
    last_seq: int
    events: int
    body: bytes


def pack(events: Sequence[Stored]) -> Pack:
    """One pack of at least one event, ascending."""
    seqs, ats, bodies = zip(*events, strict=True)
    columns: Columns = (_differences(seqs), _differences(ats), list(bodies))
    return Pack(seqs[0], seqs[-1], len(events), zlib.compress(_encoder.encode(columns)))


def unpack(row: Row) -> Iterator[Stored]:
    """What a row of `packs` holds; raises `Damaged`."""
    try:
        seqs, ats, bodies = _decoder.decode(zlib.decompress(row["body"]))
    except UNREADABLE as error:
        raise damaged(f"events {row['first_seq']} to {row['last_seq']} of a run's log") from error
    return zip(accumulate(seqs), accumulate(ats), bodies, strict=True)


def _differences(numbers: Sequence[int]) -> list[int]:
    return [number - before for before, number in pairwise((0, *numbers))]
