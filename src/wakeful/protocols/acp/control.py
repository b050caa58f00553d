"""What the fold of a log tells a turn to act upon; never on the wire."""

from __future__ import annotations

import msgspec

from wakeful.contracts.interrupt import Interrupt
from wakeful.protocols.acp.wire import AskedCall, StopReason


class Control(msgspec.Struct, frozen=True, tag_field="control"):
    """Base of what a turn has to act upon."""


class Asked(Control, frozen=True, tag="asked"):
    """A question was asked about a call of an agent; `again`: the call had begun to run before."""

    interrupt: Interrupt
    call: AskedCall
    agent_id: str = ""
    again: bool = False


class Decided(Control, frozen=True, tag="decided"):
    """A question was answered, by whomever."""

    interrupt_id: str


class Waiting(Control, frozen=True, tag="waiting"):
    """The run rests until these are answered."""

    interrupt_ids: tuple[str, ...]


class Going(Control, frozen=True, tag="going"):
    """The run goes on."""


class Ended(Control, frozen=True, tag="ended"):
    """The run is over; `code` and `message` say why it failed, if it did."""

    stop_reason: StopReason
    code: str | None = None
    message: str = ""


AnyControl = Asked | Decided | Waiting | Going | Ended
_decoder: msgspec.json.Decoder[AnyControl] = msgspec.json.Decoder(AnyControl)
UPDATE = b'{"sessionUpdate"'
"""How every payload begins that is an update for the client; the others are controls."""


def read_control(payload: bytes) -> AnyControl:
    """A payload that is no update."""
    return _decoder.decode(payload)
