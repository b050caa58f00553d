"""The error table of A2A 1.0, row by row, over both bindings."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from a2a.utils.errors import A2A_ERROR_MAPPING, JSON_RPC_ERROR_CODE_MAP
from tests.protocols.a2a.talking import NEW, ROOT, Gate, Talk, agents, message

from wakeful.protocols.a2a import faults

Serve = Callable[..., Awaitable[Any]]
OURS = [
    row
    for row in vars(faults).values()
    if isinstance(row, faults.Row) and row.number in JSON_RPC_ERROR_CODE_MAP.values() and row.http in (400, 404, 500)
]


@pytest.mark.parametrize("kind", A2A_ERROR_MAPPING)
def test_every_row_has_the_numbers_of_the_specification(kind: Any) -> None:
    told = A2A_ERROR_MAPPING[kind]

    row = next(row for row in OURS if row.reason == told.reason)

    assert (row.http, row.status, row.number) == (told.http_code, told.grpc_status, JSON_RPC_ERROR_CODE_MAP[kind])


UNKNOWN = [
    ("GET", "/tasks/{id}", "GetTask", {"id": "nobody"}),
    ("POST", "/tasks/{id}:cancel", "CancelTask", {"id": "nobody"}),
    ("POST", "/tasks/{id}:subscribe", "SubscribeToTask", {"id": "nobody"}),
    ("GET", "/tasks/{taskId}/pushNotificationConfigs", "ListTaskPushNotificationConfigs", {"taskId": "nobody"}),
    (
        "DELETE",
        "/tasks/{taskId}/pushNotificationConfigs/{id}",
        "DeleteTaskPushNotificationConfig",
        {"taskId": "nobody", "id": "c"},
    ),
]


@pytest.mark.proves("A12")
@pytest.mark.parametrize("asked", UNKNOWN, ids=lambda asked: asked[2])
async def test_an_unknown_task_is_not_found(talk: Talk, asked: Any) -> None:
    assert await talk.fault(*asked) == (-32001 if talk.rpc else 404, "TASK_NOT_FOUND")


@pytest.mark.proves("A12")
async def test_a_message_to_an_unknown_task_makes_none(talk: Talk) -> None:
    asked = {"message": message("hi", taskId="mine")}

    for method, path in (("SendMessage", "/message:send"), ("SendStreamingMessage", "/message:stream")):
        assert (await talk.fault("POST", path, method, asked))[1] == "TASK_NOT_FOUND"
    assert (await talk.list()).total_size == 0


async def test_a_task_that_is_over_can_neither_be_cancelled_nor_watched_nor_told_anything(talk: Talk) -> None:
    done = await talk.send("hello")

    cancel = await talk.fault("POST", "/tasks/{id}:cancel", "CancelTask", {"id": done.id})
    subscribe = await talk.fault("POST", "/tasks/{id}:subscribe", "SubscribeToTask", {"id": done.id})
    told = await talk.fault("POST", "/message:send", "SendMessage", {"message": message("hi", taskId=done.id)})

    assert cancel == (-32002 if talk.rpc else 400, "TASK_NOT_CANCELABLE")
    assert subscribe == told == (-32004 if talk.rpc else 400, "UNSUPPORTED_OPERATION")


async def test_without_tokens_there_is_no_extended_card(talk: Talk) -> None:
    found = await talk.fault("GET", "/extendedAgentCard", "GetExtendedAgentCard", {})

    assert found == (-32004 if talk.rpc else 400, "UNSUPPORTED_OPERATION"), "the card says that there is none"


@pytest.mark.parametrize(
    ("part", "modes"),
    [
        ({"raw": "eA==", "mediaType": "application/zip"}, []),
        ({"url": "https://example.com/x.exe", "mediaType": "application/x-msdownload"}, []),
        ({"text": "hi"}, ["image/png"]),
    ],
)
@pytest.mark.proves("A09")
async def test_types_nobody_takes_or_makes_are_refused(talk: Talk, part: Any, modes: list[str]) -> None:
    asked = {"message": message(part), "configuration": {"acceptedOutputModes": modes}}

    found = await talk.fault("POST", "/message:send", "SendMessage", asked)

    assert found == (-32005 if talk.rpc else 400, "CONTENT_TYPE_NOT_SUPPORTED")


@pytest.mark.proves("A09")
@pytest.mark.parametrize("said", ["2.0", "0.2", "1", "one"])
async def test_an_unknown_version_is_refused_in_the_header_and_in_the_query(talk: Talk, said: str) -> None:
    body = {"jsonrpc": "2.0", "id": 7, "method": "SendMessage", "params": {"message": message("hi")}}
    path, sent = (ROOT, body) if talk.rpc else (f"{ROOT}/message:send", body["params"])

    in_header = await talk.client.post(path, json=sent, headers={"A2A-Version": said})
    in_query = await talk.client.post(f"{path}?A2A-Version={said}", json=sent)

    for response in (in_header, in_query):
        assert talk.fault_in(response) == (-32009 if talk.rpc else 400, "VERSION_NOT_SUPPORTED")
        details = response.json()["error"]["data" if talk.rpc else "details"]
        assert details[0]["metadata"]["requestedVersion"] == said


async def test_patch_numbers_do_not_matter_and_the_query_may_say_the_version(talk: Talk) -> None:
    response = await talk.client.get(f"{ROOT}/tasks?A2A-Version=1.0.1")

    assert response.status_code == 200


async def test_methods_of_1_0_without_a_version_are_refused_with_a_hint(working: Any) -> None:
    body = {"jsonrpc": "2.0", "id": 7, "method": "SendMessage", "params": {"message": message("hi")}}

    rpc = await working.client.post(ROOT, json=body)
    rest = await working.client.post(f"{ROOT}/message:send", json=body["params"])

    assert rpc.json()["error"]["code"] == -32009
    assert rest.status_code == 400
    assert "A2A-Version: 1.0" in rpc.json()["error"]["message"]
    assert "A2A-Version: 1.0" in rest.json()["error"]["message"]


BAD = [
    ({"message": message("x", role="ROLE_AGENT")}, "message.role"),
    ({"message": message("x", messageId=" ")}, "message.messageId"),
    ({"message": message()}, "message.parts"),
    ({"message": message({"text": "a", "url": "https://b"})}, "message.parts[0]"),
    ({"message": message({"filename": "a"})}, "message.parts[0]"),
    ({"message": message({"raw": "€", "mediaType": "text/plain"})}, "message.parts[0]"),
    ({"message": message({"url": "https://nowhere.example.com/x.png", "mediaType": "image/png"})}, "message.parts[0]"),
    ({"message": message("x", contextId="a/b")}, None),
    ({"message": message("x"), "configuration": {"historyLength": -1}}, "historyLength"),
    ({"message": message("x"), "tenant": 5}, "tenant"),
    ({"message": "hello"}, "message"),
    ({}, "request"),
]


@pytest.mark.proves("A09")
@pytest.mark.parametrize(("asked", "field"), BAD, ids=lambda value: str(value)[:40])
async def test_a_bad_message_is_refused_by_the_field_that_does_not_fit(
    talk: Talk, asked: Any, field: str | None
) -> None:
    response = await talk.call("POST", "/message:send", "SendMessage", asked)

    assert talk.fault_in(response) == (-32602 if talk.rpc else 400, "INVALID_PARAMS")
    details = response.json()["error"]["data" if talk.rpc else "details"]
    if field is not None:
        assert details[1]["@type"] == "type.googleapis.com/google.rpc.BadRequest"
        assert details[1]["fieldViolations"][0]["field"] == field


async def test_a_task_and_another_context_do_not_fit(talk: Talk) -> None:
    waiting = await talk.send("ask")
    asked = {"message": message("x", taskId=waiting.id, contextId="other")}

    assert (await talk.fault("POST", "/message:send", "SendMessage", asked))[1] == "INVALID_PARAMS"


@pytest.mark.proves("H04", "A09")
async def test_an_unknown_agent_is_404_and_one_in_the_body_must_be_that_of_the_path(working: Any) -> None:
    for rpc in (True, False):
        unknown = Talk(working.client, rpc=rpc, root=f"{ROOT}/nobody")
        response = await unknown.call("POST", "/message:send", "SendMessage", {"message": message("hi")})
        assert response.status_code == 404
        assert unknown.fault_in(response)[1] == "AGENT_NOT_FOUND"
        second = Talk(working.client, rpc=rpc, root=f"{ROOT}/second")
        mixed = {"message": message("hi"), "tenant": "worker"}
        assert (await second.fault("POST", "/message:send", "SendMessage", mixed))[1] == "INVALID_PARAMS"
        named = await Talk(working.client, rpc=rpc).call(
            "POST", "/message:send", "SendMessage", {"message": message("hi"), "tenant": "second"}
        )
        assert "second heard hi" in named.text


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": {"id": NaN}}', -32700),
        (b"[]", -32600),
        (b'"GetTask"', -32600),
        (b'{"id": 1, "method": "GetTask"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1}', -32600),
        (b'{"jsonrpc": "2.0", "method": "GetTask"}', -32600),
        (b'{"jsonrpc": "2.0", "id": {}, "method": "GetTask"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "Nothing"}', -32601),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "message/send"}', -32601),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": []}', -32602),
    ],
)
async def test_malformed_json_rpc_is_answered_in_json_rpc(working: Any, body: bytes, code: int) -> None:
    response = await working.client.post(ROOT, content=body, headers={**NEW, "content-type": "application/json"})

    assert response.status_code == 200
    answer = response.json()
    assert answer.keys() == {"jsonrpc", "id", "error"}
    assert answer["error"]["code"] == code
    assert answer["id"] in (1, None)


@pytest.mark.proves("A09")
async def test_a_body_that_is_not_json_is_refused(talk: Talk) -> None:
    path = ROOT if talk.rpc else f"{ROOT}/message:send"

    response = await talk.client.post(path, content=b"hi", headers={**NEW, "content-type": "text/plain"})

    assert talk.fault_in(response) == (-32005 if talk.rpc else 400, "CONTENT_TYPE_NOT_SUPPORTED")


async def test_rest_bodies_that_cannot_be_read_are_invalid_requests(working: Any) -> None:
    headers = {**NEW, "content-type": "application/a2a+json"}

    response = await working.client.post(f"{ROOT}/message:send", content=b"{", headers=headers)
    taken = await working.client.post(
        f"{ROOT}/message:send", content=json.dumps({"message": message("hi")}), headers=headers
    )

    assert (response.status_code, response.json()["error"]["details"][0]["reason"]) == (400, "INVALID_REQUEST")
    assert taken.status_code == 200


@pytest.mark.proves("A01")
async def test_who_may_ask_is_found_out_first_and_other_scopes_see_nothing(serve: Serve, gate: Gate) -> None:
    server = await serve(agents=agents(gate), api_tokens={"a": "token-a", "b": "token-b"})
    for rpc in (True, False):
        talk = Talk(server.client, rpc=rpc)
        server.client.headers["authorization"] = "Bearer wrong"
        refused = await talk.call("POST", "/message:send", "SendMessage", {"message": message("hi")})
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        assert talk.fault_in(refused)[1] == "UNAUTHENTICATED"
        server.client.headers["authorization"] = "Bearer token-a"
        task = await talk.send("hi")
        server.client.headers["authorization"] = "Bearer token-b"
        assert (await talk.fault("GET", "/tasks/{id}", "GetTask", {"id": task.id}))[1] == "TASK_NOT_FOUND"
        assert (await talk.list()).total_size == 0
