"""A server that was asked to stop and still answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from wakeful.contracts.event import TextDelta
from wakeful.providers.scripted import ScriptedProvider, call
from wakeful.sdk.agent import Agent
from wakeful.sdk.tool import tool

MESSAGES = "/v1/threads/thread/messages"


@tool(effect="pure")
async def note() -> str:
    """Take a note."""
    return "noted"


@pytest.mark.proves("R22", "H01")
async def test_it_is_unhealthy_finishes_the_step_and_takes_requests_for_the_next_process(serve: Any):
    gate = asyncio.Event()
    model = ScriptedProvider([[TextDelta("Well"), gate, call("note")], "Fine"])
    server = await serve(agents=[Agent("assistant", model="scripted:any", tools=[note])], providers=[model])
    await server.client.post("/v1/threads", json={"id": "thread"})
    await server.client.post(MESSAGES, json={"run_id": "r", "messages": [{"content": "go"}]})
    async with server.stream("GET", "/v1/runs/r/events/stream") as frames:
        async for frame in frames:
            if frame.data and frame.json["type"] == "text_delta":
                server.runtime.inner.begin_drain()
                health = await server.client.get("/health")
                live = await server.client.get("/health/live")
                late = await server.client.post(MESSAGES, json={"run_id": "late", "messages": [{"content": "more"}]})
                waiting = (await server.client.get("/v1/threads/thread/mailbox")).json()["items"]
                gate.set()
                break
        rest = [frame async for frame in frames]

    components = {"store": "ok", "runtime": "ok", "shutdown": "draining"}
    assert (health.status_code, health.json()) == (503, {"status": "unhealthy", "components": components})
    assert live.status_code == 200
    assert (late.status_code, late.json()["effect"]) == (202, "queued")
    assert [item["run_id"] for item in waiting] == ["late"]
    assert [frame.json["type"] for frame in rest if frame.data][-1] == "step_finished"
    assert rest[-1].retry == 1000
    assert len(model.requests) == 1


async def test_a_queued_run_that_is_watched_is_told_to_come_back(serve: Any):
    gate = asyncio.Event()
    model = ScriptedProvider([[TextDelta("Well"), gate]])
    server = await serve(agents=[Agent("assistant", model="scripted:any")], providers=[model])
    await server.client.post("/v1/threads", json={"id": "thread"})
    await server.client.post(MESSAGES, json={"run_id": "r", "messages": [{"content": "go"}]})
    await server.client.post(MESSAGES, json={"run_id": "late", "messages": [{"content": "more"}]})

    async with server.stream("GET", "/v1/runs/late/events/stream") as frames:
        shown = [await anext(frames)]
        server.runtime.inner.cut_off()
        shown += [frame async for frame in frames]

    assert shown[-1].retry == 1000
    assert model.requests[1:] == []
