"""The walk of docs/configuration.md: an operator makes an agent, changes it while it answers, and goes back."""

from __future__ import annotations

from tests.protocols.admin.conftest import Desk


async def test_an_operator_makes_changes_breaks_and_restores_an_agent_while_it_answers(desk: Desk) -> None:
    gate = asyncio.Event()
    play(desk, ["I am ", gate, "short."], ["I am long."])

    assert (
        await desk.ask("POST", "/config/models", {"id": "small", "provider": "scripted", "name": "s"})
    ).status_code == 201
    helper = {"id": "helper", "model": "small", "instructions": "Be short.", "tools": ["lo*"]}
    assert (await desk.ask("POST", "/config/agents/helper/validate", helper)).json() == {"valid": True, "problems": []}
    made = await desk.ask("POST", "/config/agents", helper)
    assert (made.status_code, made.headers["etag"]) == (201, '"2"')
    body = {
        "id": "chat",
        "messages": [{"id": "m", "role": "user", "parts": [{"type": "text", "text": "Who are you?"}]}],
    }
    async with desk.server.stream("POST", "/v1/ai-sdk/agents/helper/runs", json=body) as frames:
        text = ""
        async for frame in frames:
            if frame.data and '"text-delta"' in frame.data:
                text += frame.json["delta"]
                if not desk.gate.is_set():
                    changed = await desk.ask(
                        "PATCH", "/config/agents/helper", {"instructions": "Be long."}, if_match='"2"'
                    )
                    assert changed.json()["version"] == 3
                    desk.gate.set()
    assert text == "I am short."
    [first] = desk.model.requests
    assert first.instructions == "Be short."
    assert [tool.name for tool in first.tools] == ["look"]

    question["id"] = "m2"
    assert (await desk.server.client.post("/v1/ai-sdk/agents/helper/runs", json=body)).status_code == 200
    assert desk.model.requests[1].instructions == "Be long."

    broken = await desk.ask("PATCH", "/config/agents/helper", {"model": "gone", "tools": ["x"], "delegates": ["y"]})
    assert broken.status_code == 400
    assert [(problem["path"], problem["id"]) for problem in broken.json()["details"]] == [
        ("model", "helper"),
        ("tools", "helper"),
        ("delegates", "helper"),
    ]
    assert (await desk.ask("GET", "/config/agents/helper")).json()["version"] == 3

    restored = await desk.ask("POST", "/config/agents/helper/restore", {"version": 2}, if_match='"3"')
    assert restored.json()["spec"]["instructions"] == "Be short."
    log = (await desk.ask("GET", "/audit-log", None)).json()["items"]
    assert [(entry["action"], entry["id"], entry["actor"]) for entry in log] == [
        ("restore", "helper", "ada"),
        ("update", "helper", "ada"),
        ("create", "helper", "ada"),
        ("create", "small", "ada"),
    ]
