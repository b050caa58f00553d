"""UI messages after a reload: what a client would hold had it watched."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from wakeful.contracts.event import LogEntry
from wakeful.contracts.interrupt import Decision, Interrupt, InterruptRecord
from wakeful.contracts.message import (
    FilePart,
    Message,
    MessagePart,
    ReasoningPart,
    ReplyInfo,
    ResultStatus,
    SourcePart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from wakeful.contracts.usage import Usage
from wakeful.protocols.ai_sdk.decode import decode
from wakeful.protocols.ai_sdk.dialects import DIALECTS, Dialect
from wakeful.protocols.ai_sdk.encode import Encoder
from wakeful.protocols.ai_sdk.history import ui_messages
from wakeful.server.files import Files

CALL = ToolCallPart("call-a", "delete_file", '{"path":"a.txt"}')
APPROVAL = Interrupt("int-call-a", "approval", "call-a", "delete_file", '{"path":"a.txt"}')
FRONTEND = Interrupt("int-call-a", "frontend_tool", "call-a", "delete_file", '{"path":"a.txt"}')


def reply(step: int, *parts: MessagePart, run_id: str = "run-1") -> Message:
    return Message(f"msg-{step}", "assistant", parts, 0, run_id=run_id, step=step)


def result(status: ResultStatus, output: Any) -> Message:
    part = ToolResultPart("call-a", "delete_file", status, output)
    return Message("result-call-a", "tool", (part,), 0, run_id="run-1", step=1)


def shown(
    *messages: Message, interrupts: tuple[InterruptRecord, ...] = (), dialect: Dialect = "6"
) -> list[dict[str, Any]]:
    return json.loads(msgspec.json.encode(ui_messages(messages, interrupts, dialect=dialect)))


def tool_part(*messages: Message, record: InterruptRecord | None = None, dialect: Dialect = "6") -> dict[str, Any]:
    (message,) = shown(reply(1, CALL), *messages, interrupts=(record,) if record else (), dialect=dialect)
    return message["parts"][1]


@pytest.mark.proves("S27")
def test_history_has_the_message_the_stream_had(recorded: Callable[[str], list[LogEntry]], reader: Any) -> None:
    client, encoder = reader(), Encoder(run_id="run-1", thread_id="thread-1")
    for entry in recorded("approval_then_approved"):
        for frame in encoder.encode(entry):
            client.feed(frame)

    (found,) = shown(
        reply(1, TextPart("I will delete it."), CALL),
        result("succeeded", {"deleted": True}),
        reply(2, TextPart("Deleted.")),
        interrupts=(InterruptRecord(APPROVAL),),
    )

    streamed = [{key: part[key] for key in part if key != "approval"} for part in client.parts]
    assert (found["id"], found["parts"]) == (client.message_id, streamed)
    assert found["metadata"] == {"runId": "run-1", "createdAt": 0}


def test_each_run_is_a_message_of_its_own() -> None:
    found = shown(
        Message("user-1", "user", (TextPart("hi"),), 0),
        reply(1, ReasoningPart("hm"), ReasoningPart(encrypted="x"), TextPart("hello"), run_id="run-1"),
        Message("user-2", "user", (TextPart("look"), FilePart("image/png", "data:image/png;base64,eA==", "a.png")), 0),
        reply(2, TextPart("nice"), run_id="run-2"),
    )

    assert [(message["id"], message["role"]) for message in found] == [
        ("user-1", "user"),
        ("msg-1", "assistant"),
        ("user-2", "user"),
        ("msg-2", "assistant"),
    ]
    assert found[1]["parts"] == [
        {"type": "step-start"},
        {"type": "reasoning", "text": "hm", "state": "done"},
        {"type": "text", "text": "hello", "state": "done"},
    ]
    assert found[2]["parts"][1] == {
        "type": "file",
        "mediaType": "image/png",
        "url": "data:image/png;base64,eA==",
        "filename": "a.png",
    }


@pytest.mark.proves("S27")
def test_an_open_approval_can_be_answered_after_a_reload() -> None:
    part = tool_part(record=InterruptRecord(APPROVAL))

    part |= {"state": "approval-responded", "approval": part["approval"] | {"approved": True}}
    body = {"messages": [{"id": "msg-1", "role": "assistant", "parts": [{"type": "step-start"}, part]}]}
    assert part["approval"]["id"] == "int-call-a"
    assert decode(json.dumps(body).encode(), Files()).request.decisions == (Decision("int-call-a", approved=True),)


def test_an_answered_approval_says_so_while_others_are_open() -> None:
    part = tool_part(record=InterruptRecord(APPROVAL, Decision("int-call-a", approved=None, reason="no")))

    assert part["state"] == "approval-responded"
    assert part["approval"] == {"id": "int-call-a", "approved": False, "reason": "no"}


def test_a_front_end_call_stays_the_clients_before_and_after_its_answer() -> None:
    waiting = tool_part(record=InterruptRecord(FRONTEND))
    answered = tool_part(result("succeeded", "no"), record=InterruptRecord(FRONTEND, Decision("call-a", output="no")))

    assert waiting == {
        "type": "tool-delete_file",
        "toolCallId": "call-a",
        "state": "input-available",
        "input": {"path": "a.txt"},
    }
    assert answered == waiting | {"state": "output-available", "output": "no"}


def test_a_call_shows_the_arguments_it_really_ran_with() -> None:
    part = ToolResultPart("call-a", "delete_file", "succeeded", None, '{"path":"b.txt"}')
    edited = Decision("int-call-a", approved=True, arguments={"path": "b.txt"})

    ran = tool_part(Message("result-call-a", "tool", (part,), 0, run_id="run-1", step=1))
    will_run = tool_part(record=InterruptRecord(APPROVAL, edited))

    assert (ran["state"], ran["input"]) == ("output-available", {"path": "b.txt"})
    assert (will_run["state"], will_run["input"]) == ("approval-responded", {"path": "b.txt"})


def test_of_two_questions_about_one_call_the_last_is_open() -> None:
    again = msgspec.structs.replace(APPROVAL, id="int-again")
    records = (InterruptRecord(APPROVAL, Decision("int-call-a", approved=True)), InterruptRecord(again))

    (message,) = shown(reply(1, CALL), interrupts=records)

    assert message["parts"][1]["state"] == "approval-requested"
    assert message["parts"][1]["approval"] == {"id": "int-again"}


def test_input_that_reached_a_run_later_comes_before_its_answer() -> None:
    found = shown(
        Message("user-1", "user", (TextPart("weather?"),), 0, run_id="run-1"),
        reply(1, TextPart("Where?")),
        Message("user-2", "user", (TextPart("in Paris"),), 0, run_id="run-1"),
        reply(2, TextPart("Cold.")),
    )

    assert [message["id"] for message in found] == ["user-1", "user-2", "msg-1"]
    assert [part.get("text") for part in found[2]["parts"]] == [None, "Where?", None, "Cold."]


def test_a_null_output_is_still_an_output() -> None:
    part = tool_part(result("succeeded", None))

    assert part["output"] is None
    assert part["providerExecuted"] is True


def test_a_denied_call_carries_the_refusal_even_when_nobody_remembers_the_question() -> None:
    remembered = InterruptRecord(APPROVAL, Decision("int-call-a", approved=False, reason="keep it"))

    known = tool_part(result("denied", "denied"), record=remembered)
    unknown = tool_part(result("denied", "denied"))

    assert (known["state"], unknown["state"]) == ("output-denied", "output-denied")
    assert known["approval"] == {"id": "int-call-a", "approved": False, "reason": "keep it"}
    assert unknown["approval"] == {"id": "call-a", "approved": False}


def test_a_call_that_was_called_off_shows_its_text_and_no_open_question() -> None:
    part = tool_part(result("cancelled", ""), record=InterruptRecord(APPROVAL))

    assert part["state"] == "output-error"
    assert part["errorText"] == "The tool failed."
    assert "approval" not in part


@pytest.mark.parametrize("dialect", DIALECTS)
def test_input_that_reached_a_run_later_is_a_part_of_its_answer_only_in_major_7(dialect: Dialect) -> None:
    found = shown(
        reply(1, TextPart("Where?")),
        Message("user-2", "user", (TextPart("in Paris"),), 0, run_id="run-1"),
        reply(2, TextPart("Cold.")),
        dialect=dialect,
    )

    steering = {"type": "steering-message", "id": "user-2", "parts": [{"type": "text", "text": "in Paris"}]}
    assert [message["id"] for message in found] == (["msg-1"] if dialect == "7" else ["user-2", "msg-1"])
    assert (steering in found[-1]["parts"]) == (dialect == "7")


def test_an_answer_says_what_its_model_calls_took_together() -> None:
    first = ReplyInfo("small", "demo", Usage(10, 4, 2, 6), 200)
    second = ReplyInfo("large", "demo", Usage(12, 5), 321)

    (message,) = shown(
        msgspec.structs.replace(reply(1, TextPart("a")), reply=first, created_at=7),
        msgspec.structs.replace(reply(2, TextPart("b")), reply=second, created_at=9),
    )

    assert message["metadata"] == {
        "runId": "run-1",
        "createdAt": 7,
        "model": "large",
        "usage": {
            "inputTokens": 22,
            "outputTokens": 9,
            "totalTokens": 31,
            "reasoningTokens": 2,
            "cachedInputTokens": 6,
        },
        "durationMs": 521,
    }


def test_a_client_of_major_5_finds_an_open_question_as_data_and_nothing_it_does_not_know() -> None:
    (message,) = shown(reply(1, CALL, TextPart("?")), interrupts=(InterruptRecord(APPROVAL),), dialect="5")
    answered = tool_part(
        result("succeeded", 1), record=InterruptRecord(APPROVAL, Decision("i", approved=True)), dialect="5"
    )

    assert message["parts"][1] == {
        "type": "tool-delete_file",
        "toolCallId": "call-a",
        "state": "input-available",
        "input": {"path": "a.txt"},
    }
    assert message["parts"][-1] == {
        "type": "data-approval-request",
        "id": "int-call-a",
        "data": {
            "approvalId": "int-call-a",
            "toolCallId": "call-a",
            "toolName": "delete_file",
            "input": {"path": "a.txt"},
        },
    }
    assert "approval" not in answered


@pytest.mark.parametrize(("output", "text"), [("no way", "no way"), ("", "The user denied this call.")])
def test_a_client_of_major_5_finds_a_denied_call_as_an_error_of_the_server(output: str, text: str) -> None:
    part = tool_part(result("denied", output), dialect="5")

    assert (part["state"], part["errorText"], part["providerExecuted"]) == ("output-error", text, True)


def test_sources_and_files_stand_where_they_were_found() -> None:
    page, book = SourcePart("s1", "https://x.org"), SourcePart("s2", title="Book", media_type="text/plain")
    found = ToolResultPart("call-a", "delete_file", "succeeded", 1)

    (message,) = shown(
        reply(1, TextPart("a"), page, FilePart("image/png", "data:,x"), CALL),
        Message("result-call-a", "tool", (found, book, FilePart("text/csv", "data:,y", "y.csv")), 0, run_id="run-1"),
        reply(2, TextPart("b")),
        dialect="7",
    )

    assert [part["type"] for part in message["parts"]] == [
        *("step-start", "text", "source-url", "file", "tool-delete_file", "source-document", "file"),
        *("step-start", "text"),
    ]
    assert [citation["source"]["id"] for citation in message["parts"][1]["citations"]] == ["s1"]
