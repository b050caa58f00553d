"""A2A 0.3 over HTTP+JSON: its own paths, the ProtoJSON of its own proto, its own errors."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from a2a.client import ClientConfig, ClientFactory
from a2a.client.card_resolver import parse_agent_card
from a2a.client.client import Client
from a2a.compat.v0_3 import a2a_v0_3_pb2 as old
from a2a.compat.v0_3.rest_transport import CompatRestTransport
from a2a.types import a2a_pb2 as pb
from a2a.utils.errors import TaskNotCancelableError, TaskNotFoundError, UnsupportedOperationError
from google.protobuf.json_format import ParseDict
from tests.protocols.a2a.talking import NEW, ROOT, Gate, approver, numbers, payloads, state, text

from wakeful import AgentRequest, agent
from wakeful.providers.scripted import ScriptedProvider

Serve = Callable[..., Awaitable[Any]]
PATIENCE = 20
PATH = f"{ROOT}/v1"
HOOK = "http://127.0.0.1:9/hook"


def saying(*parts: Any, **fields: Any) -> dict[str, Any]:
    """A request as the proto's JSON names have it."""
    content = [{"text": part} if isinstance(part, str) else part for part in parts]
    return {"message": {"messageId": f"r-{next(numbers)}", "role": "ROLE_USER", "content": content, **fields}}


async def sent(client: Any, *parts: Any, configuration: Any = None, **fields: Any) -> Any:
    """The task that a message, which is waited for, makes."""
    body = {**saying(*parts, **fields), "configuration": {"blocking": True, **(configuration or {})}}
    response = await client.post(f"{PATH}/message:send", json=body)
    assert response.status_code == 200, response.text
    return ParseDict(response.json(), old.SendMessageResponse()).task


def name(task: Any) -> str:
    return old.TaskState.Name(task.status.state).removeprefix("TASK_STATE_")


@pytest.fixture
async def official(working: Any) -> AsyncIterator[Client]:
    """The SDK's client of 0.3, which found its binding in what a card of 0.3 says."""
    async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as http:
        shown = (await working.client.get("/.well-known/agent-card.json")).json()
        del shown["supportedInterfaces"]  # which clients of 0.3 do not know
        config = ClientConfig(httpx_client=http, streaming=True, supported_protocol_bindings=["HTTP+JSON"])
        client = ClientFactory(config).create(parse_agent_card(shown))
        assert isinstance(client._transport, CompatRestTransport)
        yield client


def asking(*parts: pb.Part, **fields: Any) -> pb.SendMessageRequest:
    message = pb.Message(message_id=f"r-{next(numbers)}", role="ROLE_USER", parts=parts, **fields)
    return pb.SendMessageRequest(message=message)


async def the_task(client: Client, request: pb.SendMessageRequest) -> pb.Task:
    async with asyncio.timeout(PATIENCE):
        stream = [item async for item in client.send_message(request)]
        return await client.get_task(pb.GetTaskRequest(id=stream[0].task.id))


async def test_a_client_of_0_3_finds_it_and_its_files_and_data_arrive_whole(official: Client) -> None:
    content = b"\x89PNG"
    png = pb.Part(raw=content, media_type="image/png", filename="x.png")
    number, table = pb.Part(), pb.Part()
    number.data.number_value = 7
    table.data.struct_value.update({"rows": 2})

    task = await the_task(official, asking(pb.Part(text="report"), png, number, table))

    said = task.history[0].parts
    assert [part.WhichOneof("content") for part in said] == ["text", "url", "data", "data"]
    assert said[1].url == f"data:image/png;base64,{b64encode(content).decode()}"
    assert (said[1].media_type, said[1].filename) == ("image/png", "x.png")
    assert (said[2].data.number_value, said[3].data.struct_value["rows"]) == (7, 2)
    assert {text(artifact) for artifact in task.artifacts} == {"Here it is.", "Chapter one. Chapter two."}
    assert [part.url for part in task.artifacts[0].parts if part.url] == ["data:image/png;base64,eA=="]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ({"fileWithBytes": b64encode(b"word").decode()}, b"word"),
        ({"file_with_bytes": b64encode(b64encode(b"word")).decode()}, b"word"),
        ({"file_with_bytes": b64encode(b"no base64").decode()}, b"no base64"),
    ],
    ids=["once", "twice, as the Python SDK does", "once, with the proto's name"],
)
async def test_bytes_are_understood_however_they_are_encoded(working: Any, file: Any, content: bytes) -> None:
    task = await sent(working.client, "hello", {"file": {**file, "mime_type": "text/plain"}})

    shown = task.history[0].content[1].file.file_with_uri
    assert shown == f"data:text/plain;base64,{b64encode(content).decode()}"


async def test_a_stream_is_of_the_protos_shapes_and_says_which_status_is_the_last(working: Any) -> None:
    response = await working.client.post(f"{PATH}/message:stream", json=saying("report"))

    stream = [ParseDict(one, old.StreamResponse()) for one in payloads(response.text)]

    assert response.headers["content-type"].startswith("text/event-stream")
    assert [one.WhichOneof("payload") for one in stream][:2] == ["task", "status_update"]
    updates = [one.status_update for one in stream if one.HasField("status_update")]
    assert [update.final for update in updates] == [False, False, True]
    assert updates[1].status.update.content[0].text == "Looking it up."
    artifacts = [one.artifact_update.artifact for one in stream if one.HasField("artifact_update")]
    assert {artifact.parts[0].WhichOneof("part") for artifact in artifacts} == {"text", "file", "data"}


async def test_a_question_is_answered_under_its_tasks_id(working: Any) -> None:
    waiting = await sent(working.client, "ask")

    done = await sent(working.client, "Bern", taskId=waiting.id, contextId=waiting.context_id)

    assert (name(waiting), waiting.status.update.content[0].text) == ("INPUT_REQUIRED", "Which city?")
    assert (done.id, name(done)) == (waiting.id, "COMPLETED")
    assert done.artifacts[-1].parts[0].text == "The weather in Bern is fine."


async def test_not_blocking_is_answered_at_once_and_the_task_can_be_watched_and_cancelled(
    working: Any, gate: Gate
) -> None:
    task = await sent(working.client, "slow", configuration={"blocking": False})
    async with asyncio.timeout(PATIENCE):
        await gate.reached.wait()
        async with working.stream("GET", f"{PATH}/tasks/{task.id}:subscribe") as frames:
            async for frame in frames:
                if frame.data:
                    break
            cancelled = await working.client.post(f"{PATH}/tasks/{task.id}:cancel")
            rest = [frame.json async for frame in frames if frame.data]

    assert next(iter(frame.json)) == "task"
    assert name(ParseDict(cancelled.json(), old.Task())) == "CANCELLED"
    assert rest[-1]["statusUpdate"]["final"] is True


async def test_a_history_length_of_zero_is_no_limit(working: Any) -> None:
    task = await sent(working.client, "hello", configuration={"history_length": 0})

    all_of_it = (await working.client.get(f"{PATH}/tasks/{task.id}?historyLength=0")).json()

    assert len(task.history) == len(all_of_it["history"]) == 1


CONFIG = {
    "url": HOOK,
    "token": "t",
    "authentication": {"schemes": ["Bearer"], "credentials": "SECRET"},
}
WAYS = {
    "the config alone": lambda task: {"name": f"tasks/{task}", "pushNotificationConfig": CONFIG},
    "the whole request": lambda task: {
        "parent": f"tasks/{task}",
        "config_id": "",
        "config": {"push_notification_config": CONFIG},
    },
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_notifications_are_kept_under_the_name_of_their_resource(working: Any, way: Any) -> None:
    task = await sent(working.client, "ask")
    place = f"{PATH}/tasks/{task.id}/pushNotificationConfigs"

    made = await working.client.post(place, json=way(task.id))
    kept = ParseDict(made.json(), old.TaskPushNotificationConfig())
    got = (await working.client.get(f"{place}/{kept.push_notification_config.id}")).json()
    listed = ParseDict((await working.client.get(place)).json(), old.ListTaskPushNotificationConfigResponse())
    gone = await working.client.delete(f"{place}/{kept.push_notification_config.id}")
    after = await working.client.get(f"{place}/{kept.push_notification_config.id}")

    assert kept.name == f"tasks/{task.id}/pushNotificationConfigs/{kept.push_notification_config.id}"
    assert list(kept.push_notification_config.authentication.schemes) == ["Bearer"]
    assert got == made.json()
    assert list(listed.configs) == [kept]
    assert "SECRET" not in made.text
    assert (gone.status_code, after.status_code) == (200, 404)


async def test_the_official_client_asks_for_notifications(official: Client) -> None:
    waiting = await the_task(official, asking(pb.Part(text="ask")))
    config = pb.TaskPushNotificationConfig(task_id=waiting.id, id="mine", url=HOOK)

    made = await official.create_task_push_notification_config(config)
    got = await official.get_task_push_notification_config(
        pb.GetTaskPushNotificationConfigRequest(task_id=waiting.id, id="mine")
    )

    assert made == got == config


async def test_errors_are_known_by_type_and_by_number(working: Any, official: Client) -> None:
    done = await the_task(official, asking(pb.Part(text="hello")))

    cancel = await working.client.post(f"{PATH}/tasks/{done.id}:cancel")
    with pytest.raises(TaskNotCancelableError):
        await official.cancel_task(pb.CancelTaskRequest(id=done.id))
    with pytest.raises(TaskNotFoundError):
        await official.get_task(pb.GetTaskRequest(id="nobody"))
    with pytest.raises(UnsupportedOperationError):
        [item async for item in official.subscribe(pb.SubscribeToTaskRequest(id=done.id))]

    assert state(done) == "COMPLETED"
    assert cancel.status_code == 400
    assert cancel.headers["content-type"] == "application/json"
    body = cancel.json()
    assert (body["type"], body["code"]) == ("TaskNotCancelableError", -32002)
    assert done.id in body["message"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "InvalidRequestError"),
        (b"[]", "InvalidParamsError"),
        (b'{"message": {"role": "ROLE_USER", "messageId": "a"}}', "InvalidParamsError"),
        (b'{"message": {"role": "ROLE_USER", "messageId": "a", "content": [{"kind": "text"}]}}', "InvalidParamsError"),
        (b'{"message": {"role": "ROLE_AGENT", "messageId": "a", "content": [{"text": "x"}]}}', "InvalidParamsError"),
    ],
)
async def test_what_is_no_request_is_refused(working: Any, body: bytes, kind: str) -> None:
    response = await working.client.post(
        f"{PATH}/message:send", content=body, headers={"content-type": "application/json"}
    )

    assert (response.status_code, response.json()["type"]) == (400, kind)


async def test_each_version_has_its_own_paths(working: Any) -> None:
    asked = saying("hello")

    said = await working.client.post(f"{PATH}/message:send", json=asked, headers={"A2A-Version": "0.3"})
    newer = await working.client.post(f"{PATH}/message:send", json=asked, headers=NEW)
    older = await working.client.post(f"{ROOT}/message:send", json=asked)

    assert said.status_code == 200
    assert newer.json()["error"]["details"][0]["reason"] == "AGENT_NOT_FOUND", "to 1.0, v1 would be an agent"
    assert older.json()["error"]["details"][0]["reason"] == "VERSION_NOT_SUPPORTED"


async def test_an_agent_may_be_called_v1(serve: Serve) -> None:
    @agent("first")
    async def first(request: AgentRequest) -> Any:
        yield "first"

    @agent("v1")
    async def second(request: AgentRequest) -> Any:
        yield "v1"

    server = await serve(agents=[first, second])
    new = {"message": {"messageId": "n", "role": "ROLE_USER", "parts": [{"text": "hi"}]}}

    default = await sent(server.client, "hi")
    named = (await server.client.post(f"{ROOT}/v1/v1/message:send", json={**saying("hi"), "configuration": {}})).json()
    modern = (await server.client.post(f"{ROOT}/v1/message:send", json=new, headers=NEW)).json()

    assert default.artifacts[0].parts[0].text == "first"
    assert named["task"]["artifacts"][0]["parts"] == [{"text": "v1"}]
    assert modern["task"]["artifacts"][0]["parts"] == [{"text": "v1"}]


async def test_the_extended_card_is_of_the_protos_shape_and_for_known_callers_only(serve: Serve) -> None:
    server = await serve(agents=[approver()], providers=[ScriptedProvider([])], api_tokens={"a": "token"})

    unknown = await server.client.get(f"{PATH}/card")
    server.client.headers["authorization"] = "Bearer token"
    response = await server.client.get(f"{PATH}/card")

    card = ParseDict(json.loads(response.text), old.AgentCard(), ignore_unknown_fields=True)
    assert (unknown.status_code, unknown.headers["www-authenticate"]) == (401, "Bearer")
    assert card.supports_authenticated_extended_card
    assert [one.transport for one in card.additional_interfaces] == ["JSONRPC", "HTTP+JSON"]
    assert list(card.security[0].schemes) == ["bearer"]
    assert [skill.name for skill in card.skills] == ["assistant", "launch", "look"]
