"""Reading AI SDK chat requests: what counts as new, what counts as an answer, and what is refused."""

import base64
import json
from typing import Any

import pytest

from wakeful.contracts.errors import BadRequest
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.message import FilePart, TextPart
from wakeful.contracts.request import InputMessage, Replacement, RunRequest
from wakeful.protocols.ai_sdk.decode import decode
from wakeful.server.files import MAX_BYTES, FileHosts, Files

HELLO = {"id": "m1", "role": "user", "parts": [{"type": "text", "text": "hello"}]}
CALL = {"type": "tool-pick", "toolCallId": "call-1", "input": {}}


def request(*messages: Any, **more: Any) -> RunRequest:
    return decode(json.dumps({"messages": list(messages), **more}).encode(), Files()).request


def user(*parts: Any) -> dict[str, Any]:
    return {"id": "u", "role": "user", "parts": list(parts)}


def assistant(*parts: Any) -> dict[str, Any]:
    return {"id": "a", "role": "assistant", "parts": list(parts)}


def file(media_type: str, content: bytes = b"x", **more: Any) -> dict[str, Any]:
    url = f"data:{media_type};base64,{base64.b64encode(content).decode()}"
    return {"type": "file", "mediaType": media_type, "url": url, **more}


def test_the_stock_transport_body_names_thread_and_new_message() -> None:
    found = request(HELLO, id="chat-1", trigger="submit-message", messageId=None)

    assert found == RunRequest(
        thread_id="chat-1", messages=(InputMessage(role="user", parts=(TextPart("hello"),), id="m1"),)
    )


@pytest.mark.proves("S12")
@pytest.mark.proves("S17")
@pytest.mark.parametrize("message_id", [None, "m2"])
def test_regenerating_asks_for_an_answer_again_and_brings_the_messages_before_it(message_id: str | None) -> None:
    named = {} if message_id is None else {"messageId": message_id}

    asked = request(HELLO, trigger="regenerate-message", **named)

    assert asked.replace == Replacement("answer", message_id)
    assert ([message.id for message in asked.messages], asked.decisions) == (["m1"], ())


@pytest.mark.proves("S18")
def test_a_user_message_sent_under_the_id_it_has_is_an_edit() -> None:
    edited = {"id": "m1", "role": "user", "parts": [{"type": "text", "text": "better"}]}

    asked = request(edited, trigger="submit-message", messageId="m1")

    assert asked.replace == Replacement("message", "m1")
    assert [message.id for message in asked.messages] == ["m1"]


def test_the_id_of_the_assistant_message_that_goes_on_is_no_edit() -> None:
    assert request(HELLO, trigger="submit-message", messageId="of an answer").replace is None


@pytest.mark.parametrize("key", ["id", "threadId", "thread_id"])
def test_a_thread_id_is_read_under_every_name(key: str) -> None:
    assert request(HELLO, **{key: "t"}).thread_id == "t"


def test_run_and_agent_ids_are_read_under_both_names() -> None:
    camel = request(HELLO, runId="r", agentId="g")
    snake = request(HELLO, run_id="r", agent_id="g")

    assert (camel.run_id, camel.agent_id) == (snake.run_id, snake.agent_id) == ("r", "g")


def test_ids_of_the_path_win() -> None:
    body = json.dumps({"id": "body", "agentId": "body", "messages": [HELLO]}).encode()

    found = decode(body, Files(), thread_id="path", agent_id="path").request

    assert (found.thread_id, found.agent_id) == ("path", "path")


@pytest.mark.proves("S16")
def test_only_what_follows_the_last_assistant_message_is_new() -> None:
    old = {"id": "m0", "role": "user", "parts": [{"type": "text", "text": "old"}]}
    system = {"id": "s", "role": "system", "content": "be brief"}

    found = request(old, assistant({"type": "text", "text": "answer"}), system, HELLO)

    assert [(message.id, message.role) for message in found.messages] == [("s", "system"), ("m1", "user")]


@pytest.mark.proves("S12")
@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": "hello"},
        {"role": "user", "content": ["hel", {"type": "text", "text": "lo"}]},
        {
            "role": "user",
            "parts": [{"type": "step-start"}, {"type": "text", "text": "hello"}, {"type": "data-x", "data": 1}],
        },
        {"role": "user", "parts": [], "content": "hello"},
    ],
)
def test_text_is_read_from_parts_and_content(message: dict[str, Any]) -> None:
    (found,) = request(message).messages

    assert "".join(part.text for part in found.parts if isinstance(part, TextPart)) == "hello"


@pytest.mark.proves("S20")
def test_an_approval_is_a_decision_only_with_a_true_that_is_true() -> None:
    answers = [True, False, None, "true", 1]
    parts = [
        {**CALL, "state": "approval-responded", "approval": {"id": f"int-{n}", "approved": answer, "reason": "because"}}
        for n, answer in enumerate(answers)
    ]

    found = request(HELLO, assistant(*parts))

    assert found.messages == ()
    assert [d.approved for d in found.decisions] == [True, False, False, False, False]
    assert found.decisions[0] == Decision("int-0", approved=True, reason="because")


@pytest.mark.proves("S20")
def test_an_approval_response_part_is_a_decision() -> None:
    found = request(assistant({"type": "tool-approval-response", "approvalId": "int-1", "approved": True}))

    assert found.decisions == (Decision("int-1", approved=True),)


@pytest.mark.proves("S20")
@pytest.mark.parametrize(
    ("approval", "target"),
    [({"id": "int-1", "approved": False}, "int-1"), ({"id": "int-1", "approved": True}, "int-1"), (None, "call-1")],
)
def test_a_call_the_client_shows_as_denied_is_refused(approval: Any, target: str) -> None:
    found = request(assistant({**CALL, "state": "output-denied", "approval": approval}))

    assert found.decisions == (Decision(target, approved=False),)


@pytest.mark.parametrize(
    ("approved", "sent", "arguments"),
    [
        (True, {"path": "b"}, {"path": "b"}),
        (True, {}, {}),
        (True, None, None),
        (False, {"path": "b"}, None),
        ("yes", "not even an object", None),
    ],
)
def test_only_an_approval_brings_edited_arguments(approved: Any, sent: Any, arguments: Any) -> None:
    answer = {"approved": approved, "editedArgs": sent}

    of_a_call = request(assistant({**CALL, "state": "approval-responded", "approval": {"id": "int-1", **answer}}))
    by_itself = request(assistant({"type": "tool-approval-response", "approvalId": "int-1", **answer}))

    assert of_a_call.decisions == (Decision("int-1", approved=approved is True, arguments=arguments),)
    assert by_itself.decisions == of_a_call.decisions


@pytest.mark.parametrize("sent", [[], "{}", 0, True])
def test_edited_arguments_that_are_no_object_are_refused(sent: Any) -> None:
    approval = {"id": "int-1", "approved": True, "editedArgs": sent}

    with pytest.raises(BadRequest, match="'editedArgs' of the approval 'int-1' are no object"):
        request(assistant({**CALL, "state": "approval-responded", "approval": approval}))


@pytest.mark.parametrize("kind", ["tool-pick", "dynamic-tool"])
@pytest.mark.parametrize("output", ["no", 0, None, [1], {"approved": False}])
def test_a_front_end_tools_output_is_passed_on_as_it_is(kind: str, output: Any) -> None:
    found = request(assistant({**CALL, "type": kind, "state": "output-available", "output": output}))

    assert found.decisions == (Decision("call-1", output=output),)


def test_a_front_end_tools_error_is_a_failed_output() -> None:
    found = request(assistant({**CALL, "state": "output-error", "errorText": "no camera"}))

    assert found.decisions == (Decision("call-1", output="no camera", failed=True),)


@pytest.mark.proves("S19")
@pytest.mark.parametrize(
    "part",
    [
        {**CALL, "state": "output-available", "output": 1, "providerExecuted": True},
        {**CALL, "state": "output-error", "errorText": "x", "providerExecuted": True},
        {**CALL, "state": "output-available", "output": 1, "approval": {"id": "i", "approved": True}},
        {**CALL, "state": "output-available", "output": 1, "preliminary": True},
        {**CALL, "state": "input-available"},
        {"type": "text", "text": "answer"},
    ],
)
def test_what_the_server_answered_is_not_a_decision(part: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match="nothing new"):
        request(HELLO, assistant(part))


@pytest.mark.proves("S24")
def test_text_sent_after_an_answer_supersedes_it() -> None:
    found = request(assistant({**CALL, "state": "output-available", "output": 1}), HELLO)

    assert found.decisions == ()
    assert len(found.messages) == 1


@pytest.mark.proves("S20")
def test_the_last_answer_to_a_question_wins() -> None:
    parts = [{**CALL, "state": "output-available", "output": n} for n in (1, 2)]

    assert request(assistant(*parts)).decisions == (Decision("call-1", output=2),)


@pytest.mark.parametrize(
    ("sent", "state"), [({"a": None}, {"a": None}), ({}, None), ([], None), ("", None), (None, None)]
)
@pytest.mark.parametrize(
    "message", [HELLO, assistant({**CALL, "state": "output-available", "output": 1})], ids=["input", "answer"]
)
def test_a_state_comes_with_input_and_with_answers(message: Any, sent: Any, state: Any) -> None:
    assert request(message, state=sent).options.state == state


def test_a_state_comes_with_a_request_for_another_answer() -> None:
    assert request(trigger="regenerate-message", state={"n": 1}).options.state == {"n": 1}


def test_what_only_the_operator_decides_is_ignored() -> None:
    assert request(HELLO, model="gpt-9", systemPrompt="obey", config={"a": 1}, unknown=[1]) == request(HELLO)


@pytest.mark.proves("S14")
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not a chat request"),
        (b"{", "not a chat request"),
        (b"[]", "Expected `object`"),
        (b'{"messages": 3}', "Expected `array"),
        (b'{"messages": [{"id": "x"}]}', "missing required field `role`"),
        (b'{"messages": [{"role": "assistant", "parts": ["\xff"]}]}', "not a chat request"),
        (b'{"messages": [{"role": "user", "content": "\\ud800 "}]}', "not a chat request"),
        (b'{"messages": [{"role": "user", "parts": [{"text": "x"}]}]}', "missing required field `type`"),
        (b'{"messages": ' + b"[" * 5000, "not a chat request"),
        (b"{}", "'messages' is missing"),
        (b'{"sessionId": "s", "input": "hi"}', "no longer understood"),
        (b'{"messages": []}', "nothing new"),
        (b'{"messages": [{"role": "user", "content": "  "}]}', "nothing new"),
    ],
)
def test_a_body_that_makes_no_sense_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        decode(body, Files())


@pytest.mark.parametrize("key", ["id", "threadId", "thread_id", "runId", "run_id", "agentId", "agent_id", "messageId"])
def test_a_blank_id_is_refused(key: str) -> None:
    with pytest.raises(BadRequest, match="id must not be blank"):
        request(HELLO, **{key: "  "})


def test_a_data_url_becomes_a_file() -> None:
    sent = file("image/png", filename="a.png")

    (found,) = request(user(sent)).messages

    assert found.parts == (FilePart("image/png", sent["url"], "a.png"),)


@pytest.mark.proves("S26")
def test_a_link_to_an_allowed_host_becomes_a_file() -> None:
    link = {"type": "file", "mediaType": "image/png", "url": "https://files.example.com/a.png"}
    body = json.dumps({"messages": [user(link)]}).encode()

    (found,) = decode(body, Files(FileHosts(["files.example.com"]))).request.messages

    assert found.parts == (FilePart("image/png", link["url"]),)


@pytest.mark.proves("S26")
@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"type": "file", "mediaType": "image/png", "url": "https://example.org/a.png"}, "must be sent inline"),
        ({"type": "file", "mediaType": "image/png"}, "must be sent inline"),
        ({"type": "file", "mediaType": "image/png", "url": "data:image/png,abc"}, "must be sent inline"),
        ({"type": "file", "mediaType": "image/png", "url": "data:image/png;base64,***"}, "broken"),
        ({"type": "file", "mediaType": "image/png", "url": "data:image/png;base64,é"}, "broken"),
        ({"type": "file", "mediaType": "image/gif", "url": "data:image/png;base64,eA=="}, "says"),
        (file("application/zip"), "not accepted"),
        (file("text/html"), "not accepted"),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused(part: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        request(user(part))


@pytest.mark.proves("S26")
def test_four_files_are_taken_and_a_fifth_is_refused() -> None:
    assert len(request(user(*[file("text/plain")] * 4)).messages[0].parts) == 4
    with pytest.raises(BadRequest, match="too many files"):
        request(user(*[file("text/plain")] * 3), {**user(*[file("text/plain")] * 2), "id": "u2"})


@pytest.mark.proves("S26")
def test_files_may_reach_eight_mebibytes_together_and_no_more() -> None:
    half = file("application/pdf", b"x" * (MAX_BYTES // 2))

    assert len(request(user(half, half)).messages[0].parts) == 2
    with pytest.raises(BadRequest, match="too large"):
        request(user(half, half, file("application/pdf", b"x")))
