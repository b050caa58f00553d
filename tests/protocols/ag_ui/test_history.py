"""AG-UI messages after a reload: what a client would hold had it watched."""

import json
from typing import Any

import msgspec
from ag_ui.core import Message as AgUiMessage
from pydantic import TypeAdapter

from wakeful.contracts.message import FilePart, Message, ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from wakeful.protocols.ag_ui.history import ag_ui_messages, before

MODELS: TypeAdapter[Any] = TypeAdapter(list[AgUiMessage])


def shown(*messages: Message) -> list[dict[str, Any]]:
    body = msgspec.json.encode(ag_ui_messages(messages))
    MODELS.validate_json(body)
    return json.loads(body)


def test_a_reply_becomes_its_reasoning_its_text_with_calls_and_further_text() -> None:
    parts = (
        ReasoningPart("hm", encrypted="x"),
        TextPart("Let me look."),
        ToolCallPart("call-1", "clock", "{}"),
        ReasoningPart("aha"),
        TextPart("Done."),
    )

    found = shown(Message("msg-1", "assistant", parts, 0))

    call = {"id": "call-1", "function": {"name": "clock", "arguments": "{}"}, "type": "function"}
    assert found == [
        {"id": "msg-1:r1", "role": "reasoning", "content": "hm", "encryptedValue": "x"},
        {"id": "msg-1", "role": "assistant", "content": "Let me look.", "toolCalls": [call]},
        {"id": "msg-1:r2", "role": "reasoning", "content": "aha"},
        {"id": "msg-1:2", "role": "assistant", "content": "Done."},
    ]


def test_a_call_shows_the_arguments_it_really_ran_with() -> None:
    call = ToolCallPart("call-1", "clock", '{"zone":"UTC"}')
    result = ToolResultPart("call-1", "clock", "succeeded", "12:30", '{"zone":"CET"}')

    found, _ = shown(Message("msg-1", "assistant", (call,), 0), Message("r1", "tool", (result,), 0))

    assert found["toolCalls"][0]["function"]["arguments"] == '{"zone":"CET"}'


def test_before_a_run_there_are_earlier_messages_and_all_its_input() -> None:
    thread = [
        Message("u1", "user", (TextPart("hi"),), 0, run_id="run-1"),
        Message("a1", "assistant", (TextPart("hello"),), 0, run_id="run-1"),
        Message("u2", "user", (TextPart("weather?"),), 0, run_id="run-2"),
        Message("a2", "assistant", (TextPart("Where?"),), 0, run_id="run-2"),
        Message("u3", "user", (TextPart("in Paris"),), 0, run_id="run-2"),
        Message("a3", "assistant", (TextPart("Cold."),), 0, run_id="run-2"),
        Message("u4", "user", (TextPart("bye"),), 0, run_id="run-3"),
    ]

    assert [message.id for message in before(thread, "run-2")] == ["u1", "a1", "u2", "u3"]
    assert [message.id for message in before(thread[:3], "run-2")] == ["u1", "a1", "u2"]


def test_calls_without_text_are_one_message_without_content() -> None:
    parts = (ToolCallPart("call-1", "clock", "{}"), ToolCallPart("call-2", "clock", "{}"))

    (found,) = shown(Message("msg-1", "assistant", parts, 0))

    assert "content" not in found
    assert [call["id"] for call in found["toolCalls"]] == ["call-1", "call-2"]


def test_a_call_before_any_text_keeps_the_messages_own_id() -> None:
    parts = (ToolCallPart("call-1", "clock", "{}"), TextPart("Looking."))

    found = shown(Message("msg-1", "assistant", parts, 0))

    assert [(message["id"], len(message.get("toolCalls", []))) for message in found] == [("msg-1", 1)]


def test_results_are_tool_messages_and_failures_carry_an_error() -> None:
    good = ToolResultPart("call-1", "clock", "succeeded", {"at": "12:30"})
    bad = ToolResultPart("call-2", "clock", "denied", "")

    found = shown(Message("r1", "tool", (good,), 0), Message("r2", "tool", (bad,), 0))

    assert found == [
        {"id": "r1", "role": "tool", "toolCallId": "call-1", "content": '{"at":"12:30"}'},
        {"id": "r2", "role": "tool", "toolCallId": "call-2", "content": "", "error": "denied"},
    ]


def test_user_content_is_text_or_parts() -> None:
    inline, linked = (
        FilePart("image/png", "data:image/png;base64,eA=="),
        FilePart("text/plain", "https://example.org/a"),
    )

    found = shown(
        Message("s", "system", (TextPart("be brief"),), 0), Message("u", "user", (TextPart("see"), inline, linked), 0)
    )

    assert found[0] == {"id": "s", "role": "system", "content": "be brief"}
    assert found[1]["content"] == [
        {"type": "text", "text": "see"},
        {"type": "image", "source": {"type": "data", "value": "eA==", "mimeType": "image/png"}},
        {"type": "document", "source": {"type": "url", "value": "https://example.org/a", "mimeType": "text/plain"}},
    ]
