"""Steering runs: background requests and their order, interrupting, cancelling."""

from __future__ import annotations

from typing import Any

import pytest

SLOW = "count to 40 every 50 ms"
MESSAGES = "/v1/threads/thread/messages"


def post(text: str, **fields: Any) -> dict[str, Any]:
    return {"messages": [{"content": text}], **fields}


async def status(client: Any, run: str) -> tuple[str, str | None]:
    found = (await client.get(f"/v1/runs/{run}")).json()
    return found["status"], found["stop_reason"]


async def ended(client: Any, *runs: str) -> list[tuple[str, str | None]]:
    """How each run ended, waiting for the last: a stream of events ends with its run."""
    for run in runs:
        await client.get(f"/v1/runs/{run}/events/stream")
    return [await status(client, run) for run in runs]


@pytest.fixture
async def busy(server: Any) -> Any:
    """A server whose thread answers slowly, under run id `slow`; its first delta was seen."""
    await server.client.post("/v1/threads", json={"id": "thread"})
    await server.client.post(MESSAGES, json=post(SLOW, run_id="slow"))
    async with server.stream("GET", "/v1/runs/slow/events/stream") as frames:
        async for frame in frames:
            if frame.data and frame.json["type"] == "text_delta":
                break
    yield server
    await server.client.post("/v1/runs/slow/cancel")


# -- in the background


async def test_a_background_request_is_accepted_with_its_run_id(server: Any):
    await server.client.post("/v1/threads", json={"id": "thread"})

    response = await server.client.post(MESSAGES, json=post("hello", agentId="assistant"))

    body = response.json()
    assert response.status_code == 202
    assert body == {
        "status": "accepted",
        "effect": "started",
        "run_id": body["run_id"],
        "dispatch_id": body["dispatch_id"],
        "thread_id": "thread",
    }
    assert await ended(server.client, body["run_id"]) == [("completed", "answered")]


async def test_a_background_request_with_a_known_idempotency_key_is_the_same_run(server: Any):
    await server.client.post("/v1/threads", json={"id": "thread"})
    headers = {"idempotency-key": "k"}

    first = await server.client.post(MESSAGES, json=post("hello"), headers=headers)
    again = await server.client.post(MESSAGES, json=post("hello"), headers=headers)
    other = await server.client.post(MESSAGES, json=post("bye"), headers=headers)

    assert again.json() == {**first.json(), "effect": "replayed"}
    assert other.status_code == 409


@pytest.mark.proves("R12")
async def test_queued_requests_are_answered_in_order(busy: Any):
    accepted = [await busy.client.post(MESSAGES, json=post(f"say {run}", run_id=run)) for run in ("q1", "q2", "q3")]
    during = [await status(busy.client, run) for run in ("slow", "q1", "q2", "q3")]
    await busy.client.post("/v1/runs/slow/cancel")
    endings = await ended(busy.client, "q1", "q2", "q3")

    messages = (await busy.client.get(MESSAGES)).json()["messages"]
    assert [response.json()["effect"] for response in accepted] == ["queued"] * 3
    assert during == [("running", None)] + [("queued", None)] * 3
    assert endings == [("completed", "answered")] * 3
    assert [item["run_id"] for item in messages] == ["slow", "slow", "q1", "q1", "q2", "q2", "q3", "q3"]


@pytest.mark.proves("R12")
@pytest.mark.parametrize("mode", ["interrupt", "interrupt_then_queue"])
async def test_interrupting_ends_what_the_thread_does_and_runs(busy: Any, mode: str):
    await busy.client.post(MESSAGES, json=post("later", run_id="queued"))

    response = await busy.client.post(MESSAGES, json=post("now", run_id="urgent", mode=mode))

    endings = await ended(busy.client, "slow", "queued", "urgent")
    assert response.status_code == 202
    assert endings == [("cancelled", "superseded"), ("cancelled", "superseded"), ("completed", "answered")]


async def test_an_unknown_mode_is_400(busy: Any):
    assert (await busy.client.post(MESSAGES, json=post("hello", mode="shout"))).status_code == 400


async def test_a_foreground_request_supersedes_what_the_thread_does(busy: Any):
    events = await busy.run("hello", run="next")

    assert events[-1]["outcome"] == "completed"
    assert await ended(busy.client, "slow") == [("cancelled", "superseded")]


# -- cancelling


@pytest.mark.proves("R08")
async def test_cancelling_keeps_the_partial_text(busy: Any):
    response = await busy.client.post("/v1/runs/slow/cancel")

    events = (await busy.client.get("/v1/runs/slow/events/stream")).text
    (part,) = (await busy.client.get(MESSAGES)).json()["messages"][-1]["parts"]
    assert response.status_code == 202
    assert response.json()["status"] == "cancel_requested"
    assert '"outcome":"cancelled"' in events.rsplit("data: ", 1)[1]
    assert part["interrupted"] is True
    assert part["text"].startswith("1")


@pytest.mark.proves("R08")
async def test_cancelling_a_queued_run_leaves_the_running_one_alone(busy: Any):
    await busy.client.post(MESSAGES, json=post("later", run_id="queued"))

    response = await busy.client.post("/v1/runs/queued/cancel")

    assert response.json() == {"status": "cancel_requested", "run_id": "queued", "run_status": "cancelled"}
    assert await ended(busy.client, "queued") == [("cancelled", "cancelled")]
    assert await status(busy.client, "slow") == ("running", None)


async def test_cancelling_a_finished_run_says_that_it_was_finished(server: Any):
    await server.run("hello", run="r")

    response = await server.client.post("/v1/runs/r/cancel")

    assert response.status_code == 202
    assert response.json() == {"status": "already_finished", "run_id": "r", "run_status": "completed"}


async def test_cancelling_a_waiting_run_answers_its_open_calls(server: Any):
    await server.run("email bob@example.com hi", run="r")

    response = await server.client.post("/v1/runs/r/cancel")

    result = (await server.client.get(MESSAGES)).json()["messages"][-1]["parts"][0]
    assert response.json()["run_status"] == "cancelled"
    assert (result["type"], result["status"]) == ("tool_result", "cancelled")


@pytest.mark.parametrize(
    ("path", "body", "endings"),
    [
        ("/v1/runs", {"thread_id": "thread", "run_id": "r", "messages": [{"content": SLOW}]}, ['"run_finished"']),
        (
            "/v1/ai-sdk/agents/assistant/runs",
            {"id": "thread", "runId": "r", "messages": [{"role": "user", "content": SLOW}]},
            ['"type":"abort"', "[DONE]"],
        ),
        (
            "/v1/ag-ui/agents/assistant/runs",
            {"threadId": "thread", "runId": "r", "messages": [{"id": "m", "role": "user", "content": SLOW}]},
            ['"type":"RUN_ERROR"'],
        ),
    ],
    ids=["native", "ai-sdk", "ag-ui"],
)
@pytest.mark.proves("S09", "G06")
async def test_a_cancelled_stream_ends_as_its_protocol_says(
    server: Any, path: str, body: dict[str, Any], endings: list[str]
):
    shown: list[Any] = []
    async with server.stream("POST", path, json=body) as frames:
        async for frame in frames:
            shown.append(frame)
            if len(shown) == 8:
                await server.client.post("/v1/runs/r/cancel")

    last = [frame.data for frame in shown if frame.data][-len(endings) :]
    assert len(shown) < 40
    for found, expected in zip(last, endings, strict=True):
        assert expected in found
    if path.startswith("/v1/ag-ui"):
        assert '"code":"CANCELLED"' in last[0]
