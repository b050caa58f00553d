"""AG-UI messages after a reload: what a client would hold had it watched."""

import json
from typing import Any

import msgspec
from ag_ui.core import Message as AgUiMessage
from pydantic import TypeAdapter

from wakeful.contracts.event import FileGenerated, SourceCited
from wakeful.contracts.message import (
    FilePart,
    Message,
    ReasoningPart,
    SourcePart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from wakeful.contracts.tool import ToolContext
from wakeful.protocols.ag_ui.history import ag_ui_messages, before
from wakeful.providers.scripted import ScriptedProvider, call, think
from wakeful.sdk.agent import Agent
from wakeful.sdk.tool import tool

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


PAGE = SourcePart("s1", "https://example.org/a", "A page", cited_text="said", start=0, end=3)
BOOK = SourcePart("s2", title="A book", media_type="application/pdf", filename="book.pdf")
PICTURE = FilePart("image/png", "data:image/png;base64,eA==", "x.png")


def test_sources_and_files_are_in_the_metadata_of_the_text_they_follow() -> None:
    parts = (TextPart("One."), PAGE, ReasoningPart("hm"), TextPart("Two."), BOOK, PICTURE)

    found = shown(Message("msg-1", "assistant", parts, 0))

    page = {"id": "s1", "url": "https://example.org/a", "title": "A page", "citedText": "said", "start": 0, "end": 3}
    book = {"id": "s2", "title": "A book", "mediaType": "application/pdf", "filename": "book.pdf"}
    picture = {"mediaType": "image/png", "url": "data:image/png;base64,eA==", "filename": "x.png"}
    assert [message.get("metadata") for message in found] == [
        {"sources": [page]},
        None,
        {"sources": [book], "files": [picture]},
    ]


def test_files_without_any_text_are_in_a_message_of_their_own_or_with_the_calls() -> None:
    call_part = ToolCallPart("call-1", "clock", "{}")

    alone = shown(Message("msg-1", "assistant", (PICTURE,), 0))
    beside = shown(Message("msg-1", "assistant", (PICTURE, call_part), 0))

    assert [(message["id"], list(message)) for message in alone] == [("msg-1", ["id", "role", "metadata"])]
    assert [(message["id"], list(message)) for message in beside] == [
        ("msg-1", ["id", "role", "toolCalls", "metadata"])
    ]


def test_sources_and_files_of_a_call_are_in_the_metadata_of_its_result() -> None:
    result = ToolResultPart("call-1", "clock", "failed", "no")

    (found,) = shown(Message("r1", "tool", (result, BOOK, PICTURE), 0))

    assert (found["error"], sorted(found["metadata"])) == ("no", ["files", "sources"])


@tool
def look(context: ToolContext) -> str:
    """Look."""
    context.cite("https://example.org/b", title="B")
    context.attach("data:text/plain;base64,eA==", media_type="text/plain")
    return "seen"


async def test_what_a_client_is_shown_live_is_where_history_has_it(serve: Any) -> None:
    replies = [
        [think("hm"), "Look:", SourceCited(PAGE), call("look"), FileGenerated(PICTURE)],
        [FileGenerated(PICTURE), "Seen.", SourceCited(BOOK)],
    ]
    agent = Agent("assistant", model="scripted:any", tools=[look])
    server = await serve(agents=[agent], providers=[ScriptedProvider(replies)])
    body = {"threadId": "t", "runId": "r", "messages": [{"id": "u", "role": "user", "content": "?"}]}

    lines = (await server.client.post("/v1/ag-ui/run", json=body)).text.split("\n")
    history = (await server.client.get("/v1/ag-ui/threads/t/messages")).json()["messages"]

    MODELS.validate_python(history)
    live: dict[str, dict[str, list[Any]]] = {}
    owners = {message["toolCallId"]: message["id"] for message in history if message["role"] == "tool"}
    for event in (json.loads(line[6:]) for line in lines if line.startswith("data: ")):
        if event["type"] == "CUSTOM":
            value = dict(event["value"])
            owner = value.pop("messageId", None) or owners[value.pop("toolCallId")]
            live.setdefault(owner, {}).setdefault(f"{event['name']}s", []).append(value)
    assert live == {message["id"]: message["metadata"] for message in history if "metadata" in message}
    assert len(live) == 3
