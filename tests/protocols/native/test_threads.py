"""Threads: lists, summaries, lineage, change and removal."""

from __future__ import annotations

from typing import Any

import pytest


async def create(client: Any, **fields: Any) -> str:
    response = await client.post("/v1/threads", json=fields)
    assert response.status_code == 201, response.text
    return response.json()["id"]


async def listed(client: Any, query: str = "") -> list[str]:
    return (await client.get(f"/v1/threads?{query}")).json()["items"]


@pytest.mark.proves("M01")
async def test_the_list_starts_empty_and_shows_what_was_created(client: Any):
    empty = (await client.get("/v1/threads")).json()
    first = await create(client)

    page = (await client.get("/v1/threads")).json()

    assert empty == {"items": [], "offset": 0, "limit": 50, "total": 0, "has_more": False, "next_cursor": None}
    assert page["items"] == [first]


@pytest.mark.proves("M01")
async def test_the_list_filters_by_resource_parent_and_root(client: Any):
    parent = await create(client, id="parent", resourceId="doc")
    child = await create(client, id="child", parent_thread_id=parent)

    assert await listed(client, "resource_id=doc") == await listed(client, "resourceId=doc") == [parent]
    assert (
        await listed(client, f"parent_thread_id={parent}") == await listed(client, "parentThreadId=parent") == [child]
    )
    assert await listed(client, "root=true") == [parent]
    assert await listed(client, "resource_id=%20&parent_thread_id=") == await listed(client)
    assert (await client.get("/v1/threads?root=true&parentThreadId=parent")).status_code == 400


@pytest.mark.proves("M02")
async def test_the_last_active_thread_comes_first(server: Any):
    for thread in ("a", "b", "c"):
        await server.run("hello", thread=thread)
    await server.run("hello", thread="a")

    assert await listed(server.client) == ["a", "c", "b"]


@pytest.mark.proves("M03", "M04")
async def test_summaries_carry_title_times_agent_and_message_count(server: Any):
    await create(server.client, id="thread", title="Greetings")
    await server.run("hello")

    page = (await server.client.get("/v1/threads/summaries")).json()

    (summary,) = page["items"]
    assert (summary["id"], summary["title"], summary["agent_id"]) == ("thread", "Greetings", "assistant")
    assert summary["message_count"] == 2
    assert summary["created_at"] <= summary["updated_at"]
    assert page["total"] == 1


@pytest.mark.proves("H10")
@pytest.mark.parametrize(("limit", "clamped"), [("0", 1), ("-5", 1), ("201", 200), (str(10**30), 200), ("3", 3)])
@pytest.mark.parametrize("path", ["/v1/threads", "/v1/threads/summaries", "/v1/runs"])
@pytest.mark.asyncio(loop_scope="session")
async def test_limits_are_clamped(shared: Any, path: str, limit: str, clamped: int):
    page = (await shared.client.get(f"{path}?limit={limit}")).json()

    assert page["limit"] == clamped


async def test_cursors_walk_all_threads_once(client: Any):
    created = [await create(client, id=f"t{number}") for number in range(5)]

    found: list[str] = []
    cursor = ""
    while cursor is not None:
        page = (await client.get(f"/v1/threads?limit=2&cursor={cursor}")).json()
        found += page["items"]
        cursor = page["next_cursor"]
        assert page["has_more"] == (cursor is not None)
        assert page["total"] == 5

    assert sorted(found) == created
    assert await listed(client, "offset=3") == found[3:]


async def test_a_cursor_belongs_to_its_filters_and_its_list(client: Any):
    for number in range(3):
        await create(client, resource_id="doc", id=f"t{number}")
    cursor = (await client.get("/v1/threads?limit=1&resource_id=doc")).json()["next_cursor"]

    assert (await client.get(f"/v1/threads?limit=1&resource_id=doc&cursor={cursor}")).status_code == 200
    for query in (f"cursor={cursor}", f"resource_id=other&cursor={cursor}", f"root=true&cursor={cursor}"):
        assert (await client.get(f"/v1/threads?{query}")).status_code == 400
    assert (await client.get(f"/v1/runs?cursor={cursor}")).status_code == 400


@pytest.mark.proves("M05")
async def test_lineage_is_set_at_creation_and_changed_later(client: Any):
    parent, child = await create(client, id="parent"), await create(client, id="child", parentThreadId="parent")

    cleared = await client.patch(f"/v1/threads/{child}", json={"parent_thread_id": None, "resource_id": "doc"})
    restored = await client.patch(f"/v1/threads/{child}/metadata", json={"parentThreadId": parent})

    assert (cleared.json()["parent_thread_id"], cleared.json()["resource_id"]) == (None, "doc")
    assert (restored.json()["parent_thread_id"], restored.json()["resource_id"]) == ("parent", "doc")


@pytest.mark.proves("M05")
@pytest.mark.parametrize("parent", ["parent", "child", "missing"])
async def test_a_missing_parent_and_a_cycle_are_400(client: Any, parent: str):
    await create(client, id="parent")
    await create(client, id="child", parent_thread_id="parent")

    response = await client.patch("/v1/threads/parent", json={"parent_thread_id": parent})

    assert response.status_code == 400
    assert (await client.get("/v1/threads/parent")).json()["parent_thread_id"] is None


@pytest.mark.proves("M05")
async def test_custom_fields_merge_and_absent_fields_stay(client: Any):
    thread = await create(client, title="Old")

    await client.patch(f"/v1/threads/{thread}", json={"custom": {"a": 1, "b": 2}})
    await client.patch(f"/v1/threads/{thread}", json={"custom": {"b": 3, "a": None}})
    shown = (await client.get(f"/v1/threads/{thread}")).json()
    untitled = (await client.patch(f"/v1/threads/{thread}", json={"title": None})).json()

    assert (shown["title"], shown["custom"]) == ("Old", {"b": 3})
    assert (untitled["title"], untitled["custom"]) == (None, {"b": 3})


async def test_an_id_in_use_is_409(client: Any):
    await create(client, id="mine")

    response = await client.post("/v1/threads", json={"id": "mine"})

    assert response.status_code == 409
    assert response.json()["code"] == "conflict"


@pytest.mark.proves("M06")
@pytest.mark.parametrize(
    ("query", "status", "left"),
    [
        ("", 204, {"child": None, "grandchild": "child"}),
        ("?child_strategy=detach", 204, {"child": None, "grandchild": "child"}),
        ("?childStrategy=reject", 400, {"parent": None, "child": "parent", "grandchild": "child"}),
        ("?child_strategy=cascade", 204, {}),
        ("?child_strategy=shout", 400, {"parent": None, "child": "parent", "grandchild": "child"}),
    ],
)
async def test_removal_deals_with_children(client: Any, query: str, status: int, left: dict[str, Any]):
    await create(client, id="parent")
    await create(client, id="child", parent_thread_id="parent")
    await create(client, id="grandchild", parent_thread_id="child")

    response = await client.delete(f"/v1/threads/parent{query}")

    page = (await client.get("/v1/threads/summaries")).json()
    assert response.status_code == status
    assert {item["id"]: item["parent_thread_id"] for item in page["items"]} == left


async def test_a_removed_thread_takes_its_runs_and_messages_along(server: Any):
    await server.run("hello", run="r")

    response = await server.client.delete("/v1/threads/thread")

    assert (response.status_code, response.content) == (204, b"")
    assert (await server.client.get("/v1/runs/r")).status_code == 404
    assert await server.held() == (0, 0, 0)


async def test_a_thread_with_a_running_run_is_not_removed(server: Any):
    body = {"thread_id": "thread", "run_id": "r", "messages": [{"content": "count to 40 every 50 ms"}]}

    async with server.stream("POST", "/v1/runs", json=body) as frames:
        await anext(frames)
        response = await server.client.delete("/v1/threads/thread")
    await server.client.post("/v1/runs/r/cancel")

    assert response.status_code == 409
