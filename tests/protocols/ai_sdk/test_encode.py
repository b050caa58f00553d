"""The AI SDK encoder: what it makes of the recordings, and that a client accepts whatever it makes of any log."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wakeful.contracts.event import LogEntry, RunAccepted, RunFinished, RunStarted, RunWaiting
from wakeful.protocols.ai_sdk.dialects import DIALECTS, Dialect
from wakeful.protocols.ai_sdk.encode import Encoder

Recorded = Callable[[str], list[LogEntry]]
FOLDERS: dict[Dialect, str] = {"5": "ai_sdk_5", "6": "ai_sdk", "7": "ai_sdk_7"}


def by_entry(entries: Sequence[LogEntry], dialect: Dialect = "6", after: int = 0) -> list[tuple[LogEntry, list[bytes]]]:
    encoder = Encoder(run_id="run-1", thread_id="thread-1", dialect=dialect, after=after)
    return [(entry, encoder.encode(entry)) for entry in entries]


def encode(entries: Sequence[LogEntry], dialect: Dialect = "6", after: int = 0) -> list[bytes]:
    return [frame for _, frames in by_entry(entries, dialect, after) for frame in frames]


def chunks(entries: Sequence[LogEntry], dialect: Dialect = "6") -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in encode(entries, dialect)]


def last_wait(entries: Sequence[LogEntry]) -> int:
    """The number of the last `RunWaiting` after which the run went on; 0 when there is none."""
    waits = [entry.seq for entry in entries if isinstance(entry.event, RunWaiting)]
    begun = max(entry.seq for entry in entries if isinstance(entry.event, RunAccepted | RunStarted))
    return max((seq for seq in waits if seq < begun), default=0)


@pytest.mark.proves("S06", "S07", "S10")
@pytest.mark.parametrize("dialect", DIALECTS)
def test_recordings_are_encoded_as_in_the_snapshots(
    recording: tuple[str, list[LogEntry]], dialect: Dialect, matches_snapshot: Any
) -> None:
    name, entries = recording

    frames = encode(entries, dialect)

    matches_snapshot(f"{FOLDERS[dialect]}/{name}", frames)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_client_accepts_every_recording_and_sees_it_end(
    recording: tuple[str, list[LogEntry]], dialect: Dialect, reader: Any
) -> None:
    _, entries = recording
    client = reader(dialect=dialect)

    for frame in encode(entries, dialect):
        client.feed(frame)

    assert client.ended


@pytest.mark.proves("S04", "S05")
@settings(max_examples=250, deadline=None)
@given(data=st.data(), dialect=st.sampled_from(DIALECTS))
def test_a_client_accepts_any_log_cut_off_anywhere(
    data: st.DataObject, dialect: Dialect, logs: st.SearchStrategy[list[LogEntry]], reader: Any
) -> None:
    entries = data.draw(logs)
    shown = entries[: data.draw(st.integers(0, len(entries)))]
    client = reader(dialect=dialect)

    for frame in encode(shown, dialect):
        client.feed(frame)

    assert client.ended or not shown or not isinstance(shown[-1].event, RunFinished | RunWaiting)


@settings(max_examples=250, deadline=None)
@given(data=st.data(), dialect=st.sampled_from(DIALECTS))
def test_a_client_that_answered_a_question_accepts_the_next_segment_as_its_own_response(
    data: st.DataObject, dialect: Dialect, logs: st.SearchStrategy[list[LogEntry]], reader: Any
) -> None:
    entries = data.draw(logs)
    wait = last_wait(entries)
    client, whole = reader(dialect=dialect), reader(dialect=dialect)
    for frame in encode([entry for entry in entries if entry.seq <= wait], dialect):
        client.feed(frame)

    client.begin()
    for frame in encode(entries, dialect, after=wait):
        client.feed(frame)

    for frame in encode(entries, dialect):
        whole.feed(frame)
    assert client.ended
    assert (client.message_id or whole.message_id, client.parts) == (whole.message_id, whole.parts)
    assert client.metadata == whole.metadata


def test_the_same_log_gives_the_same_bytes(recording: tuple[str, list[LogEntry]]) -> None:
    _, entries = recording

    assert encode(entries) == encode(entries)


def test_every_segment_names_the_message_of_the_first_step(recorded: Recorded) -> None:
    starts = [chunk for chunk in chunks(recorded("approval_then_approved")) if chunk["type"] == "start"]

    assert [start["messageId"] for start in starts] == ["msg-1", "msg-1"]


def test_a_stream_of_the_second_segment_alone_lets_the_client_keep_its_message(recorded: Recorded) -> None:
    entries = recorded("approval_then_approved")

    first = json.loads(encode(entries, after=last_wait(entries))[0])

    assert first.keys() == {"type", "messageMetadata"}
    assert first["messageMetadata"] == {"runId": "run-1", "threadId": "thread-1", "createdAt": 1764000000060}


@pytest.mark.proves("S08")
def test_the_result_of_an_approved_call_shares_its_step_with_the_next_reply(recorded: Recorded, reader: Any) -> None:
    client = reader()

    for frame in encode(recorded("approval_then_approved")):
        client.feed(frame)

    kinds = [part["type"] for part in client.parts]
    assert kinds == ["step-start", "text", "tool-delete_file", "step-start", "text"]
    assert client.parts[2]["output"] == {"deleted": True}


def test_only_what_the_server_answered_is_provider_executed(recorded: Recorded) -> None:
    found = {
        chunk["toolCallId"]: chunk.get("providerExecuted")
        for chunk in chunks(recorded("frontend_tool"))
        if chunk["type"] == "tool-output-available"
    }

    assert found == {"call-b": True, "call-a": None}


def test_replays_without_the_void_parts_are_as_in_the_snapshots(
    recording: tuple[str, list[LogEntry]], matches_snapshot: Any, void: Any
) -> None:
    name, entries = recording
    known = void(entries)

    frames = [frame for entry, frames in by_entry(entries) for frame in frames if not known.covers(entry)]

    if known.ranges:
        matches_snapshot(f"ai_sdk_replayed/{name}", frames)
    else:
        assert frames == encode(entries)


@settings(max_examples=250, deadline=None)
@given(data=st.data(), dialect=st.sampled_from(DIALECTS))
def test_a_replay_without_the_void_parts_is_that_of_an_undisturbed_run(
    data: st.DataObject, dialect: Dialect, logs: st.SearchStrategy[list[LogEntry]], reader: Any, void: Any
) -> None:
    entries = data.draw(logs)
    known = void(entries)
    returned, undisturbed = reader(dialect=dialect), reader(dialect=dialect)

    for entry, frames in by_entry(entries, dialect):
        for frame in () if known.covers(entry) else frames:
            returned.feed(frame)
    for frame in encode(known.undisturbed, dialect):
        undisturbed.feed(frame)

    assert returned.ended
    assert (returned.message_id, returned.parts) == (undisturbed.message_id, undisturbed.parts)


@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_a_client_of_major_7_that_watched_a_restart_holds_what_an_undisturbed_run_shows(
    data: st.DataObject, logs: st.SearchStrategy[list[LogEntry]], reader: Any, void: Any
) -> None:
    entries = data.draw(logs)
    watched, undisturbed = reader(dialect="7"), reader(dialect="7")

    for frame in encode(entries, "7"):
        watched.feed(frame)
    for frame in encode(void(entries).undisturbed, "7"):
        undisturbed.feed(frame)

    assert (watched.message_id, watched.parts) == (undisturbed.message_id, undisturbed.parts)


def test_a_restart_answers_the_void_calls_and_opens_a_new_step(recorded: Recorded) -> None:
    kinds = [chunk["type"] for chunk in chunks(recorded("step_restarted"))]

    at = kinds.index("data-step-restarted")
    assert kinds[at - 3 : at + 2] == [
        "tool-output-error",
        "finish-step",
        "start-step",
        "data-step-restarted",
        "text-start",
    ]


def test_a_failure_says_so_before_it_finishes(recorded: Recorded) -> None:
    *_, error, finish = chunks(recorded("failed_mid_text"))

    assert error == {"type": "error", "errorText": 'demo is overloaded: "try again"\nlater'}
    assert finish["finishReason"] == "error"


def test_limits_filters_and_answers_have_different_finish_reasons(recorded: Recorded) -> None:
    names = {
        "text": ["stop"],
        "stop_on_tool": ["stop"],
        "steered_away": ["stop"],
        "max_steps": ["length"],
        "max_tokens": ["length"],
        "long_unicode": ["length"],
        "max_tool_errors": ["other"],
        "content_filter": ["content-filter"],
        "frontend_tool": ["tool-calls", "stop"],
    }

    ends = {name: [c["finishReason"] for c in chunks(recorded(name)) if c["type"] == "finish"] for name in names}

    assert ends == names


def test_the_end_says_why_the_run_stopped(recorded: Recorded) -> None:
    *_, finish = chunks(recorded("max_tokens"))

    assert finish["messageMetadata"]["stopReason"] == "max_tokens"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("withdrawn", "withdrawn"), ("cancelled_mid_tool", "cancelled"), ("cancelled_mid_text", "cancelled")],
)
def test_a_run_that_was_stopped_ends_with_abort(name: str, reason: str, recorded: Recorded) -> None:
    *_, abort = chunks(recorded(name))

    assert abort == {"type": "abort", "reason": reason}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_major_that_knows_no_interrupted_end_learns_otherwise_what_a_cancelled_run_took(
    dialect: Dialect, recorded: Recorded, reader: Any
) -> None:
    client = reader(dialect=dialect)

    for frame in encode(recorded("cancelled_mid_text"), dialect):
        client.feed(frame)

    last = [chunk["type"] for chunk in client.chunks[-2:]]
    assert last == (["abort", "finish"] if dialect == "7" else ["message-metadata", "abort"])
    assert client.metadata["stopReason"] == "cancelled"
    assert client.chunks[-1].get("reason") == ("cancelled" if dialect == "6" else None)
    assert client.chunks[-1].get("finishReason") == ("interrupted" if dialect == "7" else None)


def test_a_cancelled_run_leaves_no_call_open(recorded: Recorded, reader: Any) -> None:
    client = reader()

    for frame in encode(recorded("cancelled_mid_tool")):
        client.feed(frame)

    assert [(part["state"], part["errorText"]) for part in client.parts[1:]] == [
        ("output-error", "The run was stopped.")
    ]


def test_a_retry_is_a_notice_and_no_end(recorded: Recorded) -> None:
    found = chunks(recorded("retried_run"))

    (notice,) = [chunk for chunk in found if chunk["type"] == "data-retry"]
    assert notice == {
        "type": "data-retry",
        "data": {
            "target": "run",
            "attempt": 1,
            "delayMs": 1000,
            "code": "model_overloaded",
            "message": "demo is overloaded",
        },
        "transient": True,
    }
    ends = [chunk["type"] for chunk in found if chunk["type"] in {"start", "error", "abort", "finish"}]
    assert ends == ["start", "finish"]


def test_a_retry_before_the_first_step_does_not_start_a_message_without_its_id(recorded: Recorded) -> None:
    first, *_ = chunks(recorded("retried_before_first_step"))

    assert (first["type"], first["messageId"]) == ("start", "msg-1")


def test_a_call_that_is_asked_about_again_has_the_new_question(recorded: Recorded, reader: Any) -> None:
    entries = recorded("asked_again")
    second = [index for index, entry in enumerate(entries) if isinstance(entry.event, RunWaiting)][1]
    client = reader()

    for frame in encode(entries[: second + 1]):
        client.feed(frame)

    assert client.parts[-1]["state"] == "approval-requested"
    assert client.parts[-1]["approval"] == {"id": "int-2"}


@pytest.mark.parametrize("watched_from", ["the beginning", "the answer"])
def test_a_call_shows_the_arguments_a_human_changed(watched_from: str, recorded: Recorded, reader: Any) -> None:
    entries = recorded("edited_arguments")
    wait = last_wait(entries)
    client = reader()
    for frame in encode([entry for entry in entries if entry.seq <= wait]):
        client.feed(frame)

    client.begin()
    for frame in encode(entries, after=wait) if watched_from == "the answer" else encode(entries)[len(client.chunks) :]:
        client.feed(frame)

    calls = [part for part in client.parts if part["type"] == "tool-delete_file"]
    assert [(call["input"], call["output"]) for call in calls] == [({"path": "b.txt"}, {"deleted": True})]


def test_a_run_that_ends_with_the_clients_answer_ends_in_a_step_of_its_own(recorded: Recorded, reader: Any) -> None:
    client = reader()

    for frame in encode(recorded("front_end_answer_ends_the_run")):
        client.feed(frame)

    assert [part["type"] for part in client.parts] == ["step-start", "tool-paint", "step-start"]


def test_input_that_reaches_a_run_is_announced_by_its_id(recorded: Recorded) -> None:
    (notice,) = [chunk for chunk in chunks(recorded("steered_input")) if chunk["type"] == "data-steered"]

    assert notice["data"] == {"messageId": "user-2"}


@pytest.mark.proves("S11")
def test_nothing_is_said_after_the_end(recorded: Recorded) -> None:
    entries = recorded("text")
    encoder = Encoder(run_id="run-1", thread_id="thread-1")
    for entry in entries:
        encoder.encode(entry)

    late = [frame for entry in entries if entry.seq > 2 for frame in encoder.encode(entry)]

    assert late == []
