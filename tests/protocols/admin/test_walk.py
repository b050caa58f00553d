"""The walk of docs/configuration.md: an operator makes an agent, changes it while it answers, and goes back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.protocols.admin.conftest import Desk

from wakeful.providers.scripted import ScriptedProvider, call
from wakeful.sdk.agent import Agent

HELPER = {"id": "helper", "model": "small", "instructions": "Be short.", "tools": ["lo*"]}


def chat(id: str) -> Any:
    message = {"id": id, "role": "user", "parts": [{"type": "text", "text": "Who are you?"}]}
    return {"id": "chat", "messages": [message]}


@pytest.mark.proves("K01", "K02")
async def test_an_operator_makes_changes_breaks_and_restores_an_agent_while_it_answers(desk: Desk) -> None:
    await desk.ask("POST", "/config/models", {"id": "small", "provider": "scripted", "name": "s"})
    looked_at = await desk.ask("POST", "/config/agents/helper/validate", HELPER)
    made = await desk.ask("POST", "/config/agents", HELPER)
    assert looked_at.json() == {"valid": True, "problems": []}
    assert (made.status_code, made.headers["etag"]) == (201, '"2"')

    async with desk.server.stream("POST", "/v1/ai-sdk/agents/helper/runs", json=chat("m1")) as frames:
        text = ""
        async for frame in frames:
            if frame.data and '"text-delta"' in frame.data:
                text += frame.json["delta"]
                if not desk.gate.is_set():
                    change = {"instructions": "Be long."}
                    changed = await desk.ask("PATCH", "/config/agents/helper", change, if_match='"2"')
                    assert changed.json()["version"] == 3
                    desk.gate.set()
    assert text == "I am short."
    [first] = desk.model.requests
    assert (first.instructions, [tool.name for tool in first.tools]) == ("Be short.", ["look"])

    await desk.server.client.post("/v1/ai-sdk/agents/helper/runs", json=chat("m2"))
    assert desk.model.requests[1].instructions == "Be long."

    broken = await desk.ask("PATCH", "/config/agents/helper", {"model": "gone", "tools": ["x"], "delegates": ["y"]})
    assert broken.status_code == 400
    assert [problem["path"] for problem in broken.json()["details"]] == ["model", "tools", "delegates"]
    assert (await desk.ask("GET", "/config/agents/helper")).json()["version"] == 3

    restored = await desk.ask("POST", "/config/agents/helper/restore", {"version": 2}, if_match='"3"')
    log = (await desk.ask("GET", "/audit-log")).json()["items"]
    assert restored.json()["spec"]["instructions"] == "Be short."
    assert [(entry["action"], entry["id"], entry["actor"]) for entry in log] == [
        ("restore", "helper", "ada"),
        ("update", "helper", "ada"),
        ("create", "helper", "ada"),
        ("create", "small", "ada"),
    ]


@pytest.mark.proves("K01")
async def test_work_that_is_handed_on_keeps_the_configuration_of_who_handed_it_on(serve: Any) -> None:
    gate = asyncio.Event()
    model = ScriptedProvider([["Well ", gate, call("helper", {"message": "go"})], ["Helped."], ["Done."], ["Alone."]])
    agents = [
        Agent("boss", model="scripted:any", delegates=["helper"]),
        Agent("helper", model="scripted:any", instructions="old"),
    ]
    server = await serve(agents=agents, providers=[model], admin_token="s3cret")
    desk = Desk(server, model, gate)
    desk.headers = {"authorization": "Bearer s3cret"}

    async with server.stream("POST", "/v1/ai-sdk/agents/boss/runs", json=chat("m1")) as frames:
        async for frame in frames:
            if frame.data and '"text-delta"' in frame.data and not gate.is_set():
                await desk.ask("PATCH", "/config/agents/helper", {"instructions": "new"})
                gate.set()
    await server.client.post("/v1/ai-sdk/agents/helper/runs", json={**chat("m2"), "id": "other"})

    assert [request.instructions for request in model.requests] == ["", "old", "", "new"]
