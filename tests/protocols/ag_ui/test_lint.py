"""`ag-ui-validate`, a linter of AG-UI streams that is not ours, over what the encoder makes of every recording.

Its rules are those of AG-UI 0.0.58. Errors and warnings fail, except those listed here with their reason; one that is
listed and no longer found fails too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec
import pytest
from ag_ui_validate import EVENT_TYPES, Report, create_validator

from wakeful.contracts.event import LogEntry
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.protocols.ag_ui.encode import Encoder

NOT_JSON = frozenset({"AGUI204"})
"""Arguments that the model left unfinished or got wrong: they are shown as it wrote them, and the result says so."""

IDS_AGAIN = frozenset({"AGUI201", "AGUI202", "AGUI205"})
"""A model that numbers its calls from one again when its step restarts. The first call is void, for which AG-UI has
no event; under a changed id the second would not be the one in the history."""

EMPTY_DELTA = frozenset({"AGUI105"})
"""A model's empty chunk. AG-UI 1.0 allows it; 0.0.58 did too, but its text did not."""

EXPECTED: dict[str, frozenset[str]] = {
    "cancelled_mid_call": NOT_JSON,
    "same_call_ids_again": NOT_JSON | IDS_AGAIN,
    "step_restarted": NOT_JSON,
    "text": EMPTY_DELTA,
    "tool_error": NOT_JSON,
}


def frames(entries: Sequence[LogEntry], version: str | None) -> list[bytes]:
    encoder = Encoder(run_id="run-1", thread_id="thread-1", client_run_id="client-run", protocol_version=version)
    return [frame for entry in entries for frame in encoder.encode(entry)]


def lint(stream: Iterable[bytes]) -> Report:
    """The linter's report. It forgets calls when a run ends, so a run that continues begins with those before it."""
    validator = create_validator()
    calls: list[JsonObject] = []
    for frame in stream:
        event = msgspec.json.decode(frame, type=dict[str, JsonValue])
        validator.feed(event)
        if event["type"] == "TOOL_CALL_START":
            function = {"name": event["toolCallName"], "arguments": "{}"}
            calls.append({"id": event["toolCallId"], "type": "function", "function": function})
        elif event["type"] == "RUN_STARTED" and calls:
            asking = {"id": "before", "role": "assistant", "toolCalls": calls}
            validator.feed({"type": "MESSAGES_SNAPSHOT", "messages": [asking]})
    validator.finalize()
    return validator.report()


@pytest.mark.parametrize("version", [None, "1.0"])
def test_the_linter_has_nothing_to_say_but_what_is_expected(
    recording: tuple[str, list[LogEntry]], version: str | None
) -> None:
    name, entries = recording

    report = lint(frames(entries, version))

    said = [found for found in report.diagnostics if found.severity != "info"]
    assert {found.rule for found in said} == EXPECTED.get(name, frozenset()), [found.message for found in said]
    assert report.internal_errors == []
    assert report.event_count > 0


@pytest.mark.parametrize("version", [None, "1.0"])
def test_the_linter_knows_every_type_of_event(recording: tuple[str, list[LogEntry]], version: str | None) -> None:
    _, entries = recording

    types = {msgspec.json.decode(frame)["type"] for frame in frames(entries, version)}

    assert types <= set(EVENT_TYPES)


def test_the_linter_sees_a_stream_that_stops_too_early(
    recorded: Callable[[str], list[LogEntry]],
) -> None:
    entries = recorded("text")

    report = lint(frames(entries, "1.0")[:-1])

    assert "AGUI003" in {found.rule for found in report.diagnostics}
