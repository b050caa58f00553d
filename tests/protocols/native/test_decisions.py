"""Answering a waiting run over HTTP, and what its tools leave in the log."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from wakeful.contracts.errors import ToolError
from wakeful.sdk.agent import Agent
from wakeful.sdk.tool import tool

MESSAGES = "/v1/threads/thread/messages"


async def status(client: Any, run: str) -> tuple[str, str | None]:
    found = (await client.get(f"/v1/runs/{run}")).json()
    return found["status"], found["stop_reason"]


async def ended(client: Any, *runs: str) -> list[tuple[str, str | None]]:
    """How each run ended, waiting for the last: a stream of events ends with its run."""
    for run in runs:
        await client.get(f"/v1/runs/{run}/events/stream")
    return [await status(client, run) for run in runs]


async def asked(server: Any) -> str:
    """The interrupt id of a run `r` that waits for an approval."""
    events = await server.run("email bob@example.com hi", run="r")
    return events[-1]["interrupts"][0]["id"]


@pytest.mark.proves("R10")
@pytest.mark.parametrize("field", ["interrupt_id", "interruptId", "tool_call_id", "toolCallId", "target"])
async def test_an_approval_lets_the_tool_run_once(server: Any, field: str):
    interrupt = await asked(server)
    (shown,) = (await server.client.get("/v1/threads/thread/runs/active")).json()["interrupts"]
    target = shown["call_id"] if "all" in field else interrupt

    response = await server.client.post("/v1/runs/r/decision", json={field: target, "approved": True})

    endings = await ended(server.client, "r")
    events = (await server.client.get("/v1/runs/r/events?limit=200")).json()["items"]
    assert response.status_code == 202
    assert response.json() == {
        "status": "decision_submitted",
        "run_id": "r",
        "run_status": response.json()["run_status"],
        "accepted": [interrupt],
        "already": [],
        "resumed": True,
    }
    assert endings == [("completed", "answered")]
    assert [event["status"] for event in events if event["type"] == "tool_call_finished"] == ["succeeded"]
    assert [event["type"] for event in events].count("tool_call_started") == 1


async def test_a_refusal_denies_the_call_with_its_reason(server: Any):
    interrupt = await asked(server)

    await server.client.post(
        "/v1/runs/r/decision", json={"interrupt_id": interrupt, "approved": False, "reason": "no spam"}
    )

    endings = await ended(server.client, "r")
    result = (await server.client.get(MESSAGES)).json()["messages"][2]["parts"][0]
    assert endings == [("completed", "answered")]
    assert result["status"] == "denied"
    assert "no spam" in result["output"]


@pytest.mark.proves("R10")
@pytest.mark.parametrize(
    "answer", [{}, {"approved": None}, {"approved": "true"}, {"approved": 1}, {"approved": "yes"}, {"action": "resume"}]
)
async def test_anything_but_true_or_false_is_400_and_approves_nothing(server: Any, answer: dict[str, Any]):
    interrupt = await asked(server)

    response = await server.client.post("/v1/runs/r/decision", json={"interrupt_id": interrupt, **answer})

    assert response.status_code == 400
    assert await status(server.client, "r") == ("waiting", None)


@pytest.mark.proves("R10")
async def test_a_decision_about_nothing_is_404_and_one_that_comes_late_409(server: Any):
    interrupt = await asked(server)
    answer = {"interrupt_id": interrupt, "approved": True}

    wrong = await server.client.post("/v1/runs/r/decision", json={**answer, "interrupt_id": "other"})
    await server.client.post("/v1/runs/r/decision", json=answer)
    await ended(server.client, "r")
    again = await server.client.post("/v1/runs/r/decision", json=answer)
    changed = await server.client.post("/v1/runs/r/decision", json={**answer, "approved": False})

    assert wrong.status_code == 404
    assert again.json()["already"] == [interrupt]
    assert changed.status_code == 409


async def test_a_run_that_never_asked_refuses_decisions(server: Any):
    await server.run("hello", run="r")

    response = await server.client.post("/v1/runs/r/decision", json={"target": "x", "approved": True})

    assert response.status_code in (404, 409)


@pytest.mark.proves("R17")
async def test_new_text_while_a_run_waits_supersedes_it(server: Any):
    await asked(server)

    events = await server.run("never mind", run="next")

    messages = (await server.client.get(MESSAGES)).json()["messages"]
    assert events[-1]["outcome"] == "completed"
    assert await status(server.client, "r") == ("cancelled", "superseded")
    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "user", "assistant"]
    assert messages[2]["parts"][0]["status"] == "cancelled"


async def test_what_a_tool_reports_and_how_it_fails_is_in_the_log(serve: Any):
    @tool
    def explode() -> str:
        """Fails."""
        raise ToolError("out of paint")

    server = await serve(agents=[Agent("assistant", model="demo:offline", tools=[explode])])

    events = await server.run("use explode {}")

    (finished,) = [event for event in events if event["type"] == "tool_call_finished"]
    assert (finished["status"], finished["output"]) == ("failed", "out of paint")
    assert events[-1]["outcome"] == "completed"


async def test_a_stream_of_events_stays_open_while_its_run_waits(server: Any):
    interrupt = await asked(server)

    async with asyncio.timeout(5), server.stream("GET", "/v1/runs/r/events/stream") as frames:
        async for frame in frames:
            if frame.data and frame.json["type"] == "run_waiting":
                answer = {"interrupt_id": interrupt, "approved": True}
                await server.client.post("/v1/runs/r/decision", json=answer)
            last = frame

    assert last.json["type"] == "run_finished"
