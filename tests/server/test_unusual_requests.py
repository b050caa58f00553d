"""Requests at the edge of what is allowed, each with what it leaves behind."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

AI_SDK = "/v1/ai-sdk/agents/assistant/runs"
FITTING = {"/v1/runs": {}, AI_SDK: {"id": "t"}, "/v1/ag-ui/run": {"threadId": "t", "runId": "r"}}
JSON = {"content-type": "application/json"}
HELLO = [{"id": "m1", "role": "user", "content": "hello"}]


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "application/vnd.x+json"])
async def test_every_spelling_of_json_is_accepted(client: Any, kind: str):
    response = await client.post("/v1/threads", content="{}", headers={"content-type": kind})

    assert response.status_code == 201


@pytest.mark.parametrize("path", [*FITTING, "/v1/threads"])
@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
async def test_a_body_over_the_limit_is_413(serve: Any, path: str, chunked: bool):
    server = await serve(max_body_bytes=1024)
    text = json.dumps({**FITTING.get(path, {}), "messages": [{"role": "user", "content": "x" * 4000}]}).encode()

    async def chunks() -> Any:
        for start in range(0, len(text), 500):
            yield text[start : start + 500]

    response = await server.client.post(path, content=chunks() if chunked else text, headers=JSON)

    assert response.status_code == 413
    assert response.json()["code"] == "payload_too_large"
    assert "1024" in response.json()["error"]
    assert await server.held() == (0, 0, 0)


@pytest.mark.parametrize("name", ["target", "output"])
async def test_a_hostile_decision_is_400(server: Any, name: str):
    await server.run("email bob@example.com hi", run="r")
    nested = b"[" * 300 + b"]" * 300
    body = b'{"target":"x","output":%b}' % nested if name == "output" else b'{"target":"\\ud800","approved":true}'

    response = await server.client.post("/v1/runs/r/decision", content=body, headers=JSON)

    assert response.status_code in (400, 404)


@pytest.mark.parametrize("value", ["[" * 300 + "]" * 300, '{"a":1e999}', '"\\ud800"'])
async def test_custom_fields_that_could_not_be_shown_again_are_400(client: Any, value: str):
    thread = (await client.post("/v1/threads", json={})).json()["id"]

    response = await client.patch(f"/v1/threads/{thread}", content=f'{{"custom":{{"x":{value}}}}}', headers=JSON)

    assert response.status_code == 400
    assert (await client.get(f"/v1/threads/{thread}")).json()["custom"] == {}


@pytest.mark.parametrize("value", ["9" * 40, "-" + "9" * 40, '"\\u0000"', '"🦉"', "[" * 90 + "]" * 90])
async def test_custom_fields_come_back_as_they_were_sent(client: Any, value: str):
    thread = (await client.post("/v1/threads", json={})).json()["id"]

    await client.patch(f"/v1/threads/{thread}", content=f'{{"custom":{{"x":{value}}}}}', headers=JSON)

    assert (await client.get(f"/v1/threads/{thread}")).json()["custom"] == {"x": json.loads(value)}


async def test_of_duplicate_keys_the_last_counts(client: Any):
    response = await client.post("/v1/threads", content='{"id":"first","id":"second"}', headers=JSON)

    assert response.json()["id"] == "second"


@pytest.mark.parametrize("id", ["🦉", "a b", "50%", "%2F", "ünï", "x" * 200, "a?b#c", "..."])
async def test_unusual_ids_work_everywhere(client: Any, id: str):
    body = {"id": id, "runId": id, "messages": HELLO}

    answer = await client.post(AI_SDK, json=body)
    run = await client.get(f"/v1/runs/{quote(id, safe='')}")
    messages = await client.get(f"/v1/threads/{quote(id, safe='')}/messages")

    assert answer.status_code == 200
    assert run.json()["run_id"] == run.json()["thread_id"] == id
    assert len(messages.json()["messages"]) == 2
