"""A log is the same bytes for everybody who reads it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Protocol

import pytest

from wakeful.contracts.event import LogEntry
from wakeful.protocols.ag_ui.encode import Encoder as AgUi
from wakeful.protocols.ai_sdk.encode import Encoder as AiSdk


class Fold(Protocol):
    """An encoder of any protocol."""

    def encode(self, entry: LogEntry) -> Sequence[bytes]:
        """What one event adds."""
        ...


ENCODERS: dict[str, Callable[[str], Fold]] = {
    "ai_sdk": lambda name: AiSdk(run_id=name, thread_id="t"),
    "ag_ui": lambda name: AgUi(run_id=name, thread_id="t", client_run_id=name, protocol_version="1.0"),
}


def whole(fold: Fold, log: Sequence[LogEntry]) -> list[bytes]:
    return [frame for entry in log for frame in fold.encode(entry)]


@pytest.mark.proves("E11")
@pytest.mark.parametrize("make", ENCODERS.values(), ids=ENCODERS)
def test_two_readers_of_a_log_get_the_same_bytes_whatever_is_read_between(
    make: Callable[[str], Fold],
    recording: tuple[str, list[LogEntry]],
    recorded: Callable[[str], list[LogEntry]],
):
    name, log = recording
    alone = whole(make(name), log)

    one, other = make(name), make("two tools")
    between = cycle(recorded("two_tools_interleaved"))
    frames: list[bytes] = []
    for entry in log:
        frames.extend(one.encode(entry))
        other.encode(next(between))

    assert frames == alone
    assert frames
