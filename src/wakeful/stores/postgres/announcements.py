"""What processes that share a database tell each other, as the payloads of notifications."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from wakeful.contracts.signal import Signal

CHANNEL = "wakeful"

# The server refuses payloads of 8000 bytes and more. A key takes at most 20 of them, the rest less than 100.
MOST_KEYS = 300
KINDS = ("logs", "stops", "superseded", "steers")


class Announcement(msgspec.Struct, frozen=True, omit_defaults=True):
    """One payload: the process that wrote, and what it did."""

    by: str
    signal: Signal


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Announcement)


def payloads(by: str, signals: Sequence[Signal]) -> list[str]:
    """What one transaction announces, in as few payloads as they may be long; each run is named once."""
    work = any(signal.work for signal in signals)
    keys = [(kind, key) for kind in KINDS for key in _distinct(getattr(signal, kind) for signal in signals)]
    if not keys:
        return [_encode(by, Signal(work=True))] if work else []
    parts = (keys[first : first + MOST_KEYS] for first in range(0, len(keys), MOST_KEYS))
    return [_encode(by, _signal(part, work=work and number == 0)) for number, part in enumerate(parts)]


def heard(payload: str, *, by: str) -> Signal | None:
    """What another process announced, None for what process `by` announced itself.

    What cannot be read, as from another version, is taken for anything.
    """
    try:
        announcement = _decoder.decode(payload)
    except msgspec.DecodeError:
        return Signal(missed=True)
    return None if announcement.by == by else announcement.signal


def _signal(keys: Sequence[tuple[str, int]], *, work: bool) -> Signal:
    def named(kind: str) -> tuple[int, ...]:
        return tuple(key for of, key in keys if of == kind)

    return Signal(
        work=work,
        logs=named("logs"),
        stops=named("stops"),
        superseded=named("superseded"),
        steers=named("steers"),
    )


def _distinct(keys: Iterable[tuple[int, ...]]) -> dict[int, None]:
    return dict.fromkeys(key for some in keys for key in some)


def _encode(by: str, signal: Signal) -> str:
    return _encoder.encode(Announcement(by, signal)).decode()
