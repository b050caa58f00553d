"""The fold of a log as ACP updates: of every recording, and of any legal log."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wakeful.contracts import event as log
from wakeful.contracts.event import LogEntry
from wakeful.contracts.message import DataPart, TextPart
from wakeful.contracts.usage import Usage
from wakeful.protocols.acp import calls
from wakeful.protocols.acp.control import UPDATE, Ended, read_control
from wakeful.protocols.acp.encode import Encoder, View
from wakeful.protocols.acp.plan import entries_of

VIEW = View(cwd="/project", notices=True)


def encode(entries: Sequence[LogEntry], view: View = VIEW) -> list[bytes]:
    encoder = Encoder(view)
    return [payload for entry in entries for payload in encoder.encode(entry)]


def updates(entries: Sequence[LogEntry], view: View = VIEW) -> list[dict[str, Any]]:
    return [json.loads(payload) for payload in encode(entries, view) if payload.startswith(UPDATE)]


def held(shown: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The calls as a client holds them; fails for an update of a call it was never told of."""
    found: dict[str, dict[str, Any]] = {}
    for update in shown:
        if update["sessionUpdate"] == "tool_call":
            assert update["toolCallId"] not in found, update
            found[update["toolCallId"]] = update
        elif update["sessionUpdate"] == "tool_call_update":
            found[update["toolCallId"]].update(update)
    return found


def check(entries: Sequence[LogEntry], judged: Callable[[Any], None]) -> None:
    shown = updates(entries)
    for update in shown:
        judged(update)
    assert all(call["status"] in {"completed", "failed"} for call in held(shown).values())
    controls = [read_control(payload) for payload in encode(entries) if not payload.startswith(UPDATE)]
    assert isinstance(controls[-1], Ended)
    assert sum(isinstance(control, Ended) for control in controls) == 1
    said = "".join(entry.event.delta for entry in entries if isinstance(entry.event, log.TextDelta))
    chunks = [
        update["content"]["text"]
        for update in shown
        if update["sessionUpdate"] == "agent_message_chunk" and update["content"]["type"] == "text"
        if "/artifact/" not in update.get("messageId", "")
    ]
    assert "".join(chunks) == said


def test_every_recording_becomes_valid_updates(recording: Any, judged: Any) -> None:
    check(recording[1], judged)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_every_log_becomes_valid_updates(data: st.DataObject, logs: Any, judged: Any) -> None:
    check(data.draw(logs), judged)


def test_a_log_folds_to_the_same_bytes_wherever_one_begins_to_look(recording: Any) -> None:
    entries = recording[1]
    whole = encode(entries)

    for cut in range(0, len(entries), 5):
        encoder = Encoder(VIEW)
        before = [payload for entry in entries[:cut] for payload in encoder.encode(entry)]
        assert before + [payload for entry in entries[cut:] for payload in encoder.encode(entry)] == whole


def test_what_a_restarted_step_says_is_another_message(recorded: Any) -> None:
    shown = updates(recorded("step_restarted"))

    ids = [update["messageId"] for update in shown if update["sessionUpdate"] == "agent_message_chunk"]

    assert {"msg-1", "msg-1~2"} <= set(ids)


@pytest.mark.parametrize(
    ("name", "artifacts"),
    [
        ("data_and_artifacts", {"doc": "**Report**\n\n# Report\none two", "log": "old", "log~2": "newer"}),
        ("artifact_restarted", {"doc": "void text", "pic": "done", "~2/doc": "right text"}),
    ],
)
def test_an_artifact_is_a_message_and_another_one_when_it_begins_anew(recorded: Any, name: str, artifacts: Any) -> None:
    said: dict[str, str] = {}
    for update in updates(recorded(name)):
        message_id = update.get("messageId", "")
        if "/artifact/" in message_id and "text" in update["content"]:
            artifact = message_id.removeprefix("msg-1").replace("/artifact/", "/").removeprefix("/")
            said[artifact] = said.get(artifact, "") + update["content"]["text"]

    assert said == artifacts


def log_of(*events: log.Event) -> list[LogEntry]:
    from wakeful.contracts import codec

    begun = (log.RunStarted("a"), log.StepStarted(1, "m1"), *events)
    return [codec.entry(seq, seq, event) for seq, event in enumerate(begun, start=1)]


def call_of(name: str, arguments: str, output: Any, status: Any = "succeeded") -> dict[str, Any]:
    ready, done = log.ToolCallReady("c", name, arguments), log.ToolCallFinished("c", name, status, output, "r1")
    (found,) = held(updates(log_of(ready, log.ToolCallStarted("c", name), done))).values()
    return found


def test_a_changed_file_is_a_diff_with_its_place() -> None:
    found = call_of("edit_file", '{"path":"src/a.py","line":3}', {"path": "src/a.py", "oldText": "a", "newText": "b"})

    assert found["kind"] == "edit"
    assert found["title"] == "Edit file: src/a.py"
    assert found["locations"] == [{"path": "/project/src/a.py", "line": 3}]
    assert found["content"] == [{"type": "diff", "path": "/project/src/a.py", "oldText": "a", "newText": "b"}]


def test_several_new_files_are_several_diffs() -> None:
    found = call_of("write", "{}", [{"path": "/x", "new_text": "1"}, {"path": "/y", "newText": "2"}])

    assert [(diff["type"], diff["path"], "oldText" in diff) for diff in found["content"]] == [
        ("diff", "/x", False),
        ("diff", "/y", False),
    ]


@pytest.mark.parametrize("output", [{"path": "/x"}, {"path": 1, "newText": "b"}, [{"path": "/x", "newText": "b"}, 1]])
def test_what_is_no_change_of_a_file_is_text(output: Any) -> None:
    found = call_of("tool", "{}", output)

    assert found["content"] == [
        {"type": "content", "content": {"type": "text", "text": json.dumps(output, separators=(",", ":"))}}
    ]
    assert found["rawOutput"] == output


def test_a_failed_call_says_why() -> None:
    found = call_of("tool", "broken {", "no such city", "failed")

    assert found["status"] == "failed"
    assert found["content"][0]["content"]["text"] == "no such city"
    assert found["rawInput"] == "broken {"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("get_weather", "read"),
        ("readFile", "read"),
        ("mcp__github__search_issues", "search"),
        ("write_file", "edit"),
        ("remove", "delete"),
        ("mv", "move"),
        ("runTests", "execute"),
        ("fetch_url", "fetch"),
        ("think", "think"),
        ("getaway", "other"),
        ("", "other"),
    ],
)
def test_the_words_of_a_name_tell_its_kind(name: str, kind: str) -> None:
    assert calls.kind(name) == kind


def test_the_plan_is_shown_whenever_it_changes() -> None:
    shown = updates(
        log_of(
            log.StateReplaced({"plan": ["look"], "x": 1}),
            log.ToolCallReady("c", "t", "{}"),
            log.ToolCallStarted("c", "t"),
            log.StateChanged("c", ({"op": "replace", "path": "/x", "value": 2},)),
            log.StateChanged("c", ({"op": "add", "path": "/plan/-", "value": {"content": "leap", "status": "done"}},)),
            log.StateChanged("c", ({"op": "remove", "path": "/nowhere"},)),
        )
    )

    plans = [update["entries"] for update in shown if update["sessionUpdate"] == "plan"]

    look = {"content": "look", "priority": "medium", "status": "pending"}
    assert plans == [[look], [look, {"content": "leap", "priority": "medium", "status": "completed"}]]


def test_a_plan_of_anything_else_is_empty() -> None:
    assert entries_of({"content": "x"}) == entries_of(None) == entries_of([1, {}, {"content": 1}]) == []


def test_usage_tells_the_context_and_the_cost_of_the_session() -> None:
    finished = log.ModelCallFinished("m", "p", "stop", Usage(100, 20, cost=500_000), 5)

    first, second = updates(log_of(finished, finished), View(cwd="/", context_size=1000, spent=1_000_000))

    assert (first["used"], first["size"], first["cost"]) == (120, 1000, {"amount": 1.5, "currency": "USD"})
    assert second["cost"]["amount"] == 2.0


def test_artifacts_data_and_status_are_shown_beside_the_words(judged: Any) -> None:
    shown = updates(
        log_of(
            log.StatusNoted("looking"),
            log.TextDelta("So: "),
            log.ArtifactChanged("a1", TextPart("one "), name="Report"),
            log.ArtifactChanged("a1", TextPart("two"), append=True, last=True),
            log.DataEmitted({"n": 1}, "count"),
            log.ArtifactChanged("a2", DataPart([1])),
        )
    )

    for update in shown:
        judged(update)
    artifact = [update["content"]["text"] for update in shown if update["messageId"].endswith("artifact/a1")]
    assert "".join(artifact) == "**Report**\n\none two"
    assert [u["content"]["text"] for u in shown if u["sessionUpdate"] == "agent_thought_chunk"] == ["looking"]
    resources = [update["content"]["resource"]["text"] for update in shown if update["content"]["type"] == "resource"]
    assert resources == ['{"n":1}', "[1]"]


def test_retries_are_told_only_to_clients_that_read_notices(recorded: Any) -> None:
    entries = recorded("retry_scheduled")

    assert [u for u in updates(entries) if u["sessionUpdate"] == "notice"]
    assert not [u for u in updates(entries, View(cwd="/")) if u["sessionUpdate"] == "notice"]
