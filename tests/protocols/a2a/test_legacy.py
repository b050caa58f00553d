"""A2A 0.3 beside 1.0: requests that say no version, judged by the SDK's types of 0.3."""

from __future__ import annotations

import asyncio
from typing import Any

from a2a.compat.v0_3 import types as old
from tests.protocols.a2a.talking import ROOT, Gate, old_call, old_events, old_message

PATIENCE = 10


async def result(client: Any, method: str, params: dict[str, Any], shape: Any) -> Any:
    response = await old_call(client, method, params)
    assert response.status_code == 200
    return shape.model_validate(response.json()).root.result


async def test_a_message_is_answered_and_its_task_found(working: Any) -> None:
    task = await result(working.client, "message/send", {"message": old_message("hello")}, old.SendMessageResponse)
    found = await result(working.client, "tasks/get", {"id": task.id}, old.GetTaskResponse)

    assert task.status.state == old.TaskState.completed
    assert task.artifacts[0].parts[0].root.text == "You said: hello"
    assert task.history[0].role == old.Role.user
    assert found == task


async def test_a_stream_says_which_status_is_the_last(working: Any) -> None:
    response = await old_call(working.client, "message/stream", {"message": old_message("report")})

    events = old_events(response.text)

    assert [event.kind for event in events][:2] == ["task", "status-update"]
    assert [event.final for event in events if event.kind == "status-update"] == [False, False, True]
    assert events[-1].status.state == old.TaskState.completed
    data = [event.artifact.parts[0].root for event in events if event.kind == "artifact-update"]
    assert {part.kind for part in data} == {"text", "data", "file"}


async def test_a_question_is_answered(working: Any) -> None:
    waiting = await result(working.client, "message/send", {"message": old_message("ask")}, old.SendMessageResponse)

    answer = {"message": old_message("Bern", taskId=waiting.id, contextId=waiting.context_id)}
    done = await result(working.client, "message/send", answer, old.SendMessageResponse)

    assert waiting.status.state == old.TaskState.input_required
    assert done.artifacts[-1].parts[0].root.text == "The weather in Bern is fine."


async def test_not_blocking_is_answered_at_once_and_the_task_can_be_watched_and_cancelled(
    working: Any, gate: Gate
) -> None:
    asked = {"message": old_message("slow"), "configuration": {"blocking": False}}
    task = await result(working.client, "message/send", asked, old.SendMessageResponse)
    async with asyncio.timeout(PATIENCE):
        await gate.reached.wait()

    body = {"jsonrpc": "2.0", "id": "a", "method": "tasks/resubscribe", "params": {"id": task.id}}
    async with asyncio.timeout(PATIENCE):
        async with working.stream("POST", ROOT, json=body) as frames:
            async for frame in frames:
                if frame.data:
                    break
            cancelled = await result(working.client, "tasks/cancel", {"id": task.id}, old.CancelTaskResponse)
            rest = [frame.json["result"] async for frame in frames if frame.data]

    assert frame.json["result"]["kind"] == "task"
    assert cancelled.status.state == old.TaskState.canceled
    assert (rest[-1]["kind"], rest[-1]["final"]) == ("status-update", True)


async def test_files_and_data_arrive(working: Any) -> None:
    parts = [
        {"kind": "text", "text": "hello"},
        {"kind": "file", "file": {"bytes": "eA==", "mimeType": "text/plain", "name": "x.txt"}},
        {"kind": "data", "data": {"value": [1]}, "metadata": {"data_part_compat": True}},
        {"kind": "data", "data": {"a": 1}},
    ]
    asked = {"message": {**old_message(), "parts": parts}}

    task = await result(working.client, "message/send", asked, old.SendMessageResponse)

    shown = [part.root for part in task.history[0].parts]
    assert [part.kind for part in shown] == ["text", "file", "data", "data"]
    assert shown[1].file.name == "x.txt"
    assert shown[2].data == {"value": [1]}
    assert shown[3].data == {"a": 1}


async def test_notifications_are_kept_in_the_old_shape(working: Any) -> None:
    task = await result(working.client, "message/send", {"message": old_message("ask")}, old.SendMessageResponse)
    config = {
        "url": "http://127.0.0.1:9/hook",
        "token": "t",
        "authentication": {"schemes": ["Bearer"], "credentials": "SECRET"},
    }
    prefix = "tasks/pushNotificationConfig"
    asked = {"taskId": task.id, "pushNotificationConfig": config}

    made = await result(working.client, f"{prefix}/set", asked, old.SetTaskPushNotificationConfigResponse)
    got = await result(working.client, f"{prefix}/get", {"id": task.id}, old.GetTaskPushNotificationConfigResponse)
    listed = await result(working.client, f"{prefix}/list", {"id": task.id}, old.ListTaskPushNotificationConfigResponse)
    named = {"id": task.id, "pushNotificationConfigId": made.push_notification_config.id}
    gone = await result(working.client, f"{prefix}/delete", named, old.DeleteTaskPushNotificationConfigResponse)
    after = await old_call(working.client, f"{prefix}/get", {"id": task.id})

    assert made == got == listed[0]
    assert made.push_notification_config.authentication.schemes == ["Bearer"]
    assert made.push_notification_config.authentication.credentials is None
    assert gone is None
    assert "error" in after.json()


async def test_errors_have_the_same_numbers(working: Any) -> None:
    unknown = await old_call(working.client, "tasks/get", {"id": "nobody"})
    method = await old_call(working.client, "tasks/list", {})
    bad = await old_call(working.client, "message/send", {"message": {"role": "user"}})
    kind = await old_call(working.client, "message/send", {"message": {**old_message(), "parts": [{"kind": "x"}]}})
    role = await old_call(working.client, "message/send", {"message": old_message("hi", role="agent")})

    codes = [response.json()["error"]["code"] for response in (unknown, method, bad, kind, role)]
    assert codes == [-32001, -32601, -32602, -32602, -32602]


async def test_the_extended_card_has_the_old_fields(serve: Any) -> None:
    server = await serve(api_tokens={"a": "token"})
    server.client.headers["authorization"] = "Bearer token"

    response = await old_call(server.client, "agent/getAuthenticatedExtendedCard", {})

    assert old.AgentCard.model_validate(response.json()["result"]).supports_authenticated_extended_card
