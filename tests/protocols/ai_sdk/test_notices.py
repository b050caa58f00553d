"""What goes beside the message: shared state, usage, other agents, input that came meanwhile; and what calls found."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from wakeful.contracts import codec
from wakeful.contracts import event as log
from wakeful.contracts.event import Event, LogEntry, TextDelta
from wakeful.contracts.interrupt import Interrupt
from wakeful.contracts.message import FilePart, SourcePart, TextPart
from wakeful.contracts.tool import ToolContext
from wakeful.contracts.usage import Usage
from wakeful.protocols.ai_sdk.dialects import DIALECTS, Dialect
from wakeful.protocols.ai_sdk.encode import Encoder
from wakeful.providers.scripted import ScriptedProvider, call
from wakeful.sdk.agent import Agent
from wakeful.sdk.tool import tool

CHAT = "/v1/ai-sdk/agents/assistant/runs"
ACCEPTED, STARTED = log.RunAccepted("assistant", ("user-1",)), log.RunStarted("assistant")
RESUMED = log.RunStarted("assistant", resumed=True)
STEP = log.StepStarted(1, "msg-1")
READY, RUNS = log.ToolCallReady("call-a", "search", "{}"), log.ToolCallStarted("call-a", "search")
QUESTION = Interrupt("int-1", "approval", "call-a", "search", "{}")
SOURCE = log.SourceCited(SourcePart("src-1", "https://example.org"), "call-a")
MODEL = log.ModelCallFinished("large", "demo", "tool_calls", Usage(3, 4, 1, 2), 5)


def done(status: Any = "succeeded") -> log.ToolCallFinished:
    return log.ToolCallFinished("call-a", "search", status, "out", "result-a")


def chunks(*events: Event, dialect: Dialect = "6") -> list[dict[str, Any]]:
    encoder = Encoder(run_id="run-1", thread_id="thread-1", dialect=dialect)
    entries = [codec.entry(seq, 1000 + seq, event) for seq, event in enumerate(events, start=1)]
    return [json.loads(frame) for entry in entries for frame in encoder.encode(entry)]


def kinds(found: Sequence[dict[str, Any]]) -> list[str]:
    return [chunk["type"] for chunk in found]


def of(kind: str, found: Sequence[dict[str, Any]]) -> list[Any]:
    return [chunk["data"] for chunk in found if chunk["type"] == kind]


@pytest.mark.proves("S10")
def test_the_state_a_run_begins_with_comes_right_after_the_start_of_its_message() -> None:
    found = chunks(ACCEPTED, STARTED, log.StateReplaced({"a": [1]}), STEP)

    assert kinds(found) == ["start", "data-run-info", "data-state-snapshot", "start-step"]
    assert found[0]["messageId"] == "msg-1"
    assert found[2] == {"type": "data-state-snapshot", "data": {"a": [1]}, "transient": True}


def test_the_state_of_a_run_that_goes_on_comes_with_its_next_segment() -> None:
    waiting = log.RunWaiting((QUESTION,))

    before = chunks(ACCEPTED, STARTED, STEP, READY, log.InterruptRaised(QUESTION), waiting)
    between = chunks(
        ACCEPTED, STARTED, STEP, READY, log.InterruptRaised(QUESTION), waiting, log.StateReplaced({"n": 1}), RESUMED
    )
    after = chunks(
        ACCEPTED, STARTED, STEP, READY, log.InterruptRaised(QUESTION), waiting, RESUMED, log.StateReplaced({"n": 1})
    )

    assert kinds(between[len(before) :]) == kinds(after[len(before) :])
    assert kinds(after[len(before) :]) == ["start", "data-run-info", "data-state-snapshot"]


def test_a_change_of_the_state_is_passed_on_as_its_patch() -> None:
    patch = ({"op": "add", "path": "/a~1b/-", "value": None}, {"op": "remove", "path": "/x"})

    found = chunks(ACCEPTED, STARTED, STEP, READY, RUNS, log.StateChanged("call-a", patch))

    assert found[-1] == {"type": "data-state-delta", "data": {"patch": list(patch)}, "transient": True}


def test_each_model_call_says_what_it_took() -> None:
    found = chunks(ACCEPTED, STARTED, STEP, TextDelta("x"), MODEL)

    usage = {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7, "reasoningTokens": 1, "cachedInputTokens": 2}
    assert of("data-usage", found) == [{"model": "large", "provider": "demo", "usage": usage, "durationMs": 5}]


@pytest.mark.parametrize(("outcome", "error"), [("completed", None), ("failed", "it broke"), ("cancelled", None)])
def test_another_agent_is_shown_at_work_and_when_it_is_done(outcome: Any, error: str | None) -> None:
    report = log.ErrorReport("model_error", error) if error else None

    found = chunks(
        *(ACCEPTED, STARTED, STEP, READY, RUNS),
        log.SubagentStarted("call-a", "helper", "child", "thread-2"),
        log.SubagentFinished("call-a", "child", outcome, report),
    )

    known = {"runId": "child", "threadId": "thread-2", "agentId": "helper", "toolCallId": "call-a"}
    ended = {**known, "status": outcome, **({"error": error} if error else {})}
    assert of("data-subagent", found) == [{**known, "status": "running"}, ended]
    assert {chunk["id"] for chunk in found if chunk["type"] == "data-subagent"} == {"child"}


def test_an_agent_whose_end_nobody_saw_does_not_stay_at_work_when_its_call_is_done() -> None:
    lost, again = (log.SubagentStarted("call-a", "helper", f"child-{n}", f"thread-{n}") for n in (1, 2))

    found = chunks(
        *(ACCEPTED, STARTED, STEP, READY, RUNS, lost, RUNS, again),
        *(log.SubagentFinished("call-a", "child-2", "completed"), done()),
    )

    last = {data["runId"]: data["status"] for data in of("data-subagent", found)}
    assert last == {"child-1": "cancelled", "child-2": "completed"}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_input_that_came_meanwhile_is_a_part_of_the_message_for_major_7_and_a_notice_for_others(
    dialect: Dialect,
) -> None:
    said = log.MessageCommitted("user-2", "user", (TextPart("and?"), FilePart("image/png", "data:,x", "x.png")))

    found = chunks(ACCEPTED, STARTED, STEP, log.StepFinished(1), said, dialect=dialect)[-1]

    if dialect == "7":
        file = {"type": "file", "mediaType": "image/png", "url": "data:,x", "filename": "x.png"}
        assert found == {"type": "steering-message", "id": "user-2", "parts": [{"type": "text", "text": "and?"}, file]}
    else:
        assert found == {"type": "data-steered", "data": {"messageId": "user-2"}, "transient": True}


def test_input_that_reaches_a_waiting_run_is_shown_when_it_goes_on() -> None:
    said = log.MessageCommitted("user-2", "user", (TextPart("no"),))

    found = chunks(
        ACCEPTED, STARTED, STEP, READY, log.RunWaiting((QUESTION,)), said, RESUMED, done("denied"), dialect="7"
    )

    end = kinds(found).index("finish")
    assert kinds(found[end + 1 :]) == ["start", "data-run-info", "steering-message", "tool-output-denied"]


def test_input_that_comes_before_the_answer_is_no_part_of_it() -> None:
    said = log.MessageCommitted("user-2", "user", (TextPart("quick"),))

    found = chunks(ACCEPTED, STARTED, said, STEP, dialect="7")

    assert kinds(found) == ["start", "data-run-info", "start-step"]


@pytest.mark.parametrize(("status", "shown"), [("succeeded", 1), ("failed", 1), ("denied", 0), ("cancelled", 0)])
def test_what_a_call_found_is_shown_after_its_result_if_that_counts(status: Any, shown: int) -> None:
    found = chunks(ACCEPTED, STARTED, STEP, READY, RUNS, SOURCE, done(status))

    assert kinds(found).count("source-url") == shown
    assert not shown or kinds(found)[-1] == "source-url"


def test_a_call_that_runs_again_shows_what_it_found_once() -> None:
    found = chunks(ACCEPTED, STARTED, STEP, READY, RUNS, SOURCE, RUNS, SOURCE, done())

    assert kinds(found).count("source-url") == 1


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (SourcePart("s", "https://x.org", "X"), {"type": "source-url", "url": "https://x.org", "title": "X"}),
        (SourcePart("s", "https://x.org"), {"type": "source-url", "url": "https://x.org"}),
        (
            SourcePart("s", title="Book", media_type="application/pdf", filename="b.pdf"),
            {"type": "source-document", "mediaType": "application/pdf", "title": "Book", "filename": "b.pdf"},
        ),
        (
            SourcePart("s", filename="b.pdf"),
            {
                "type": "source-document",
                "mediaType": "application/octet-stream",
                "title": "b.pdf",
                "filename": "b.pdf",
            },
        ),
        (
            SourcePart("s"),
            {"type": "source-document", "mediaType": "application/octet-stream", "title": "Untitled document"},
        ),
    ],
)
def test_a_source_has_all_that_a_client_requires(source: SourcePart, shown: dict[str, str]) -> None:
    found = chunks(ACCEPTED, STARTED, STEP, log.SourceCited(source))

    assert found[-1] == {"sourceId": "s", **shown}


def test_text_goes_on_after_a_source_and_has_it_among_its_citations_in_major_7() -> None:
    cited = log.SourceCited(SourcePart("s", "https://x.org", cited_text="that", start=0, end=5))
    events = (ACCEPTED, STARTED, STEP, TextDelta("It is"), cited, TextDelta(" so."), log.StepFinished(1))

    for_6, for_7 = chunks(*events), chunks(*events, dialect="7")

    expected = ["text-start", "text-delta", "source-url", "text-delta", "text-end", "finish-step"]
    assert kinds(for_6)[-6:] == kinds(for_7)[-6:] == expected
    assert for_6[-2] == {"type": "text-end", "id": "txt_0"}
    assert for_7[-2]["citations"] == [
        {
            "source": {"type": "source", "sourceType": "url", "id": "s", "url": "https://x.org"},
            "startIndex": 0,
            "endIndex": 5,
            "citedText": "that",
        }
    ]


def test_an_end_of_a_run_that_never_asked_a_model_says_what_little_there_is() -> None:
    failed = log.RunFinished("failed", "error", error=log.ErrorReport("x", "it broke"))

    (start, _, _, finish) = chunks(ACCEPTED, STARTED, failed)

    assert start == {"type": "start", "messageMetadata": {"runId": "run-1", "threadId": "thread-1"}}
    assert finish["messageMetadata"]["durationMs"] == 1
    assert finish["messageMetadata"].keys() == {"usage", "durationMs", "stopReason"}


def test_a_waiting_end_says_what_the_run_took_so_far(recorded: Callable[[str], list[LogEntry]]) -> None:
    encoder = Encoder(run_id="run-1", thread_id="thread-1")
    found = [json.loads(frame) for entry in recorded("metadata_of_two_models") for frame in encoder.encode(entry)]

    first, last = [chunk["messageMetadata"] for chunk in found if chunk["type"] == "finish"]
    assert (first["model"], first["usage"]["totalTokens"], first["durationMs"]) == ("demo-small", 14, 181)
    assert (last["model"], last["usage"]["totalTokens"], last["durationMs"]) == ("demo-large", 31, 468)
    assert ("stopReason" in first, last["stopReason"]) == (False, "answered")


def test_a_waiting_end_counts_all_model_calls_so_far() -> None:
    found = chunks(
        *(ACCEPTED, STARTED, STEP, MODEL, log.StepFinished(1), log.StepStarted(2, "msg-2"), MODEL, READY),
        *(log.InterruptRaised(QUESTION), log.RunWaiting((QUESTION,))),
    )

    assert found[-1]["messageMetadata"]["usage"]["totalTokens"] == 14


@tool
async def search(context: ToolContext, query: str) -> list[str]:
    """Search for something."""
    context.cite(f"https://example.org/{query}", title=query)
    context.attach("data:text/csv;base64,YQ==", media_type="text/csv")
    context.state["last"] = query
    return [query]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_client_holds_the_same_sources_and_files_after_a_reload_and_sees_the_state_change(
    serve: Callable[..., Awaitable[Any]], dialect: Dialect, reader: Any
) -> None:
    cited = log.SourceCited(SourcePart("s1", "https://example.org/x"))
    image = log.FileGenerated(FilePart("image/png", "data:image/png;base64,eA=="))
    replies = [call("search", {"query": "a"}), call("search", {"query": "b"})], [TextDelta("So"), cited, image]
    agent = Agent("assistant", model="scripted:any", tools=[search])
    server = await serve(agents=[agent], providers=[ScriptedProvider(replies)], ai_sdk_version=dialect)
    body = {"id": "t", "state": {"n": 1}, "messages": [{"id": "u", "role": "user", "content": "look"}]}

    answer = await server.client.post(CHAT, json=body)
    history = (await server.client.get("/v1/ai-sdk/threads/t/messages")).json()["messages"]

    client = reader(dialect=dialect)
    for line in answer.text.splitlines():
        if line.startswith("data: {"):
            client.feed(line.removeprefix("data: ").encode())
    assert history[-1]["parts"] == client.parts
    assert history[-1]["id"] == client.message_id
    assert history[-1]["metadata"]["usage"] == client.metadata["usage"]
    assert of("data-state-snapshot", client.chunks) == [{"n": 1}]
    changes = [change for data in of("data-state-delta", client.chunks) for change in data["patch"]]
    assert {change["path"] for change in changes} == {"/last"}
