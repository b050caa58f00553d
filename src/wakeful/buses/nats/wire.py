"""Batches as bytes, and the subjects they travel on."""

from __future__ import annotations

import msgspec

from wakeful.contracts.bus import Batch
from wakeful.contracts.codec import decode_event
from wakeful.contracts.event import LogEntry
from wakeful.contracts.lifecycle import RunStatus


class Packet(msgspec.Struct, frozen=True, array_like=True):
    """A batch as MessagePack: each entry as (sequence number, ms, the event's JSON as the log has it)."""

    after: int
    status: RunStatus
    entries: list[tuple[int, int, bytes]]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Packet)


def subject_of(install: str, run_key: int) -> str:
    """Where a run's batches are published."""
    return f"wakeful.{install}.{run_key}"


def run_of(subject: str) -> int:
    """The run a subject's last part names."""
    return int(subject.rpartition(".")[2])


def encode(batch: Batch) -> bytes:
    """The batch without its run, which the subject names."""
    return _encoder.encode(
        Packet(batch.after, batch.status, [(entry.seq, entry.at, entry.body) for entry in batch.entries])
    )


def decode(run_key: int, data: bytes) -> Batch:
    """The inverse of `encode`; raises `msgspec.DecodeError` on what another version may have sent."""
    packet = _decoder.decode(data)
    entries = tuple(LogEntry(seq, at, decode_event(body), body) for seq, at, body in packet.entries)
    return Batch(run_key, packet.after, entries, packet.status)
