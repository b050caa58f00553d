"""The one JSON codec of events and messages: what the log stores and native streams show."""

from __future__ import annotations

import msgspec

from wakeful.contracts.event import Event, LogEntry
from wakeful.contracts.message import Message

_encoder = msgspec.json.Encoder()
_events: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_messages: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


def encode_event(event: Event) -> bytes:
    """The event as JSON with its `type` tag."""
    return _encoder.encode(event)


def decode_event(body: bytes) -> Event:
    """The inverse of `encode_event`; raises `msgspec.ValidationError` on anything else."""
    return _events.decode(body)


def entry(seq: int, at: int, event: Event) -> LogEntry:
    """A log entry with its body encoded."""
    return LogEntry(seq, at, event, _encoder.encode(event))


def encode_message(message: Message) -> bytes:
    """The message as JSON."""
    return _encoder.encode(message)


def decode_message(body: bytes) -> Message:
    """The inverse of `encode_message`."""
    return _messages.decode(body)
