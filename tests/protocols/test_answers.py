"""Answering a waiting run the way each protocol's client does: over its own run route, as a stream."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

AI_SDK = "/v1/ai-sdk/agents/assistant/runs"
AG_UI = "/v1/ag-ui/agents/assistant/runs"
TWO = "email a@example.com hi and email b@example.com yo"


def payloads(text: str) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def kinds(text: str) -> list[str]:
    return [payload["type"] for payload in payloads(text)]


async def questions(server: Any) -> list[dict[str, Any]]:
    """The interrupts of a run that waits for two approvals."""
    events = await server.run(TWO, run="r")
    return events[-1]["interrupts"]


def ai_sdk(*answers: tuple[dict[str, Any], bool], text: str | None = None, **more: Any) -> dict[str, Any]:
    parts = [
        {
            "type": "tool-send_email",
            "toolCallId": question["call_id"],
            "state": "approval-responded",
            "input": {},
            "approval": {"id": question["id"], "approved": approved, **more},
        }
        for question, approved in answers
    ]
    messages: list[dict[str, Any]] = [{"id": "a", "role": "assistant", "parts": parts}]
    if text:
        messages.append({"id": "u2", "role": "user", "parts": [{"type": "text", "text": text}]})
    return {"id": "thread", "messages": messages}


def ag_ui(*answers: tuple[dict[str, Any], bool], messages: Any = (), **more: Any) -> dict[str, Any]:
    resume = [
        {"interruptId": question["id"], "status": "resolved", "payload": {"approved": approved, **more}}
        for question, approved in answers
    ]
    return {"threadId": "thread", "runId": "again", "protocolVersion": "1.0", "messages": [*messages], "resume": resume}


async def started(server: Any) -> int:
    events = (await server.client.get("/v1/runs/r/events?limit=200")).json()["items"]
    return [event["type"] for event in events].count("tool_call_started")


@pytest.mark.proves("S23")
async def test_over_the_ai_sdk_the_first_of_two_approvals_runs_nothing_and_the_second_runs_both(server: Any):
    first, second = await questions(server)

    one = await server.client.post(AI_SDK, json=ai_sdk((first, True)))
    after_one = await started(server)
    both = await server.client.post(AI_SDK, json=ai_sdk((first, True), (second, True)))

    assert (kinds(one.text)[0], kinds(one.text)[-1]) == ("start", "finish")
    assert payloads(one.text)[-1]["finishReason"] == "tool-calls"
    assert after_one == 0
    assert kinds(both.text).count("tool-output-available") == 2
    assert payloads(both.text)[-1]["finishReason"] == "stop"
    assert await started(server) == 2


@pytest.mark.parametrize(("path", "body"), [(AI_SDK, ai_sdk), (AG_UI, ag_ui)])
async def test_an_approved_call_runs_with_the_arguments_a_human_changed_and_shows_them(
    server: Any, path: str, body: Any
):
    question = (await server.run("email a@example.com hi", run="r"))[-1]["interrupts"][0]
    edited = {"to": "c@example.com", "body": "hello"}

    answered = await server.client.post(path, json=body((question, True), editedArgs=edited))

    ui = (await server.client.get("/v1/ai-sdk/threads/thread/messages")).json()["messages"]
    ag = (await server.client.get("/v1/ag-ui/threads/thread/messages")).json()["messages"]
    (part,) = [part for message in ui for part in message["parts"] if part["type"] == "tool-send_email"]
    (call,) = [call["function"] for message in ag for call in message.get("toolCalls", ())]
    shown = [chunk["input"] for chunk in payloads(answered.text) if chunk["type"] == "tool-input-available"]
    assert part["output"]["to"] == "c@example.com"
    assert part["input"] == json.loads(call["arguments"]) == edited
    assert shown == ([edited] if path == AI_SDK else [])


@pytest.mark.parametrize(("path", "body"), [(AI_SDK, ai_sdk), (AG_UI, ag_ui)])
async def test_edited_arguments_that_do_not_fit_the_tool_are_400_and_the_question_stays_open(
    server: Any, path: str, body: Any
):
    question = (await server.run("email a@example.com hi", run="r"))[-1]["interrupts"][0]

    refused = await server.client.post(path, json=body((question, True), editedArgs={"to": 1}))

    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")
    assert (await server.client.get("/v1/runs/r")).json()["status"] == "waiting"


async def test_answers_to_questions_the_run_never_asked_are_left_out(server: Any):
    first, second = await questions(server)
    other = {"id": "of-another-run", "call_id": "x"}

    both = await server.client.post(AI_SDK, json=ai_sdk((other, True), (first, True), (second, True)))
    alone = await server.client.post(AI_SDK, json=ai_sdk((other, True)))

    assert kinds(both.text).count("tool-output-available") == 2
    assert alone.status_code == 409


async def test_messages_the_thread_has_already_do_not_supersede_the_question_they_come_with(server: Any):
    first, second = await questions(server)
    (known,) = [
        message
        for message in (await server.client.get("/v1/threads/thread/messages")).json()["messages"]
        if message["role"] == "user"
    ]
    resent = {"id": known["id"], "role": "user", "content": TWO}

    response = await server.client.post(AG_UI, json=ag_ui((first, True), (second, True), messages=[resent]))

    assert kinds(response.text).count("TOOL_CALL_RESULT") == 2
    assert (await server.client.get("/v1/runs?thread_id=thread")).json()["total"] == 1


@pytest.mark.proves("S22")
async def test_an_answer_nobody_waits_for_is_409_and_starts_nothing(server: Any):
    await server.run("hello", run="r")

    response = await server.client.post(AI_SDK, json=ai_sdk(({"id": "i", "call_id": "c"}, True)))

    assert (response.status_code, response.json()["code"]) == (409, "conflict")
    assert (await server.client.get("/v1/runs?thread_id=thread")).json()["total"] == 1


@pytest.mark.proves("R17", "S24")
async def test_new_text_with_an_answer_supersedes_the_question(server: Any):
    first, second = await questions(server)

    response = await server.client.post(AI_SDK, json=ai_sdk((first, True), (second, True), text="hello"))

    runs = (await server.client.get("/v1/runs?thread_id=thread")).json()["items"]
    assert payloads(response.text)[-1]["finishReason"] == "stop"
    assert [(run["status"], run["stop_reason"]) for run in runs] == [
        ("completed", "answered"),
        ("cancelled", "superseded"),
    ]
    assert await started(server) == 0


@pytest.mark.proves("S25", "G11")
@pytest.mark.parametrize("output", [0, [], None, "no", {"colour": "red"}])
async def test_a_front_end_tools_output_reaches_the_model_whatever_it_is(server: Any, output: Any):
    tools = [{"name": "paint", "description": "Paint.", "parameters": {"type": "object", "properties": {}}}]
    user = {"id": "u", "role": "user", "content": "use paint {}"}
    asked = await server.client.post(
        AG_UI, json={"threadId": "t", "runId": "r", "messages": [user], "tools": tools, "protocolVersion": "1.0"}
    )
    (call,) = payloads(asked.text)[-1]["outcome"]["pendingToolCallIds"]

    answer = {"id": "m", "role": "tool", "toolCallId": call, "content": json.dumps(output)}
    answered = await server.client.post(
        AG_UI, json={"threadId": "t", "runId": "r2", "messages": [user, answer], "tools": tools}
    )

    text = "".join(payload.get("delta", "") for payload in payloads(answered.text))
    results = [
        part["output"]
        for message in (await server.client.get("/v1/threads/t/messages")).json()["messages"]
        for part in message["parts"]
        if part["type"] == "tool_result"
    ]
    assert kinds(asked.text).count("TOOL_CALL_RESULT") == 0
    assert json.dumps(output, separators=(",", ":")).strip('"') in text
    assert results == [output]


@pytest.mark.proves("S21")
async def test_answers_alone_are_a_stream_or_json_for_a_client_that_asks_for_it(server: Any):
    first, second = await questions(server)

    one = await server.client.post(AI_SDK, json=ai_sdk((first, True)), headers={"accept": "application/json"})
    both = await server.client.post(AI_SDK, json=ai_sdk((first, True), (second, True)))

    assert (one.status_code, one.headers["content-type"]) == (202, "application/json")
    assert one.json() == {
        "status": "decision_forwarded",
        "run_id": "r",
        "thread_id": (await server.client.get("/v1/runs/r")).json()["thread_id"],
        "effect": "waiting",
    }
    assert both.headers["content-type"].startswith("text/event-stream")
    assert await started(server) == 2


async def test_a_client_that_asks_for_json_still_gets_the_stream_of_a_new_answer(server: Any):
    body = {"id": "t", "messages": [{"id": "m", "role": "user", "content": "hello"}]}

    answer = await server.client.post(AI_SDK, json=body, headers={"accept": "application/json"})

    assert answer.headers["content-type"].startswith("text/event-stream")


async def test_a_chat_is_stopped_and_its_stream_ends_with_an_abort(server: Any):
    body = {"id": "t", "messages": [{"id": "m", "role": "user", "content": "count to 1000 every 50 ms"}]}
    async with asyncio.timeout(10), server.client.stream("POST", AI_SDK, json=body) as stream:
        lines = stream.aiter_lines()
        async for line in lines:
            if "text-delta" in line:
                break
        stopped = await server.client.post("/v1/ai-sdk/chat/t/stop")
        rest = [line async for line in lines]
    idle = await server.client.post("/v1/ai-sdk/chat/t/stop")
    unknown = await server.client.post("/v1/ai-sdk/chat/nobody/stop")

    assert (stopped.status_code, stopped.json()["status"]) == (202, "cancel_requested")
    assert '"type":"abort"' in "".join(rest)
    assert (idle.status_code, unknown.status_code) == (404, 404)
