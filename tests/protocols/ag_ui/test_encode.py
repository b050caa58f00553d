"""The AG-UI encoder: what it makes of the recordings, and that a client accepts whatever it makes of any log."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wakeful.contracts import codec
from wakeful.contracts.event import LogEntry, RunFinished, RunWaiting, StepRestarted, StepStarted, ToolCallReady
from wakeful.protocols.ag_ui.encode import Encoder
from wakeful.protocols.ag_ui.messages import InputHistoryMessage

Recorded = Callable[[str], list[LogEntry]]
OLD, NEW = None, "1.0"


def encode(entries: Sequence[LogEntry], version: str | None = NEW) -> list[bytes]:
    encoder = Encoder(run_id="run-1", thread_id="thread-1", client_run_id="client-run", protocol_version=version)
    return [frame for entry in entries for frame in encoder.encode(entry)]


def events(entries: Sequence[LogEntry], version: str | None = NEW) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in encode(entries, version)]


def by_entry(entries: Sequence[LogEntry], version: str | None = NEW) -> list[tuple[LogEntry, list[bytes]]]:
    encoder = Encoder(run_id="run-1", thread_id="thread-1", client_run_id="client-run", protocol_version=version)
    return [(entry, encoder.encode(entry)) for entry in entries]


def after_waiting(entries: list[LogEntry]) -> list[LogEntry]:
    last = max((n for n, entry in enumerate(entries) if isinstance(entry.event, RunWaiting)), default=-1)
    return entries[last + 1 :]


@pytest.mark.parametrize(("version", "folder"), [(OLD, "ag_ui_0"), (NEW, "ag_ui_1")])
def test_recordings_are_encoded_as_in_the_snapshots(
    recording: tuple[str, list[LogEntry]], version: str | None, folder: str, matches_snapshot: Any
) -> None:
    name, entries = recording

    frames = encode(entries, version)

    matches_snapshot(f"{folder}/{name}", frames)


@pytest.mark.parametrize("version", [OLD, NEW])
def test_a_client_accepts_every_recording_and_sees_it_end(
    recording: tuple[str, list[LogEntry]], version: str | None, verifier: Any
) -> None:
    _, entries = recording
    client = verifier(modern=version is not None)

    for frame in encode(entries, version):
        client.feed(frame)

    assert client.ended


@pytest.mark.proves("G03", "G07")
@settings(max_examples=250, deadline=None)
@given(data=st.data(), version=st.sampled_from([OLD, NEW]))
def test_a_client_accepts_any_log_cut_off_anywhere(
    data: st.DataObject, version: str | None, logs: st.SearchStrategy[list[LogEntry]], verifier: Any
) -> None:
    entries = data.draw(logs)
    shown = entries[: data.draw(st.integers(0, len(entries)))]
    client = verifier(modern=version is not None)

    for frame in encode(shown, version):
        client.feed(frame)

    assert client.ended or not shown or not isinstance(shown[-1].event, RunFinished | RunWaiting)


@settings(max_examples=250, deadline=None)
@given(data=st.data(), version=st.sampled_from([OLD, NEW]))
def test_a_client_that_answered_a_question_accepts_the_next_segment_as_its_own_response(
    data: st.DataObject, version: str | None, logs: st.SearchStrategy[list[LogEntry]], verifier: Any
) -> None:
    entries = data.draw(logs)
    rest = after_waiting(entries)
    client = verifier(modern=version is not None)
    for frame in encode(entries[: len(entries) - len(rest)], version):
        client.feed(frame)

    client.begin()
    for frame in encode(rest, version):
        client.feed(frame)

    assert client.ended


def test_the_same_log_gives_the_same_bytes(recording: tuple[str, list[LogEntry]]) -> None:
    _, entries = recording

    assert encode(entries) == encode(entries)


def test_only_the_clients_run_id_is_shown(recording: tuple[str, list[LogEntry]]) -> None:
    _, entries = recording

    frames = b"".join(encode(entries))

    assert b'"client-run"' in frames or b"RUN_ERROR" in frames
    assert b"run-1" not in frames


@pytest.mark.proves("G04")
def test_arguments_are_sent_even_when_the_model_did_not_stream_them(recorded: Recorded) -> None:
    found = {
        event["toolCallId"]: event["delta"]
        for event in events(recorded("tool_without_deltas"))
        if event["type"] == "TOOL_CALL_ARGS"
    }

    assert found == {"call-a": '{\n  "city": "Oslo"\n}', "call-b": "{}"}


@pytest.mark.proves("G05")
def test_an_approval_ends_the_segment_with_an_interrupt_and_no_result(recorded: Recorded) -> None:
    found = events(recorded("approval_then_approved"))
    end = next(n for n, event in enumerate(found) if event["type"] == "RUN_FINISHED")

    assert "TOOL_CALL_RESULT" not in [event["type"] for event in found[:end]]
    assert found[end]["outcome"]["interrupts"] == [
        {
            "id": "int-call-a",
            "reason": "confirmation",
            "responseSchema": {
                "type": "object",
                "properties": {
                    "approved": {"type": "boolean"},
                    "reason": {"type": "string"},
                    "editedArgs": {"type": "object"},
                },
                "required": ["approved"],
            },
            "message": "May delete_file run?",
            "toolCallId": "call-a",
            "expiresAt": "2025-11-24T17:00:00.000+00:00",
        }
    ]


def test_a_resumed_call_sends_only_its_result(recorded: Recorded) -> None:
    found = [event["type"] for event in events(after_waiting(recorded("approval_then_approved")))]

    assert found[:3] == ["RUN_STARTED", "TOOL_CALL_RESULT", "STEP_STARTED"]


def test_a_frontend_call_is_pending_for_a_client_that_can_be_told(recorded: Recorded) -> None:
    new = [e.get("outcome") for e in events(recorded("frontend_tool"), NEW) if e["type"] == "RUN_FINISHED"]
    old = [e.get("outcome") for e in events(recorded("frontend_tool"), OLD) if e["type"] == "RUN_FINISHED"]

    assert new == [{"type": "success", "pendingToolCallIds": ["call-a"]}, {"type": "success"}]
    assert old == [None, None]


@pytest.mark.proves("G16")
@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("text", ("RUN_FINISHED", None), ("RUN_FINISHED", "success")),
        ("max_steps", ("RUN_FINISHED", None), ("RUN_FINISHED", "cancelled")),
        ("long_unicode", ("RUN_FINISHED", None), ("RUN_FINISHED", "cancelled")),
        ("cancelled_mid_text", ("RUN_ERROR", "CANCELLED"), ("RUN_FINISHED", "cancelled")),
        ("max_tool_errors", ("RUN_FINISHED", None), ("RUN_FINISHED", "cancelled")),
        ("stop_on_tool", ("RUN_FINISHED", None), ("RUN_FINISHED", "success")),
        ("steered_away", ("RUN_FINISHED", None), ("RUN_FINISHED", "success")),
        ("withdrawn", ("RUN_ERROR", "CANCELLED"), ("RUN_FINISHED", "cancelled")),
        ("cancelled_mid_tool", ("RUN_ERROR", "CANCELLED"), ("RUN_FINISHED", "cancelled")),
        ("content_filter", ("RUN_ERROR", "BLOCKED"), ("RUN_ERROR", "BLOCKED")),
        ("failed_mid_text", ("RUN_ERROR", "model_overloaded"), ("RUN_ERROR", "model_overloaded")),
    ],
)
def test_each_end_has_its_shape_in_both_dialects(
    name: str, old: tuple[str, str | None], new: tuple[str, str | None], recorded: Recorded
) -> None:
    last = [events(recorded(name), version)[-1] for version in (OLD, NEW)]

    assert [(e["type"], e.get("code") or e.get("outcome", {}).get("type")) for e in last] == [old, new]


def test_text_that_reopens_in_a_step_gets_an_id_of_its_own(recorded: Recorded) -> None:
    starts = [event for event in events(recorded("reasoning_then_text")) if event["type"].endswith("MESSAGE_START")]

    assert [event["messageId"] for event in starts] == ["msg-1:r1", "msg-1", "msg-1:r2", "msg-1:2"]


@pytest.mark.parametrize("version", [OLD, NEW])
def test_a_client_that_watched_a_restart_holds_what_an_undisturbed_run_shows(
    recording: tuple[str, list[LogEntry]], version: str | None, verifier: Any, void: Any
) -> None:
    _, entries = recording
    watched, undisturbed = verifier(modern=version is not None), verifier(modern=version is not None)

    for frame in encode(entries, version):
        watched.feed(frame)
    for frame in encode(void(entries).undisturbed, version):
        undisturbed.feed(frame)

    assert watched.history.transcript == undisturbed.history.transcript


def test_replays_without_the_void_parts_are_as_in_the_snapshots(
    recording: tuple[str, list[LogEntry]], matches_snapshot: Any, void: Any
) -> None:
    name, entries = recording
    known = void(entries)

    frames = [frame for entry, frames in by_entry(entries, OLD) for frame in frames if not known.covers(entry)]

    if known.ranges:
        matches_snapshot(f"ag_ui_replayed/{name}", frames)
    else:
        assert frames == encode(entries, OLD)


@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_a_replay_without_the_void_parts_is_that_of_an_undisturbed_run(
    data: st.DataObject, logs: st.SearchStrategy[list[LogEntry]], verifier: Any, void: Any
) -> None:
    entries = data.draw(logs)
    known = void(entries)
    returned, watched, undisturbed = verifier(modern=True), verifier(modern=True), verifier(modern=True)

    for entry, frames in by_entry(entries):
        for frame in frames:
            watched.feed(frame)
            if not known.covers(entry):
                returned.feed(frame)
    for frame in encode(known.undisturbed):
        undisturbed.feed(frame)

    assert returned.ended
    assert returned.history.transcript == watched.history.transcript == undisturbed.history.transcript


def test_an_attempt_gives_ids_that_no_attempt_before_can_have_given(recorded: Recorded) -> None:
    starts = [event for event in events(recorded("same_call_ids_again")) if event["type"] == "TEXT_MESSAGE_START"]

    assert [event["messageId"] for event in starts] == ["msg-1", "msg-1:a2", "msg-1:a3", "msg-2"]


def test_a_returning_client_is_given_the_messages_before_the_run_once(recorded: Recorded, verifier: Any) -> None:
    question = InputHistoryMessage("user-1", "user", "delete it")
    encoder = Encoder(run_id="run-1", thread_id="thread-1", client_run_id="client-run", before=[question])
    client = verifier(modern=True)
    client.history.messages = [{"id": "msg-1", "role": "assistant", "content": "I will del"}]

    for entry in recorded("asked_again"):
        for frame in encoder.encode(entry):
            client.feed(frame)

    assert [event["type"] for event in client.events[:2]] == ["RUN_STARTED", "MESSAGES_SNAPSHOT"]
    assert client.events[1]["messages"] == [{"id": "user-1", "role": "user", "content": "delete it"}]
    assert [(message["id"], message["content"]) for message in client.history.messages] == [
        ("user-1", "delete it"),
        ("msg-1", "I will delete it."),
        ("result-call-a", '{"deleted":true}'),
        ("msg-2", "Deleted."),
    ]


def test_a_call_that_is_asked_about_again_ends_with_the_new_question(recorded: Recorded) -> None:
    outcomes = [event["outcome"] for event in events(recorded("asked_again")) if event["type"] == "RUN_FINISHED"]

    asked = [[interrupt["id"] for interrupt in outcome.get("interrupts", ())] for outcome in outcomes]
    assert asked == [["int-1"], ["int-2"], []]


def test_a_retry_is_a_notice_and_no_end(recorded: Recorded) -> None:
    found = events(recorded("retried_run"))

    (notice,) = [event for event in found if event.get("name") == "retry_scheduled"]
    assert notice["value"] == {
        "target": "run",
        "attempt": 1,
        "delayMs": 1000,
        "code": "model_overloaded",
        "message": "demo is overloaded",
    }
    ends = [event["type"] for event in found if event["type"] in {"RUN_STARTED", "RUN_FINISHED", "RUN_ERROR"}]
    assert ends == ["RUN_STARTED", "RUN_FINISHED"]


@pytest.mark.parametrize("version", [OLD, NEW])
def test_the_end_says_why_the_run_stopped(version: str | None, recorded: Recorded) -> None:
    names = ["text", "max_tokens", "stop_on_tool", "steered_away"]

    ends = [events(recorded(name), version)[-1] for name in names]

    assert [end["result"]["stopReason"] for end in ends] == ["answered", "max_tokens", "stop_on_tool", "steered"]


def test_input_that_reaches_a_run_is_announced_by_its_id(recorded: Recorded) -> None:
    (notice,) = [event for event in events(recorded("steered_input")) if event.get("name") == "steered"]

    assert notice["value"] == {"messageId": "user-2"}


def test_usage_is_reported_per_model_and_segment(recorded: Recorded) -> None:
    found = [event["usage"] for event in events(recorded("approval_then_approved")) if event["type"] == "RUN_FINISHED"]

    assert [[(u["provider"], u["model"], u["totalTokens"]) for u in usage] for usage in found] == [
        [("demo", "demo-large", 17)],
        [("demo", "demo-large", 17)],
    ]


def test_a_call_whose_arguments_never_became_complete_is_closed_before_the_stream_waits(
    recorded: Recorded, verifier: Any
) -> None:
    entries = [entry for entry in recorded("approval_then_approved") if not isinstance(entry.event, ToolCallReady)]
    client = verifier(modern=True)

    for frame in encode(entries):
        client.feed(frame)

    assert client.ended


@pytest.mark.parametrize(("reason", "void"), [("resumed", {"m", "m:r1"}), ("model_timeout", set[str]())])
def test_what_a_lost_process_showed_and_no_log_has_is_taken_back_as_well(reason: str, void: set[str]) -> None:
    log = [codec.entry(1, 1, StepStarted(1, "m")), codec.entry(600, 2, StepRestarted(1, "m", reason))]

    taken_back = {event["messageId"] for event in events(log) if event["type"] == "ACTIVITY_SNAPSHOT"}

    assert taken_back == void
