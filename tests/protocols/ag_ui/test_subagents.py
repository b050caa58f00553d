"""Other agents at work for a call, as AG-UI clients are shown them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from wakeful.contracts import codec
from wakeful.contracts.event import (
    LogEntry,
    RunFinished,
    RunStarted,
    RunWaiting,
    SubagentFinished,
    SubagentStarted,
    ToolCallFinished,
)
from wakeful.contracts.interrupt import Interrupt
from wakeful.protocols.ag_ui.encode import CUSTOM_EVENTS, Encoder

STARTED = SubagentStarted("call-1", "helper", "child", "thread-child")
ASKED = RunWaiting((Interrupt("int-1", "approval", "call-2", "send", "{}"),))


def shown(entries: list[LogEntry], version: str | None) -> list[dict[str, Any]]:
    encoder = Encoder(run_id="run", thread_id="t", client_run_id="client", protocol_version=version)
    return [json.loads(frame) for entry in entries for frame in encoder.encode(entry)]


def agents(found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Type, id and what else there is about each event of an agent."""
    told: list[tuple[Any, ...]] = []
    for event in found:
        if event["type"].startswith("SUBAGENT_"):
            told.append((event["type"], event["subagentRunId"], event.get("code"), event.get("outcome")))
        elif event.get("name", "").startswith("subagent_"):
            value = event["value"]
            told.append((event["name"], value["runId"], value.get("error", {}).get("code"), value.get("outcome")))
    return told


def log(*events: Any) -> list[LogEntry]:
    return [codec.entry(seq, 10 * seq, event) for seq, event in enumerate(events, start=1)]


def test_a_client_of_1_0_is_shown_each_agent_with_its_call_and_its_end(
    recorded: Callable[[str], list[LogEntry]],
) -> None:
    found = shown(recorded("subagent_of_two_calls"), "1.0")

    begun = next(event for event in found if event["type"] == "SUBAGENT_STARTED")
    assert (
        begun.items()
        >= {
            "subagentRunId": "child-1",
            "name": "researcher",
            "parentToolCallId": "call-a",
            "metadata": {"threadId": "thread-1"},
        }.items()
    )
    assert agents(found) == [
        ("SUBAGENT_STARTED", "child-1", None, None),
        ("SUBAGENT_STARTED", "child-2", None, None),
        ("SUBAGENT_ERROR", "child-2", "model_error", None),
        ("SUBAGENT_FINISHED", "child-1", None, None),
    ]


def test_an_older_client_is_told_by_custom_events(recorded: Callable[[str], list[LogEntry]]) -> None:
    found = shown(recorded("subagent_of_two_calls"), None)

    begun = next(event["value"] for event in found if event["type"] == "CUSTOM")
    assert begun == {"runId": "child-1", "threadId": "thread-1", "toolCallId": "call-a", "agentId": "researcher"}
    assert agents(found) == [
        ("subagent_started", "child-1", None, None),
        ("subagent_started", "child-2", None, None),
        ("subagent_finished", "child-2", "model_error", "failed"),
        ("subagent_finished", "child-1", None, "completed"),
    ]


def test_an_agent_whose_call_was_made_again_is_over(recorded: Callable[[str], list[LogEntry]]) -> None:
    assert agents(shown(recorded("subagent_cut_off"), "1.0")) == [
        ("SUBAGENT_STARTED", "child-1", None, None),
        ("SUBAGENT_STARTED", "child-2", None, None),
        ("SUBAGENT_ERROR", "child-2", "CANCELLED", None),
        ("SUBAGENT_ERROR", "child-1", "CANCELLED", None),
    ]


def test_an_agent_is_closed_before_its_call_and_its_run(verifier: Any) -> None:
    result = ToolCallFinished("call-1", "helper", "failed", "lost", "m")
    for ends in ([result], [RunFinished("failed", "error")]):
        found = shown(log(RunStarted("a"), STARTED, *ends), "1.0")

        assert [event["type"] for event in found][1:3] == ["SUBAGENT_STARTED", "SUBAGENT_ERROR"]
        client = verifier(modern=True)
        for event in found:
            client.feed(json.dumps(event).encode())


@pytest.mark.parametrize("version", [None, "1.0"])
def test_an_agent_of_a_run_that_waits_is_suspended_and_shows_up_again(version: str | None, verifier: Any) -> None:
    done = SubagentFinished("call-1", "child", "completed")
    going_on = (RunStarted("a", resumed=True), done, done, STARTED, RunFinished("completed", "answered"))
    entries = log(RunStarted("a"), STARTED, STARTED, ASKED, *going_on)

    found = shown(entries, version)

    client = verifier(modern=version is not None)
    for event in found:
        client.feed(json.dumps(event).encode())
    new = [
        ("SUBAGENT_STARTED", "child", None, None),
        ("SUBAGENT_FINISHED", "child", None, {"type": "suspended"}),
        ("SUBAGENT_STARTED", "child", None, None),
        ("SUBAGENT_FINISHED", "child", None, None),
    ]
    old = [
        ("subagent_started", "child", None, None),
        ("subagent_started", "child", None, None),
        ("subagent_finished", "child", None, "completed"),
    ]
    assert agents(found) == (new if version else old)


def test_every_custom_event_has_a_name_that_is_told_in_the_capabilities(recording: tuple[str, list[LogEntry]]) -> None:
    _, entries = recording

    for version in (None, "1.0"):
        names = {event["name"] for event in shown(entries, version) if event["type"] == "CUSTOM"}
        assert names <= set(CUSTOM_EVENTS)
