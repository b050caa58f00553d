"""What the specification says of every request and answer, judged as a conformance kit would: over both bindings."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from a2a.client import ClientConfig, ClientFactory
from a2a.client.client import Client
from a2a.types import a2a_pb2 as pb
from a2a.utils.errors import A2A_ERROR_MAPPING
from tests.protocols.a2a.talking import NEW, ROOT, Talk, message, payloads, state

from wakeful.protocols.a2a import faults

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
TABLE = [row for row in vars(faults).values() if isinstance(row, faults.Row) and row is not faults.TOO_LARGE]
ROWS = {row.reason: row for row in TABLE}
WAYS = {
    "JSON-RPC 1.0": ("JSONRPC", "1.0"),
    "HTTP+JSON 1.0": ("HTTP+JSON", "1.0"),
    "JSON-RPC 0.3": ("JSONRPC", "0.3"),
    "HTTP+JSON 0.3": ("HTTP+JSON", "0.3"),
}


def answered(fault: faults.Fault, binding: str, version: str) -> Any:
    if binding == "JSONRPC":
        return faults.rpc_answer(fault, 7)
    return faults.rest_answer(fault) if version == "1.0" else faults.legacy_answer(fault)


def hearing(answer: Any, binding: str, version: str) -> Client:
    """The SDK's client of a server that always gives this answer."""

    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(answer.status_code, content=answer.body, headers=dict(answer.headers))

    place = pb.AgentInterface(url="http://a", protocol_binding=binding, protocol_version=version)
    http = httpx.AsyncClient(transport=httpx.MockTransport(respond))
    config = ClientConfig(httpx_client=http, supported_protocol_bindings=[binding])
    return ClientFactory(config).create(pb.AgentCard(supported_interfaces=[place]))


@pytest.mark.proves("A09")
@pytest.mark.parametrize(("binding", "version"), WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("kind", A2A_ERROR_MAPPING, ids=lambda kind: kind.__name__)
async def test_each_row_of_the_table_is_the_sdks_own_error_over_each_binding(
    kind: type[Exception], binding: str, version: str
) -> None:
    fault = faults.Fault(ROWS[A2A_ERROR_MAPPING[kind].reason], "the words")

    client = hearing(answered(fault, binding, version), binding, version)

    with pytest.raises(kind, match="the words"):
        await client.get_task(pb.GetTaskRequest(id="t"))


async def test_extensions_nobody_here_knows_are_not_used(talk: Talk) -> None:
    talk.client.headers["A2A-Extensions"] = "https://example.com/a, https://example.com/b"

    response = await talk.call("GET", "/tasks", "ListTasks", {})
    task = await talk.send("hello", extensions=["https://example.com/a"])

    assert response.status_code == 200
    assert "a2a-extensions" not in response.headers, "that would say they are"
    assert state(task) == "COMPLETED"


async def test_fields_nobody_here_knows_are_not_looked_at(talk: Talk) -> None:
    part = {"text": "hello", "newField": 1}

    task = await talk.send(part, newField={"a": [1]}, configuration={"historyLength": 1, "newField": True})
    listed = await talk.list(newField="x")

    assert state(task) == "COMPLETED"
    assert listed.total_size == 1


async def test_enums_may_be_numbers_as_protojson_says(talk: Talk) -> None:
    task = await talk.send("hello", role=1)
    await talk.send("ask")

    found = await talk.list(status=pb.TASK_STATE_COMPLETED)
    waiting = await talk.list(status=str(pb.TASK_STATE_INPUT_REQUIRED))

    assert [one.id for one in found.tasks] == [task.id]
    assert waiting.total_size == 1
    assert (await talk.list(status=0)).total_size == 2
    assert (await talk.fault("GET", "/tasks", "ListTasks", {"status": 99}))[1] == "INVALID_PARAMS"
    agents = {"message": message("x", role=2)}
    assert (await talk.fault("POST", "/message:send", "SendMessage", agents))[1] == "INVALID_PARAMS"


MISSING = {
    "GetTask": ["id"],
    "CancelTask": ["id"],
    "SubscribeToTask": ["id"],
    "CreateTaskPushNotificationConfig": ["taskId", "url"],
    "GetTaskPushNotificationConfig": ["taskId", "id"],
    "ListTaskPushNotificationConfigs": ["taskId"],
    "DeleteTaskPushNotificationConfig": ["taskId", "id"],
}


@pytest.mark.parametrize(("method", "fields"), MISSING.items())
async def test_each_field_that_must_be_there_and_is_not_is_named(working: Any, method: str, fields: list[str]) -> None:
    talk = Talk(working.client, rpc=True)

    response = await talk.call("POST", "", method, {fields[0]: "", "tenant": "worker"})

    assert talk.fault_in(response) == (-32602, "INVALID_PARAMS")
    violations = response.json()["error"]["data"][1]["fieldViolations"]
    assert [violation["field"] for violation in violations] == fields


@pytest.mark.parametrize(("length", "shown"), [(None, 3), (0, 0), (1, 1), (2, 2), (9, 3)])
async def test_the_newest_of_the_history_are_shown_wherever_a_task_is(
    talk: Talk, length: int | None, shown: int
) -> None:
    waiting = await talk.send("ask")
    asked: dict[str, Any] = {} if length is None else {"historyLength": length}
    sent = message("Bern", taskId=waiting.id)
    brought = [await talk.send("Bern", taskId=waiting.id, messageId=sent["messageId"], configuration=asked or None)]

    brought.append(await talk.get(waiting.id, **asked))
    brought += (await talk.list(**asked)).tasks
    brought += (await talk.list(includeArtifacts="true", **asked)).tasks

    expected = ["ask", "Which city?", "Bern"][3 - shown :]
    for task in brought:
        assert [one.parts[0].text for one in task.history] == expected


async def test_a_stream_shows_as_much_history_as_was_asked_for(talk: Talk) -> None:
    for length, shown in ((0, 0), (1, 1)):
        asked = {"message": message("hello"), "configuration": {"historyLength": length}}
        response = await talk.call("POST", "/message:stream", "SendStreamingMessage", asked)

        assert len(talk.read(response.text)[0].task.history) == shown


async def test_returning_at_once_means_nothing_for_a_stream(talk: Talk) -> None:
    asked = {"message": message("hello"), "configuration": {"returnImmediately": True}}

    response = await talk.call("POST", "/message:stream", "SendStreamingMessage", asked)

    assert state(talk.read(response.text)[-1].status_update) == "COMPLETED"


async def test_what_is_not_there_is_left_out_and_times_are_utc_with_milliseconds(working: Any) -> None:
    rest = Talk(working.client, rpc=False)
    stream = await rest.call("POST", "/message:stream", "", {"message": message("report")})
    listed = (await working.client.get(f"{ROOT}/tasks", headers=NEW)).json()
    whole = (await working.client.get(f"{ROOT}/tasks?includeArtifacts=true", headers=NEW)).json()

    assert "artifacts" not in listed["tasks"][0]
    assert [artifact["name"] for artifact in whole["tasks"][0]["artifacts"]] == ["response", "Report"]
    streamed = payloads(stream.text)
    statuses = [one["statusUpdate"]["status"] for one in streamed if "statusUpdate" in one]
    for status in (streamed[0]["task"]["status"], *statuses, listed["tasks"][0]["status"]):
        assert TIMESTAMP.fullmatch(status["timestamp"])
    assert "null" not in stream.text


@pytest.mark.parametrize("clock", ["00:00:00Z", "00:00:00.123456789Z", "00:00:00+01:00"])
async def test_times_are_understood_in_any_form_of_rfc_3339(talk: Talk, clock: str) -> None:
    await talk.send("hello")

    assert (await talk.list(statusTimestampAfter=f"2999-01-01T{clock}")).total_size == 0
    assert (await talk.list(statusTimestampAfter=f"1999-01-01T{clock}")).total_size == 1
