"""Reading AG-UI run inputs: what counts as new, what counts as an answer, and what is refused."""

import base64
import json
from typing import Any

import pytest
from ag_ui.core import RunAgentInput

from wakeful.contracts.errors import BadRequest
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.message import FilePart, TextPart
from wakeful.contracts.request import InputMessage, RunRequest
from wakeful.contracts.run import FrontendTool, RunOptions
from wakeful.protocols.ag_ui.base import MOST_BYTES
from wakeful.protocols.ag_ui.decode import Input, decode
from wakeful.server.files import MAX_BYTES, Files

HELLO = {"id": "m1", "role": "user", "content": "hello"}
ASKED = {
    "id": "a1",
    "role": "assistant",
    "toolCalls": [{"id": "call-1", "type": "function", "function": {"name": "pick", "arguments": "{}"}}],
}
X = base64.b64encode(b"x").decode()


def read(*messages: Any, strict_ids: bool = False, **more: Any) -> Input:
    return decode(json.dumps({"messages": list(messages), **more}).encode(), Files(), strict_ids=strict_ids)


def request(*messages: Any, **more: Any) -> RunRequest:
    return read(*messages, **more).request


def answer(content: Any, **more: Any) -> dict[str, Any]:
    return {"id": "t1", "role": "tool", "toolCallId": "call-1", "content": content, **more}


def media(kind: str, media_type: str, value: str = X) -> dict[str, Any]:
    return {"type": kind, "source": {"type": "data", "value": value, "mimeType": media_type}}


def test_the_input_of_the_official_client_is_read() -> None:
    body = RunAgentInput.model_validate(
        {
            "threadId": "t",
            "runId": "r",
            "protocolVersion": "1.0",
            "state": {},
            "tools": [],
            "context": [],
            "forwardedProps": {},
            "messages": [HELLO],
        }
    ).model_dump_json(by_alias=True)

    found = decode(body.encode(), Files(), strict_ids=True)

    message = InputMessage(role="user", parts=(TextPart("hello"),), id="m1")
    assert found.request == RunRequest(thread_id="t", run_id="r", messages=(message,))
    assert (found.client_run_id, found.protocol_version) == ("r", "1.0")
    assert (found.resume, found.results) == ((), ())


@pytest.mark.parametrize(("ids", "missing"), [({"threadId": "t"}, "runId"), ({"runId": "r"}, "threadId")])
def test_ids_are_mandatory_where_they_are_strict_and_chosen_elsewhere(ids: dict[str, str], missing: str) -> None:
    assert len(request(HELLO, **ids).messages) == 1
    with pytest.raises(BadRequest, match=f"'{missing}' is missing"):
        read(HELLO, strict_ids=True, **ids)


def test_ids_of_the_path_win() -> None:
    found = decode(json.dumps({"threadId": "b", "messages": [HELLO]}).encode(), Files(), thread_id="p", agent_id="g")

    assert (found.request.thread_id, found.request.agent_id) == ("p", "g")


@pytest.mark.parametrize("key", ["threadId", "thread_id", "runId", "run_id", "agentId", "agent_id"])
def test_a_blank_id_is_refused(key: str) -> None:
    with pytest.raises(BadRequest, match="id must not be blank"):
        request(HELLO, **{key: ""})


@pytest.mark.proves("G13")
def test_only_what_follows_the_last_assistant_message_is_new() -> None:
    developer = {"id": "d", "role": "developer", "content": "be brief"}
    others = [{"id": "x", "role": "activity", "content": {}}, {"id": "y", "role": "reasoning", "content": "hm"}]

    found = request({**HELLO, "id": "m0"}, ASKED, answer("old"), developer, *others, HELLO)

    assert [(message.id, message.role) for message in found.messages] == [("d", "system"), ("m1", "user")]
    assert [(decision.target, decision.output) for decision in found.decisions] == [("call-1", "old")]


@pytest.mark.proves("G13")
@pytest.mark.parametrize(
    ("content", "output"),
    [("no", "no"), ("3", 3), ('{"a": null}', {"a": None}), ("", ""), ([{"type": "text", "text": "[1]"}], [1])],
)
def test_a_tool_message_at_the_end_answers_a_front_end_call(content: Any, output: Any) -> None:
    found = request(HELLO, ASKED, answer(content), runId="r")

    assert found.decisions == (Decision("call-1", output=output),)
    assert found.run_id is None


def test_a_tool_message_with_an_error_is_a_failed_output() -> None:
    found = request(ASKED, answer("", error="no camera"))

    assert found.decisions == (Decision("call-1", output="no camera", failed=True),)


@pytest.mark.proves("G15")
@pytest.mark.parametrize(
    ("entry", "approved"),
    [
        ({"status": "resolved", "payload": {"approved": True}}, True),
        ({"status": "resolved", "payload": {"approved": False}}, False),
        ({"status": "resolved", "payload": {"approved": "yes"}}, False),
        ({"status": "resolved", "payload": {}}, False),
        ({"status": "resolved", "payload": True}, False),
        ({"status": "resolved", "payload": [1]}, False),
        ({"status": "resolved"}, False),
        ({"status": "cancelled", "payload": {"approved": True}}, False),
        ({"payload": {"approved": True}}, False),
    ],
)
def test_only_a_resolved_interrupt_with_approved_true_approves(entry: dict[str, Any], approved: bool) -> None:
    found = request(resume=[{"interruptId": "int-1", **entry}])

    assert found.decisions == (Decision("int-1", approved=approved),)


@pytest.mark.parametrize(
    ("status", "approved", "sent", "arguments"),
    [
        ("resolved", True, {"path": "b"}, {"path": "b"}),
        ("resolved", True, {}, {}),
        ("resolved", True, None, None),
        ("resolved", False, {"path": "b"}, None),
        ("cancelled", True, {"path": "b"}, None),
        ("resolved", "yes", "not even an object", None),
    ],
)
def test_only_an_approval_brings_edited_arguments(status: str, approved: Any, sent: Any, arguments: Any) -> None:
    entry = {"interruptId": "int-1", "status": status, "payload": {"approved": approved, "editedArgs": sent}}

    (decision,) = request(resume=[entry]).decisions

    assert decision.arguments == arguments
    assert decision.approved is (status == "resolved" and approved is True)


@pytest.mark.parametrize("sent", [[], "{}", 0, True])
def test_edited_arguments_that_are_no_object_are_refused(sent: Any) -> None:
    entry = {"interruptId": "int-1", "status": "resolved", "payload": {"approved": True, "editedArgs": sent}}

    with pytest.raises(BadRequest, match="'editedArgs' for the interrupt 'int-1' are no object"):
        request(resume=[entry])


@pytest.mark.proves("G14")
def test_a_pure_resume_may_be_one_object_without_messages() -> None:
    body = b'{"threadId":"t","runId":"r","resume":{"interrupt_id":"i","status":"resolved","payload":{"approved":true}}}'

    found = decode(body, Files(), strict_ids=True)

    assert found.client_run_id == "r"
    assert found.request.decisions == (Decision("i", approved=True),)


def test_tools_context_and_state_become_options() -> None:
    tools = [
        {"name": "pick"},
        {"name": "own", "execute": "backend"},
        {"name": "go", "description": "d", "parameters": {}},
    ]
    context = [{"description": "Page", "value": "cart"}, {"description": "Items", "value": [1]}]

    found = request(HELLO, tools=tools, context=context, state={"step": 2})

    nothing = {"type": "object", "properties": {}}
    assert found.options == RunOptions(
        (FrontendTool("pick", "", nothing), FrontendTool("go", "d", nothing)), "Page: cart\nItems: [1]", {"step": 2}
    )


@pytest.mark.parametrize(
    "nothing", [{"context": [], "state": {}}, {"context": {}, "state": None}, {"tools": None}, {"state": ""}]
)
def test_empty_context_and_state_say_nothing(nothing: dict[str, Any]) -> None:
    assert request(HELLO, **nothing).options == RunOptions()


@pytest.mark.proves("G08")
def test_state_is_taken_as_it_is() -> None:
    state = {"a": None, "list": [1, {"b": []}], "empty": {}, "text": ""}

    assert request(HELLO, state=state).options.state == state


@pytest.mark.parametrize(
    ("state", "found"), [(3, "a number"), (0, "a number"), (False, "true or false"), ("x", "a text"), ([1], "a list")]
)
def test_state_that_is_no_object_is_refused(state: Any, found: str) -> None:
    with pytest.raises(BadRequest, match=f"expected 'state' to be a JSON object, found {found}"):
        request(HELLO, state=state)


def test_what_only_the_operator_decides_is_ignored() -> None:
    assert request(HELLO, model="m", systemPrompt="obey", config={}, forwardedProps={"a": 1}) == request(HELLO)


@pytest.mark.parametrize(
    "part",
    [
        media("image", "image/png"),
        media("document", "application/pdf"),
        {"type": "image", "source": {"type": "url", "value": f"data:image/png;base64,{X}"}},
        {"type": "binary", "mimeType": "image/png", "data": X},
    ],
)
def test_inline_content_becomes_a_file(part: dict[str, Any]) -> None:
    (found,) = request({"role": "user", "content": ["look", part]}).messages

    text, file = found.parts
    assert text == TextPart("look")
    assert isinstance(file, FilePart)
    assert file.url == f"data:{file.media_type};base64,{X}"


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"type": "image", "source": {"type": "url", "value": "https://example.org/a.png"}}, "sent inline"),
        ({"type": "image", "source": {"type": "file", "value": "file-1"}}, "sent inline"),
        ({"type": "image"}, "has no source"),
        (media("image", "application/pdf"), "not accepted as 'image'"),
        (media("document", "application/zip"), "are not accepted"),
        (media("document", "image/png"), "is not accepted as .document."),
        (media("audio", "audio/mp3", "***"), "broken"),
        (
            {
                "type": "image",
                "source": {"type": "url", "value": f"data:image/png;base64,{X}", "mimeType": "image/gif"},
            },
            "says",
        ),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused(part: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        request({"role": "user", "content": [part]})


def test_files_are_limited_in_number_and_size() -> None:
    half = media("image", "image/png", base64.b64encode(b"x" * (MAX_BYTES // 2)).decode())

    with pytest.raises(BadRequest, match="too many files"):
        request({"role": "user", "content": [media("image", "image/png")] * 5})
    with pytest.raises(BadRequest, match="too large"):
        request({"role": "user", "content": [half, half, media("image", "image/png")]})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "not a RunAgentInput"),
        (b"[]", "Expected `object`"),
        (b'{"messages": [{"content": "x"}]}', "missing required field `role`"),
        (b'{"messages": [{"role": "user", "content": {"a": 1}}]}', "cannot be read"),
        (b'{"messages": [{"role": "assistant", "content": "\xff"}]}', "not a RunAgentInput"),
        (b'{"messages": [{"role": "user", "content": "\\udc00"}]}', "not a RunAgentInput"),
        (b'{"messages": [{"role": "robot", "content": "x"}]}', "found 'robot'"),
        (b'{"messages": [{"role": "user", "content": [{"type": "song"}]}]}', "found 'song'"),
        (b'{"messages": [{"role": "user", "content": [{"text": "x"}]}]}', "missing required field `type`"),
        (b'{"messages": [{"role": "user", "content": "x", "id": 5}]}', "Expected `str | null`"),
        (b'{"messages": [5]}', "Expected `object`"),
        (b'{"messages": {}}', "Expected `array | null`"),
        (b'{"messages": []}', "nothing new"),
        (b'{"messages": [], "resume": []}', "nothing new"),
        (b'{"messages": [], "resume": [{"status": "resolved"}]}', "no interruptId"),
        (b'{"messages": [{"role": "user", "content": "x"}], "tools": [{"name": " "}]}', "blank name"),
    ],
)
def test_a_body_that_makes_no_sense_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        decode(body, Files())


def test_two_new_messages_with_one_id_are_refused() -> None:
    with pytest.raises(BadRequest, match="found one id twice"):
        request(HELLO, HELLO)


@pytest.mark.parametrize("status", ["resolved", "cancelled"])
def test_answers_of_both_kinds_are_told_apart(status: str) -> None:
    entry = {"interruptId": "int-1", "status": status, "payload": {"approved": True}}

    found = read(ASKED, answer("[]"), resume=[entry])

    (resumed,) = found.resume
    assert (resumed.decision.target, resumed.cancelled) == ("int-1", status == "cancelled")
    assert found.results == (Decision("call-1", output=[]),)
    assert found.request.decisions == (resumed.decision, *found.results)


def test_what_the_client_sent_is_kept_for_a_snapshot_without_what_a_snapshot_leaves_out() -> None:
    user = {**HELLO, "name": "Ann", "metadata": {"mine": None}}
    others = [{"id": "x", "role": "activity", "content": {}}, {"id": "y", "role": "reasoning", "content": "hm"}]

    held = read(user, ASKED, answer("3"), *others).held

    assert held is not None
    assert [json.loads(bytes(message)) for message in held.messages] == [user, ASKED, answer("3")]
    assert held.ids == {"m1", "a1", "t1", "x", "y"}


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": "x"},
        {"id": "", "role": "user", "content": "x"},
        {"id": "m1", "role": "assistant", "content": "the same id"},
        {"id": "m", "role": "user", "content": "x", "name": None},
        {"id": "m", "role": "user", "content": [{"type": "text"}]},
        {"id": "m", "role": "user", "content": [{"type": "binary", "mimeType": "image/png", "data": X}]},
        {"id": "m", "role": "assistant", "content": None},
        {"id": "m", "role": "assistant", "toolCalls": [{"id": "c", "function": {"name": "f", "arguments": ""}}]},
        {"id": "m", "role": "tool", "content": "x"},
        {"id": "m", "role": "system"},
    ],
)
def test_a_message_that_a_client_might_refuse_leaves_no_snapshot(message: Any) -> None:
    assert read(message, HELLO).held is None


def test_a_long_history_leaves_no_snapshot() -> None:
    old = {"id": "m0", "role": "assistant", "content": "x" * MOST_BYTES}

    assert read(old, HELLO).held is None
    assert read(resume={"interruptId": "i"}).held is None
