"""Runs: starting, finding and watching them, one after another and at the same time."""

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import Any

import pytest

from wakeful.contracts.usage import Usage
from wakeful.protocols.native.encode import usage_view

SLOW = "count to 40 every 50 ms"


def message(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


async def runs(client: Any, query: str) -> list[str]:
    response = await client.get(f"/v1/runs?{query}")
    assert response.status_code == 200, response.text
    return [run["run_id"] for run in response.json()["items"]]


@pytest.mark.proves("R01", "R03", "E01")
async def test_a_run_streams_its_steps_from_acceptance_to_end(server: Any):
    events = await server.run("weather in Paris", run="r")

    types = [event["type"] for event in events]
    run = (await server.client.get("/v1/runs/r")).json()
    assert types[0] == "run_accepted"
    assert types[-1] == "run_finished"
    assert types.count("run_finished") == 1
    assert types.count("step_started") == types.count("model_call_finished") == types.count("step_finished") == 2
    assert (run["status"], run["stop_reason"], run["steps"], run["origin"]) == ("completed", "answered", 2, "native")
    assert run["usage"]["output_tokens"] > 0
    assert run["attempt"] == 1
    assert run["created_at"] <= run["started_at"] <= run["finished_at"]


def test_what_a_run_cost_is_shown_in_dollars():
    assert usage_view(Usage(1, 2, cost=1_500_000)).cost_usd == 1.5


@pytest.mark.proves("R02")
@pytest.mark.parametrize("spelling", ["thread_id", "threadId", "context_id", "contextId"])
async def test_every_event_names_its_run_and_thread(server: Any, sse: Any, spelling: str):
    body = {spelling: "mine", "agentId": "assistant", "runId": "r", "messages": message("hello")}

    response = await server.client.post("/v1/runs", json=body)

    events = [frame.json for frame in sse(response.text) if frame.data]
    assert {(event["thread_id"], event["run_id"]) for event in events} == {("mine", "r")}
    assert response.headers["x-wakeful-run-id"] == "r"
    assert response.headers["x-wakeful-thread-id"] == "mine"


@pytest.mark.proves("R02", "R14")
async def test_ids_and_agent_are_chosen_when_left_out(server: Any, sse: Any):
    response = await server.client.post("/v1/runs", json={"messages": message("hello")})

    first = next(frame.json for frame in sse(response.text) if frame.data)
    assert first["agent_id"] == "assistant"
    assert (await server.client.get(f"/v1/threads/{first['thread_id']}")).status_code == 200
    assert response.headers["x-wakeful-run-id"] == first["run_id"]


@pytest.mark.proves("R04")
async def test_runs_on_one_thread_follow_each_other(server: Any):
    for number in (1, 2, 3):
        await server.run(f"turn {number}", run=f"r{number}")

    assert await runs(server.client, "thread_id=thread") == ["r3", "r2", "r1"]
    messages = (await server.client.get("/v1/threads/thread/messages")).json()["messages"]
    assert [item["run_id"] for item in messages] == ["r1", "r1", "r2", "r2", "r3", "r3"]


@pytest.mark.proves("R05")
async def test_requests_that_arrive_together_are_answered_one_after_the_other(server: Any):
    async def submit(number: int) -> int:
        body = {"thread_id": "thread", "run_id": f"r{number}", "messages": message(f"count to {number}")}
        return (await server.client.post("/v1/runs", json=body)).status_code

    statuses = await asyncio.gather(*(submit(number) for number in range(1, 9)))

    items = (await server.client.get("/v1/runs?thread_id=thread")).json()["items"]
    messages = (await server.client.get("/v1/threads/thread/messages")).json()["messages"]
    spoken = [item["run_id"] for item in messages]
    assert set(statuses) <= {200, 409}
    assert 200 in statuses
    assert {item["status"] for item in items} <= {"completed", "cancelled"}
    # Messages of one run stand together: nothing of another came between.
    assert len(list(groupby(spoken))) == len(set(spoken))


@pytest.mark.proves("R06")
async def test_the_list_filters(server: Any):
    await server.run("hello", thread="a", run="r1")
    await server.run("email bob@example.com hi", thread="b", run="r2")
    body = {"id": "c", "runId": "r3", "messages": [{"role": "user", "content": "fail"}]}
    await server.client.post("/v1/ai-sdk/chat", json=body)
    child = {"thread_id": "d", "run_id": "r4", "parent_run_id": "r1", "messages": message("hello")}
    await server.client.post("/v1/runs", json=child)
    at = {run["run_id"]: run for run in (await server.client.get("/v1/runs")).json()["items"]}

    assert await runs(server.client, "") == ["r4", "r3", "r2", "r1"]
    assert await runs(server.client, "status=waiting") == ["r2"]
    assert await runs(server.client, "status=failed") == ["r3"]
    assert await runs(server.client, "thread_id=a") == await runs(server.client, "threadId=a") == ["r1"]
    assert await runs(server.client, "origin=ai_sdk") == ["r3"]
    assert await runs(server.client, "agent_id=nobody") == []
    assert await runs(server.client, "parent_run_id=r1") == ["r4"]
    assert await runs(server.client, "agent_id=&origin=%20") == ["r4", "r3", "r2", "r1"]
    assert "r2" in await runs(server.client, f"created_at_from={at['r2']['created_at']}")
    assert "r2" in await runs(server.client, f"created_at_to={at['r2']['created_at']}")
    assert await runs(server.client, f"created_at_from={at['r4']['created_at'] + 1}") == []
    assert await runs(server.client, f"updated_at_to={at['r1']['created_at'] - 1}") == []


async def test_cursors_walk_all_runs_once(server: Any):
    for number in range(5):
        await server.run("hello", run=f"r{number}")

    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await server.client.get(f"/v1/threads/thread/runs?limit=2&cursor={cursor}")).json()
        found += [run["run_id"] for run in page["items"]]
        cursor = page["next_cursor"]

    assert found == ["r4", "r3", "r2", "r1", "r0"]
    assert await runs(server.client, "offset=3") == ["r1", "r0"]


async def test_a_failed_run_says_why(server: Any):
    events = await server.run("fail", run="r")

    run = (await server.client.get("/v1/runs/r")).json()
    assert run["status"] == "failed"
    assert run["error"] == events[-1]["error"]
    assert run["error"]["code"] == "model_request_invalid"


@pytest.mark.proves("R07")
async def test_an_idle_thread_has_no_active_run_and_an_empty_one_no_latest(server: Any):
    thread = (await server.client.post("/v1/threads", json={})).json()["id"]

    active = await server.client.get(f"/v1/threads/{thread}/runs/active")
    latest = await server.client.get(f"/v1/threads/{thread}/runs/latest")
    await server.run("hello", thread=thread, run="r")

    assert active.json() == {"active_run": None, "interrupts": []}
    assert latest.status_code == 404
    assert (await server.client.get(f"/v1/threads/{thread}/runs/active")).json()["active_run"] is None
    assert (await server.client.get(f"/v1/threads/{thread}/runs/latest")).json()["run_id"] == "r"


@pytest.mark.proves("R07")
async def test_the_active_run_shows_what_it_waits_for(server: Any):
    events = await server.run("email bob@example.com hi", run="r")

    active = (await server.client.get("/v1/threads/thread/runs/active")).json()

    (interrupt,) = active["interrupts"]
    assert active["active_run"]["status"] == "waiting"
    assert (interrupt["kind"], interrupt["tool"]) == ("approval", "send_email")
    assert interrupt == events[-1]["interrupts"][0]


async def test_the_same_request_under_one_run_id_is_the_same_run(server: Any):
    first = await server.run("hello", run="r")

    again = await server.run("hello", run="r")
    other = await server.client.post(
        "/v1/runs", json={"agent_id": "assistant", "thread_id": "thread", "run_id": "r", "messages": message("bye")}
    )
    elsewhere = await server.client.post(
        "/v1/runs", json={"agent_id": "assistant", "thread_id": "other", "run_id": "r", "messages": message("hello")}
    )

    assert again == first
    assert (other.status_code, elsewhere.status_code) == (409, 409)
    assert await server.held() == (1, 1, 2)


async def test_an_idempotency_key_makes_a_repeated_request_the_same_run(server: Any):
    body = {"thread_id": "thread", "messages": message("hello")}
    headers = {"idempotency-key": "k1"}

    first = await server.client.post("/v1/runs", json=body, headers=headers)
    again = await server.client.post("/v1/runs", json=body, headers=headers)
    other = await server.client.post("/v1/runs", json={**body, "messages": message("bye")}, headers=headers)
    blank = await server.client.post("/v1/runs", json=body, headers={"idempotency-key": ""})

    assert again.headers["x-wakeful-run-id"] == first.headers["x-wakeful-run-id"]
    assert again.text == first.text
    assert (other.status_code, blank.status_code) == (409, 400)
    assert await server.held() == (1, 1, 2)


async def test_ids_that_fit_no_header_are_left_out_of_it(server: Any):
    response = await server.client.post("/v1/runs", json={"run_id": "🦉", "messages": message("hello")})

    assert response.status_code == 200
    assert "x-wakeful-run-id" not in response.headers
