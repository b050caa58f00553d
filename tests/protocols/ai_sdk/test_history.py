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
    ResultStatus,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from wakeful.protocols.ai_sdk.decode import decode
from wakeful.protocols.ai_sdk.encode import Encoder
from wakeful.protocols.ai_sdk.history import ui_messages

CALL = ToolCallPart("call-a", "delete_file", '{"path":"a.txt"}')
APPROVAL = Interrupt("int-call-a", "approval", "call-a", "delete_file", '{"path":"a.txt"}')
FRONTEND = Interrupt("int-call-a", "frontend_tool", "call-a", "delete_file", '{"path":"a.txt"}')


def reply(step: int, *parts: MessagePart, run_id: str = "run-1") -> Message:
    return Message(f"msg-{step}", "assistant", parts, 0, run_id=run_id, step=step)


def result(status: ResultStatus, output: Any) -> Message:
    part = ToolResultPart("call-a", "delete_file", status, output)
    return Message("result-call-a", "tool", (part,), 0, run_id="run-1", step=1)


def shown(*messages: Message, interrupts: tuple[InterruptRecord, ...] = ()) -> list[dict[str, Any]]:
    return json.loads(msgspec.json.encode(ui_messages(messages, interrupts)))


def tool_part(*messages: Message, record: InterruptRecord | None = None) -> dict[str, Any]:
    (message,) = shown(reply(1, CALL), *messages, interrupts=(record,) if record else ())
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
    assert found["metadata"] == {"runId": "run-1"}


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
    assert decode(json.dumps(body).encode()).decisions == (Decision("int-call-a", approved=True),)


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
