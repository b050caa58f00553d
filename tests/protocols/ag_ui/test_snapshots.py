"""What AG-UI clients are shown of state, and what they are given again before a question."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from typing import Any

import jsonpatch
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wakeful.contracts import codec
from wakeful.contracts.event import (
    LogEntry,
    MessageCommitted,
    RunFinished,
    RunStarted,
    RunWaiting,
    StateChanged,
    StateReplaced,
    StepRestarted,
    StepStarted,
    TextDelta,
)
from wakeful.contracts.interrupt import Interrupt
from wakeful.protocols.ag_ui.encode import Encoder

Recorded = Callable[[str], list[LogEntry]]
ASKED = RunWaiting((Interrupt("int-1", "approval", "call-1", "send", "{}"),))
FRONT_END = RunWaiting((Interrupt("int-2", "frontend_tool", "call-2", "paint", "{}"),))
BOTH = RunWaiting((*ASKED.interrupts, *FRONT_END.interrupts))


def encode(entries: Sequence[LogEntry], version: str | None = "1.0", **more: Any) -> list[bytes]:
    encoder = Encoder(run_id="run-1", thread_id="t", client_run_id="client", protocol_version=version, **more)
    return [frame for entry in entries for frame in encoder.encode(entry)]


def events(entries: Sequence[LogEntry], **more: Any) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in encode(entries, **more)]


def log(*found: Any) -> list[LogEntry]:
    return [codec.entry(seq, 10 * seq, event) for seq, event in enumerate(found, start=1)]


def fitting(entries: Sequence[LogEntry]) -> list[LogEntry]:
    """The log with changes that fit the state they change, and a whole state where one is needed."""
    state: Any = {}
    fitted: list[Any] = []
    for number, entry in enumerate(entries):
        match entry.event:
            case StateReplaced():
                continue
            case RunStarted() if state:
                fitted += [entry.event, StateReplaced(copy.deepcopy(state))]
            case StateChanged(call_id):
                patch = ({"op": "add", "path": f"/{number}", "value": [None, {"n": number}]},)
                patch += ({"op": "remove", "path": f"/{min(state)}"},) if len(state) > 1 else ()
                state = jsonpatch.apply_patch(state, patch)
                fitted.append(StateChanged(call_id, patch))
            case event:
                fitted.append(event)
    return log(*fitted)


def raw(messages: list[dict[str, Any]]) -> list[msgspec.Raw]:
    kept = (message for message in messages if message["role"] not in {"activity", "reasoning"})
    return [msgspec.Raw(json.dumps(message).encode()) for message in kept]


@pytest.mark.proves("G08")
def test_state_and_its_changes_are_forwarded_as_they_are(recorded: Recorded) -> None:
    entries = recorded("state_across_a_question")

    found = events(entries)

    whole = [event["snapshot"] for event in found if event["type"] == "STATE_SNAPSHOT"]
    assert [whole[0], whole[-1]] == [entry.event.state for entry in entries if isinstance(entry.event, StateReplaced)]
    assert [event["delta"] for event in found if event["type"] == "STATE_DELTA"] == [
        list(entry.event.patch) for entry in entries if isinstance(entry.event, StateChanged)
    ]


def test_before_a_question_comes_the_state_as_it_is_then(recorded: Recorded) -> None:
    found = events(recorded("state_across_a_question"))
    end = next(n for n, event in enumerate(found) if event["type"] == "RUN_FINISHED")

    assert (found[end - 1]["type"], found[end]["outcome"]["type"]) == ("STATE_SNAPSHOT", "interrupt")
    assert found[end - 1]["snapshot"] == {
        "list": {"items": ["bread", None, "eggs"], "by shop": {"corner": {"open": None}}},
        "a/b~c": [[1, []], {"x": None}],
    }


def test_the_first_change_of_nothing_comes_after_a_snapshot_of_nothing(recorded: Recorded) -> None:
    found = [event for event in events(recorded("state_from_nothing")) if event["type"].startswith("STATE_")]

    assert [event.get("snapshot", event.get("delta")) for event in found] == [
        {},
        [{"op": "add", "path": "/items", "value": []}],
        [{"op": "add", "path": "/items/-", "value": None}],
    ]


def test_without_a_state_nothing_is_said_about_it(recorded: Recorded) -> None:
    assert not [event for event in events(recorded("approval_then_approved")) if event["type"].startswith("STATE_")]


@pytest.mark.parametrize("version", [None, "1.0"])
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_client_that_watches_any_log_holds_its_state(
    version: str | None, data: st.DataObject, logs: st.SearchStrategy[list[LogEntry]], verifier: Any, void: Any
) -> None:
    entries = fitting(data.draw(logs))
    known = void(entries)
    watched, returned = verifier(modern=version is not None), verifier(modern=version is not None)
    encoder = Encoder(run_id="r", thread_id="t", client_run_id="c", protocol_version=version)
    held: Any = {"stale": 1}
    returned.history.state = held

    for entry in entries:
        for frame in encoder.encode(entry):
            watched.feed(frame)
            if not known.covers(entry):
                returned.feed(frame)

    changes = [entry.event for entry in entries if isinstance(entry.event, StateChanged)]
    expected: Any = {}
    for change in changes:
        expected = jsonpatch.apply_patch(expected, change.patch)
    assert watched.history.misfits == returned.history.misfits == 0
    assert watched.history.state == expected
    assert returned.history.state == (expected if changes else held)


@pytest.mark.parametrize("version", [None, "1.0"])
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_the_snapshot_before_a_question_is_what_a_client_that_watched_holds_already(
    version: str | None, data: st.DataObject, logs: st.SearchStrategy[list[LogEntry]], verifier: Any
) -> None:
    known = (
        {"id": "before", "role": "assistant", "content": "Hello."},
        {"id": "user-1", "role": "user", "content": "?"},
    )
    entries = [entry for entry in data.draw(logs) if not isinstance(entry.event, MessageCommitted)]
    client = verifier(modern=version is not None)
    client.history.messages = [*map(dict, known)]

    for frame in encode(entries, version, sent=raw([*known])):
        held = copy.deepcopy(client.history.messages)
        client.feed(frame)
        if client.events[-1]["type"] == "MESSAGES_SNAPSHOT":
            assert client.history.messages == held

    asked = [event for event in client.events if (event.get("outcome") or {}).get("type") == "interrupt"]
    assert [event["type"] for event in client.events].count("MESSAGES_SNAPSHOT") == len(asked)


def test_messages_that_are_not_all_known_are_not_given_again() -> None:
    entries = log(RunStarted("a"), StepStarted(1, "m"), MessageCommitted("steered", "user"), ASKED)
    sent = raw([{"id": "u", "role": "user", "content": "hi"}])

    assert "MESSAGES_SNAPSHOT" not in [event["type"] for event in events(entries, sent=sent)]
    assert "MESSAGES_SNAPSHOT" not in [event["type"] for event in events(log(RunStarted("a"), ASKED))]


def test_input_that_joined_the_run_is_given_again_with_its_body(recorded: Recorded) -> None:
    joined = [
        entry.event for entry in recorded("metadata_of_input_meanwhile") if isinstance(entry.event, MessageCommitted)
    ]
    (steered,) = [event for event in joined if event.role == "user"]
    sent = raw([{"id": "u", "role": "user", "content": "hi"}])

    found = events(log(RunStarted("a"), steered, ASKED), sent=sent)

    snapshot = next(event["messages"] for event in found if event["type"] == "MESSAGES_SNAPSHOT")
    notice = next(event["value"] for event in found if event["type"] == "CUSTOM")
    assert notice == {"messageId": steered.message_id, "content": snapshot[1]["content"]}
    assert (snapshot[1]["id"], snapshot[1]["role"], bool(snapshot[1]["content"])) == (steered.message_id, "user", True)


def test_a_run_that_waits_for_front_end_calls_alone_gives_nothing_again() -> None:
    entries = log(RunStarted("a"), StateReplaced({"a": 1}), FRONT_END)

    found = [event["type"] for event in events(entries, sent=raw([{"id": "u", "role": "user", "content": "hi"}]))]

    assert found == ["RUN_STARTED", "STATE_SNAPSHOT", "RUN_FINISHED"]


@pytest.mark.parametrize(
    ("answered", "outcome"),
    [
        (set[str](), ("interrupt", ["int-1"])),
        ({"int-1"}, ("success", ["call-2"])),
        ({"int-1", "int-2"}, ("interrupt", ["int-1"])),
    ],
)
def test_questions_that_have_an_answer_are_not_asked_again(answered: set[str], outcome: Any) -> None:
    end = events(log(RunStarted("a"), BOTH), answered=frozenset(answered))[-1]["outcome"]

    asked = [interrupt["id"] for interrupt in end.get("interrupts", ())] or end.get("pendingToolCallIds")
    assert (end["type"], asked) == outcome


@pytest.mark.parametrize("name", ["reasoning_then_text", "signature", "step_restarted", "crash_mid_text"])
@pytest.mark.parametrize("cut", [3, 5, 8, 100])
def test_a_client_that_comes_back_with_half_an_answer_holds_what_one_that_watched_holds(
    name: str, cut: int, recorded: Recorded, verifier: Any, void: Any
) -> None:
    entries = recorded(name)
    known = void(entries)
    watched, returned = verifier(modern=True), verifier(modern=True)
    for frame in encode(entries):
        watched.feed(frame)
    for frame in encode(entries[:cut]):
        returned.feed(frame)

    encoder = Encoder(
        run_id="r", thread_id="t", client_run_id="c", protocol_version="1.0", before=[], purge=bool(known.ranges)
    )
    again = verifier(modern=True)
    again.history = returned.history
    for entry in entries:
        for frame in encoder.encode(entry):
            if not known.covers(entry):
                again.feed(frame)

    assert again.history.transcript == watched.history.transcript


def test_a_state_that_its_changes_do_not_fit_is_forwarded_and_not_guessed() -> None:
    misfit = StateChanged("call-1", ({"op": "remove", "path": "/nothing"},))

    found = events(log(RunStarted("a"), StateReplaced({"a": 1}), misfit, ASKED, RunFinished("cancelled", "cancelled")))

    assert [event["type"] for event in found if event["type"].startswith("STATE_")] == ["STATE_SNAPSHOT", "STATE_DELTA"]


def test_a_state_that_came_with_what_is_void_reaches_a_client_that_is_not_shown_that(verifier: Any, void: Any) -> None:
    lost = (RunStarted("a"), StateReplaced({"a": 1}), StepStarted(1, "m"), TextDelta("lost"))
    again = (RunStarted("a"), StateReplaced({"b": 1}), StepRestarted(1, "m", "resumed"))
    entries = log(*lost, *again, StateChanged("c", ({"op": "replace", "path": "/b", "value": 2},)), ASKED)
    known, client = void(entries), verifier(modern=True)
    encoder = Encoder(run_id="r", thread_id="t", client_run_id="c", protocol_version="1.0")

    for entry in entries:
        for frame in encoder.encode(entry):
            if not known.covers(entry):
                client.feed(frame)

    assert (client.history.state, client.history.misfits) == ({"b": 2}, 0)


def test_text_that_is_open_when_a_question_comes_is_given_again_whole() -> None:
    user = [{"id": "u", "role": "user", "content": "hi"}]
    entries = log(RunStarted("a"), StepStarted(1, "m"), TextDelta("one "), TextDelta("two"), ASKED)

    snapshot = next(e["messages"] for e in events(entries, sent=raw(user)) if e["type"] == "MESSAGES_SNAPSHOT")

    assert snapshot == [*user, {"id": "m", "role": "assistant", "content": "one two"}]
