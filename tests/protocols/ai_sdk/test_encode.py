"""The AI SDK encoder: what it makes of the recordings, and that a client accepts whatever it makes of any log."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wakeful.contracts.event import LogEntry, RunFinished, RunWaiting
from wakeful.protocols.ai_sdk.encode import Encoder

Recorded = Callable[[str], list[LogEntry]]


def encode(entries: Sequence[LogEntry]) -> list[bytes]:
    encoder = Encoder(run_id="run-1", thread_id="thread-1")
    return [frame for entry in entries for frame in encoder.encode(entry)]


def chunks(entries: Sequence[LogEntry]) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in encode(entries)]


def after_waiting(entries: list[LogEntry]) -> list[LogEntry]:
    last = max((n for n, entry in enumerate(entries) if isinstance(entry.event, RunWaiting)), default=-1)
    return entries[last + 1 :]


@pytest.mark.proves("S06", "S07", "S10")
def test_recordings_are_encoded_as_in_the_snapshots(
    recording: tuple[str, list[LogEntry]], matches_snapshot: Any
) -> None:
    name, entries = recording

    frames = encode(entries)

    matches_snapshot(f"ai_sdk/{name}", frames)


def test_a_client_accepts_every_recording_and_sees_it_end(recording: tuple[str, list[LogEntry]], reader: Any) -> None:
    _, entries = recording
    client = reader()

    for frame in encode(entries):
        client.feed(frame)

    assert client.ended


@pytest.mark.proves("S04", "S05")
@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_a_client_accepts_any_log_cut_off_anywhere(
    data: st.DataObject, logs: st.SearchStrategy[list[LogEntry]], reader: Any
) -> None:
    entries = data.draw(logs)
    shown = entries[: data.draw(st.integers(0, len(entries)))]
    client = reader()

    for frame in encode(shown):
        client.feed(frame)

    assert client.ended or not shown or not isinstance(shown[-1].event, RunFinished | RunWaiting)


@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_a_client_that_answered_a_question_accepts_the_next_segment_as_its_own_response(
    data: st.DataObject, logs: st.SearchStrategy[list[LogEntry]], reader: Any
) -> None:
    entries = data.draw(logs)
    rest = after_waiting(entries)
    client = reader()
    for frame in encode(entries[: len(entries) - len(rest)]):
        client.feed(frame)

    client.begin()
    for frame in encode(rest):
        client.feed(frame)

    assert client.ended


def test_the_same_log_gives_the_same_bytes(recording: tuple[str, list[LogEntry]]) -> None:
    _, entries = recording

    assert encode(entries) == encode(entries)


def test_every_segment_names_the_message_of_the_first_step(recorded: Recorded) -> None:
    starts = [chunk for chunk in chunks(recorded("approval_then_approved")) if chunk["type"] == "start"]

    assert [start["messageId"] for start in starts] == ["msg-1", "msg-1"]


def test_a_stream_of_the_second_segment_alone_lets_the_client_keep_its_message(recorded: Recorded) -> None:
    first, *_ = chunks(after_waiting(recorded("approval_then_approved")))

    assert first == {"type": "start", "messageMetadata": {"runId": "run-1", "threadId": "thread-1"}}


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
    names = ["text", "max_steps", "long_unicode", "content_filter", "frontend_tool"]

    ends = [[c["finishReason"] for c in chunks(recorded(name)) if c["type"] == "finish"] for name in names]

    assert ends == [["stop"], ["length"], ["length"], ["content-filter"], ["tool-calls", "stop"]]


@pytest.mark.proves("S11")
def test_nothing_is_said_after_the_end(recorded: Recorded) -> None:
    entries = recorded("text")
    encoder = Encoder(run_id="run-1", thread_id="thread-1")
    for entry in entries:
        encoder.encode(entry)

    late = [frame for entry in entries if entry.seq > 2 for frame in encoder.encode(entry)]

    assert late == []
