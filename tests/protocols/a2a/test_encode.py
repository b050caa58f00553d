"""The fold over a log: what it makes of the recordings, and that a client ends with the task whatever the log is."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from a2a.compat.v0_3 import conversions
from a2a.compat.v0_3 import types as old
from a2a.types import a2a_pb2 as pb
from google.protobuf.json_format import MessageToDict, ParseDict
from hypothesis import given, settings
from hypothesis import strategies as st

from wakeful.contracts import codec
from wakeful.contracts import event as log
from wakeful.contracts.event import LogEntry
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import DataPart, TextPart
from wakeful.contracts.run import Run
from wakeful.protocols.a2a.encode import Dialect, Encoder
from wakeful.protocols.a2a.task import Fold

RESTING = {
    "TASK_STATE_COMPLETED",
    "TASK_STATE_FAILED",
    "TASK_STATE_CANCELED",
    "TASK_STATE_REJECTED",
    "TASK_STATE_INPUT_REQUIRED",
    "TASK_STATE_AUTH_REQUIRED",
}
RUN = Run(
    key=1,
    thread_key=1,
    scope="s",
    id="run-1",
    thread_id="thread-1",
    agent_id="assistant",
    status=RunStatus.RUNNING,
    origin="a2a",
    created_at=0,
    updated_at=0,
)


PLAIN = Dialect()


def encode(entries: Sequence[LogEntry], dialect: Dialect = PLAIN, after: int = 0) -> list[bytes]:
    encoder = Encoder(RUN, after=after, dialect=dialect)
    return [frame for entry in entries for frame in encoder.encode(entry)]


def folded(entries: Sequence[LogEntry]) -> Fold:
    fold = Fold(task_id="run-1", context_id="thread-1")
    for entry in entries:
        fold.apply(entry)
    return fold


class Client:
    """What a client of A2A 1.0 holds; it knows only what it was sent."""

    def __init__(self) -> None:
        self.task: Any = None
        self.artifacts: dict[str, list[Any]] = {}
        self.complete: set[str] = set()

    def feed(self, frame: bytes) -> None:
        found = ParseDict(json.loads(frame), pb.StreamResponse())
        if found.HasField("task"):
            assert self.task is None, "the task is shown once"
            self.task = found.task
            self.artifacts = {one.artifact_id: list(one.parts) for one in found.task.artifacts}
            return
        assert self.task is not None, "the task comes first"
        if found.HasField("status_update"):
            assert found.status_update.status.HasField("timestamp")
            self.task.status.CopyFrom(found.status_update.status)
            return
        update = found.artifact_update
        assert update.artifact.parts, "an artifact has a part"
        name = update.artifact.artifact_id
        if update.append:
            assert name in self.artifacts, "an artifact is created before anything is appended"
            self.artifacts[name] += update.artifact.parts
        else:
            self.artifacts[name] = list(update.artifact.parts)
        if update.last_chunk:
            self.complete.add(name)

    @property
    def content(self) -> dict[str, tuple[str, list[Any]]]:
        """Of each artifact that is not empty: its text, and its other parts."""
        found = {
            name: (
                "".join(part.text for part in parts),
                [part for part in parts if part.WhichOneof("content") != "text"],
            )
            for name, parts in self.artifacts.items()
        }
        return {name: content for name, content in found.items() if content != ("", [])}


def content_of(task: Any) -> dict[str, tuple[str, list[Any]]]:
    client = Client()
    client.artifacts = {one.artifact_id: list(one.parts) for one in task.artifacts}
    return client.content


def proto(fold: Fold) -> Any:
    return ParseDict(msgspec.json.decode(msgspec.json.encode(fold.task())), pb.Task())


def check(entries: Sequence[LogEntry], after: int) -> None:
    client = Client()
    for frame in encode(entries, after=after):
        client.feed(frame)
    whole = proto(folded(entries))
    assert client.task.status == whole.status
    assert client.content == content_of(whole)
    assert MessageToDict(client.task.status)["state"] in RESTING
    if after == 0:
        assert set(client.content) <= client.complete or "REQUIRED" in str(client.task.status)


def test_recordings_are_encoded_as_in_the_snapshots(
    recording: tuple[str, list[LogEntry]], matches_snapshot: Any
) -> None:
    name, entries = recording

    matches_snapshot(f"a2a/{name}", encode(entries))


def test_a_client_of_every_recording_ends_with_the_task(recording: tuple[str, list[LogEntry]]) -> None:
    _, entries = recording

    check(entries, 0)


@pytest.mark.proves("A08")
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_client_that_joins_any_log_anywhere_ends_with_the_task(logs: Any, data: st.DataObject) -> None:
    entries = data.draw(logs)
    last = entries[-1].seq
    after = data.draw(st.integers(0, last - 1))

    check(entries, after)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_artifacts_are_complete_before_the_terminal_status(logs: Any, data: st.DataObject) -> None:
    entries = data.draw(logs)

    kinds = [next(iter(json.loads(frame))) for frame in encode(entries)]

    assert kinds[0] == "task"
    assert kinds[-1] == "statusUpdate" or len(kinds) == 1


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_0_3_is_what_the_sdk_makes_of_1_0(logs: Any, data: st.DataObject) -> None:
    entries = data.draw(logs)
    legacy = Dialect(version="0.3", rpc_id="a", rpc=True)

    for new, ours in zip(encode(entries), encode(entries, legacy), strict=True):
        core = ParseDict(json.loads(new, object_hook=without_type_of_data), pb.StreamResponse())
        theirs = conversions.to_compat_stream_response(core, "a").result
        found = old.SendStreamingMessageSuccessResponse.model_validate_json(ours)
        assert type(found.result) is type(theirs)
        back = conversions.to_core_stream_response(found)
        if core.HasField("artifact_update"):
            assert back.artifact_update == core.artifact_update
        elif core.HasField("status_update"):
            assert back.status_update.status == core.status_update.status
            assert found.result.final == (pb.TaskState.Name(core.status_update.status.state) in RESTING)
        else:
            assert back.task == core.task


def without_type_of_data(value: dict[str, Any]) -> dict[str, Any]:
    """In 0.3 a data part has no media type."""
    return {key: item for key, item in value.items() if key != "mediaType" or "data" not in value}


def numbered(*events: log.Event) -> list[LogEntry]:
    return [codec.entry(seq, 1_764_000_000_000 + seq, event) for seq, event in enumerate(events, start=1)]


BEGUN = (log.RunAccepted("assistant", ("u",)), log.RunStarted("assistant"), log.StepStarted(1, "reply-1"))


def shown(entries: Sequence[LogEntry]) -> Client:
    client = Client()
    for frame in encode(entries):
        client.feed(frame)
    return client


def test_what_a_step_made_before_it_began_again_is_taken_back() -> None:
    entries = numbered(
        *BEGUN,
        log.TextDelta("kept"),
        log.ArtifactChanged("doc", TextPart("kept")),
        log.StepFinished(1),
        log.StepStarted(2, "reply-2"),
        log.TextDelta("void"),
        log.ArtifactChanged("doc", TextPart(" void"), append=True),
        log.ArtifactChanged("other", TextPart("void")),
        log.StepRestarted(2, "reply-2", "resumed"),
    )

    client = shown(entries)

    assert client.content == {"reply-1": ("kept", []), "doc": ("kept", [])}
    assert client.content == content_of(proto(folded(entries)))


def test_appending_to_an_artifact_that_never_began_begins_it() -> None:
    entries = numbered(*BEGUN, log.ArtifactChanged("doc", DataPart({"a": 1}), append=True))

    assert not json.loads(encode(entries)[-1])["artifactUpdate"].get("append", False)


def test_calls_and_reasoning_are_the_agents_own_business(recorded: Callable[[str], list[LogEntry]]) -> None:
    entries = numbered(
        *BEGUN,
        log.ReasoningDelta("SECRET"),
        log.ToolCallProposed("c", "SECRET"),
        log.ToolCallDelta("c", "SECRET"),
        log.ToolCallReady("c", "SECRET", "SECRET"),
        log.ToolCallStarted("c", "SECRET"),
        log.ToolProgressed("c", "SECRET", "Half of it."),
        log.ToolCallFinished("c", "SECRET", "succeeded", "SECRET", "SECRET"),
    )

    found = b"".join(encode(entries))

    assert b"SECRET" not in found
    assert b"Half of it." in found


def test_the_same_log_is_the_same_bytes(recording: tuple[str, list[LogEntry]]) -> None:
    _, entries = recording

    assert encode(entries) == encode(entries)
