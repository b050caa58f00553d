from __future__ import annotations

from typing import Any

import pytest
from tests.protocols.admin.conftest import Desk

WRONG: list[list[tuple[str, str]]] = [
    [],
    [("authorization", "Bearer wrong")],
    [("authorization", "Bearer")],
    [("authorization", "Basic of-ada")],
    [("authorization", "Bearer of-ada"), ("authorization", "Bearer of-ada")],
    [("authorization", f"Bearer sha256:{'0' * 64}")],
]
SURFACE = [
    ("GET", "/config"),
    ("GET", "/config/agents"),
    ("POST", "/config/agents"),
    ("GET", "/config/agents/$schema"),
    ("GET", "/config/agents/assistant"),
    ("PUT", "/config/agents/assistant"),
    ("PATCH", "/config/agents/assistant"),
    ("DELETE", "/config/agents/assistant"),
    ("POST", "/config/agents/assistant/restore"),
    ("POST", "/config/agents/assistant/validate"),
    ("GET", "/config/agents/assistant/removal-preview"),
    ("GET", "/audit-log"),
]


@pytest.mark.proves("K04")
@pytest.mark.parametrize("headers", WRONG)
async def test_only_operators_get_in_and_nothing_of_others_is_read(desk: Desk, headers: list[tuple[str, str]]) -> None:
    for method, path in SURFACE:
        refused = await desk.server.client.request(method, f"/v1{path}", content=b"not json", headers=headers)

        assert (refused.status_code, refused.json()["code"]) == (401, "unauthorised"), (method, path)
    assert (await desk.ask("GET", "/audit-log")).json()["items"] == []


@pytest.mark.parametrize(("token", "actor"), [("of-ada", "ada"), ("of-bob", "bob"), ("of-admin", "admin")])
async def test_every_operator_has_a_name(desk: Desk, token: str, actor: str) -> None:
    await desk.ask("PATCH", "/config/tools/look", {"description": "See."}, authorization=f"Bearer {token}")

    [entry] = (await desk.ask("GET", "/audit-log")).json()["items"]
    assert entry["actor"] == actor
    assert entry["address"] == "127.0.0.1"


@pytest.mark.proves("K04")
async def test_without_operators_there_is_no_admin_api(serve: Any) -> None:
    server = await serve()

    for method, path in SURFACE:
        refused = await server.client.request(method, f"/v1{path}", headers={"authorization": "Bearer x"})
        assert refused.status_code == 404


async def test_what_models_are_told_of_a_tool_can_be_changed_and_nothing_else_of_it(desk: Desk) -> None:
    changed = await desk.ask("PATCH", "/config/tools/look", {"description": "See the sky."})
    assert changed.json()["overridden"] == ["description"]
    refused = await desk.ask("PATCH", "/config/tools/look", {"effect": "once"})
    assert refused.json()["details"][0]["path"] == "effect"

    desk.gate.set()
    hello = {"agent_id": "assistant", "messages": [{"role": "user", "content": "Hi"}]}
    await desk.server.client.post("/v1/runs", json=hello)

    assert desk.model.requests[0].tools[0].description == "See the sky."


@pytest.mark.proves("K05")
async def test_a_secret_goes_in_and_never_comes_out(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    provider = {"id": "mine", "adapter": "openai", "api_key": "sk-hush", "headers": {"x-org": "sk-hush"}}
    answers = [
        await desk.ask("POST", "/config/providers", provider),
        await desk.ask("POST", "/config/providers/mine/validate", provider),
        await desk.ask("GET", "/config/providers/mine"),
        await desk.ask("GET", "/config/providers"),
        await desk.ask("GET", "/audit-log"),
        await desk.ask("PUT", "/config/providers/mine", {**provider, "idle_timeout_seconds": "sk-hush"}),
        await desk.ask("PUT", "/config/providers/mine", {**provider, "api_key_env": "X"}),
        await desk.ask("PUT", "/config/providers/mine", {**provider, "api_key": ["sk-hush"]}),
    ]

    assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 200, 400, 400, 400]
    assert answers[2].json()["spec"]["api_key"] == {"set": True}
    for answer in answers:
        assert "sk-hush" not in answer.text
    assert "sk-hush" not in caplog.text


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/config/forks", None, 404, "not_found"),
        ("GET", "/config/agents/nobody", None, 404, "not_found"),
        ("PATCH", "/config/agents/nobody", {}, 404, "not_found"),
        ("DELETE", "/config/agents/nobody", None, 404, "not_found"),
        ("DELETE", "/config/agents/assistant", None, 409, "conflict"),
        ("POST", "/config/agents", {"id": "assistant"}, 409, "conflict"),
        ("POST", "/config/agents", {"id": "a/b", "model": "scripted:x"}, 400, "bad_request"),
        ("POST", "/config/agents", {"model": "scripted:x"}, 400, "invalid_configuration"),
        ("POST", "/config/agents", [], 400, "bad_request"),
        ("POST", "/config/agents", {"id": "a", "model": "scripted:x", "tools": ["a\\"]}, 400, "invalid_configuration"),
        ("PUT", "/config/agents/a", {"id": "b", "model": "scripted:x"}, 400, "invalid_configuration"),
        ("POST", "/config/agents/assistant/restore", {"version": "1"}, 400, "bad_request"),
        ("POST", "/config/agents/assistant/restore", {"version": 9}, 404, "not_found"),
        ("POST", "/config/tools", {"id": "new", "description": "x"}, 400, "invalid_configuration"),
    ],
)
async def test_what_cannot_be_done_says_why_and_changes_nothing(
    desk: Desk, method: str, path: str, body: Any, status: int, code: str
) -> None:
    refused = await desk.ask(method, path, body)

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert (await desk.ask("GET", "/audit-log")).json()["items"] == []


@pytest.mark.parametrize("tag", ["7", 'W/"7"', '"x"', '"1", "2"', "", '"' + "9" * 400 + '"'])
async def test_an_unreadable_precondition_is_refused(desk: Desk, tag: str) -> None:
    refused = await desk.ask("PATCH", "/config/agents/assistant", {"instructions": "x"}, if_match=tag)

    assert refused.status_code == 400
    assert "If-Match" in refused.json()["error"]


async def test_the_schema_says_what_a_record_may_hold(desk: Desk) -> None:
    schema = (await desk.ask("GET", "/config/providers/$schema")).json()

    assert schema["additionalProperties"] is False
    assert schema["properties"]["api_key"]["anyOf"][0]["writeOnly"] is True


async def test_the_removal_preview_names_who_needs_a_record(desk: Desk) -> None:
    await desk.ask("POST", "/config/models", {"id": "small", "provider": "scripted", "name": "s"})
    await desk.ask("POST", "/config/agents", {"id": "helper", "model": "small"})

    preview = (await desk.ask("GET", "/config/models/small/removal-preview")).json()
    refused = await desk.ask("DELETE", "/config/models/small")

    assert [problem["id"] for problem in preview["problems"]] == ["helper"]
    assert refused.status_code == 400
    assert (await desk.ask("GET", "/config/models/small")).status_code == 200


async def test_the_audit_log_is_filtered_and_paged(desk: Desk) -> None:
    for i in range(5):
        await desk.ask("POST", "/config/agents", {"id": f"a{i}", "model": "scripted:x"})
    await desk.ask("DELETE", "/config/agents/a3")

    made = "/audit-log?namespace=agents&action=create"
    page = (await desk.ask("GET", f"{made}&limit=2")).json()
    rest = (await desk.ask("GET", f"{made}&limit=9&cursor={page['next_cursor']}")).json()
    one = (await desk.ask("GET", "/audit-log?id=a3")).json()
    nobody = (await desk.ask("GET", "/audit-log?actor=nobody")).json()

    assert [entry["id"] for entry in page["items"]] == ["a4", "a3"]
    assert [entry["id"] for entry in rest["items"]] == ["a2", "a1", "a0"]
    assert (page["has_more"], rest["has_more"]) == (True, False)
    assert [(entry["action"], entry["before"], entry["after"]) for entry in one["items"]] == [
        ("delete", 4, None),
        ("create", None, 4),
    ]
    assert nobody["items"] == []
