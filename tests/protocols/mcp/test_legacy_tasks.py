"""Tasks of 2025-11-25: asked for with a call, polled, waited for, listed and cancelled on any process."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.protocols.mcp.peer import FORMS, Peer
from tests.protocols.mcp.test_legacy import YES, asked

from wakeful.providers.scripted import call, say

RELATED = "io.modelcontextprotocol/related-task"


async def created(peer: Peer, **arguments: Any) -> dict[str, Any]:
    params = {"name": "assistant", "arguments": {"message": "go"}, "task": {"ttl": 60_000}, **arguments}
    return (await peer.request("tools/call", params))["result"]["task"]


async def get(peer: Peer, task: str) -> dict[str, Any]:
    return (await peer.request("tasks/get", {"taskId": task}))["result"]


async def result(peer: Peer, task: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        return (await peer.request("tasks/result", {"taskId": task}))["result"]


async def test_the_session_says_that_calls_may_be_tasks(offer: Any) -> None:
    peer = await offer()

    newest = (await peer.initialize())["capabilities"]
    tools = (await peer.request("tools/list"))["result"]["tools"]
    older = (await peer.initialize(version="2025-06-18"))["capabilities"]

    assert newest["tasks"] == {"list": {}, "cancel": {}, "requests": {"tools": {"call": {}}}}
    assert {one["execution"]["taskSupport"] for one in tools} == {"optional"}
    assert "tasks" not in older


async def test_a_call_that_asks_to_be_a_task_is_one_at_once_and_its_result_is_waited_for(offer: Any) -> None:
    held = asyncio.Event()
    peer = await offer([[held, "done"]])
    await peer.initialize()

    made = await created(peer)
    working = await get(peer, made["taskId"])
    held.set()
    found = await result(peer, made["taskId"])
    ended = await get(peer, made["taskId"])

    assert (made["status"], working["status"], ended["status"]) == ("working", "working", "completed")
    assert made["ttl"] is None
    assert made["pollInterval"] > 0
    assert found["content"] == [{"type": "text", "text": "done"}]
    assert found["_meta"][RELATED] == {"taskId": made["taskId"]}
    assert (await peer.client.get(f"/v1/runs/{made['taskId']}")).json()["status"] == "completed"


async def test_a_task_that_asks_does_so_on_the_stream_of_its_result(offer: Any) -> None:
    peer = await offer([call("launch", {"name": "x"}), "done"])
    await peer.initialize(can=FORMS)
    made = await created(peer)
    async with asyncio.timeout(20):
        while (await get(peer, made["taskId"]))["status"] != "input_required":
            pass

    body = peer.body("tasks/result", {"taskId": made["taskId"]})
    async with asyncio.timeout(20), peer.streaming(body) as frames:
        question = await asked(frames)
        await peer.send({"jsonrpc": "2.0", "id": question["id"], "result": YES})
        rest = [message async for _, message in frames if message]

    assert question["params"]["_meta"][RELATED] == {"taskId": made["taskId"]}
    assert rest[-1]["id"] == body["id"]
    assert rest[-1]["result"]["content"][0]["text"] == "done"


async def test_who_cannot_be_asked_is_told_so_by_the_result(offer: Any) -> None:
    peer = await offer([call("launch"), "never"])
    await peer.initialize()

    found = await result(peer, (await created(peer))["taskId"])

    assert found["isError"]
    assert "waits for an answer" in found["content"][0]["text"]


async def test_a_task_is_cancelled_once(offer: Any) -> None:
    peer = await offer([[say("one "), asyncio.Event()]])
    await peer.initialize()
    made = await created(peer)

    cancelled = (await peer.request("tasks/cancel", {"taskId": made["taskId"]}))["result"]
    again = await peer.request("tasks/cancel", {"taskId": made["taskId"]})

    assert cancelled["status"] == "cancelled"
    assert again["error"]["code"] == -32602
    assert (await result(peer, made["taskId"]))["isError"]


async def test_who_gives_up_waiting_for_a_result_does_not_stop_the_task(offer: Any) -> None:
    held = asyncio.Event()
    peer = await offer([[held, "done"]])
    await peer.initialize()
    made = await created(peer)
    body = peer.body("tasks/result", {"taskId": made["taskId"]})

    async with asyncio.timeout(20), peer.streaming(body) as frames:
        peer.traffic.complete = False
        await peer.note("notifications/cancelled", {"requestId": body["id"]})
        held.set()
        rest = [message async for _, message in frames if message]

    assert all("method" in message for message in rest)
    assert (await get(peer, made["taskId"]))["status"] == "completed"


async def test_a_task_whose_result_is_a_failed_call_has_failed(offer: Any) -> None:
    peer = await offer([RuntimeError("secret")])
    await peer.initialize()

    made = await created(peer)
    found = await result(peer, made["taskId"])

    assert found["isError"]
    assert (await get(peer, made["taskId"]))["status"] == "failed"


async def test_tasks_are_listed_newest_first_page_by_page(offer: Any) -> None:
    peer = await offer()
    await peer.initialize()
    made = [(await created(peer, name="add", arguments={"a": 1, "b": n}))["taskId"] for n in range(21)]
    for task in made:
        await result(peer, task)

    first = (await peer.request("tasks/list"))["result"]
    second = (await peer.request("tasks/list", {"cursor": first["nextCursor"]}))["result"]

    assert [one["taskId"] for one in (*first["tasks"], *second["tasks"])] == made[::-1]
    assert "nextCursor" not in second
    assert {one["status"] for one in first["tasks"]} == {"completed"}
    assert (await peer.request("tasks/list", {"cursor": "junk"}))["error"]["code"] == -32602


@pytest.mark.parametrize("method", ["tasks/get", "tasks/result", "tasks/cancel"])
async def test_a_task_has_to_exist(offer: Any, method: str) -> None:
    peer = await offer()
    await peer.initialize()

    assert (await peer.request(method, {"taskId": "none"}))["error"]["code"] == -32602


async def test_arguments_that_do_not_fit_make_no_task(offer: Any) -> None:
    peer = await offer()
    await peer.initialize()

    found = await peer.request("tools/call", {"name": "assistant", "arguments": {}, "task": {}})

    assert found["error"]["code"] == -32602


async def test_a_session_of_an_older_version_knows_no_tasks(offer: Any) -> None:
    peer = await offer(["done"])
    await peer.initialize(version="2025-06-18")
    headers = {"mcp_protocol_version": "2025-06-18"}

    body = peer.body("tools/call", {"name": "assistant", "arguments": {"message": "go"}})
    found = await peer.send(body, **headers)
    listed = await peer.send(peer.body("tasks/list"), **headers)

    assert "done" in found.text
    assert listed.json()["error"]["code"] == -32601


async def test_a_task_outlives_the_process_that_made_it(offer: Any, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'store.db'}"
    before = await offer([[say("half "), asyncio.Event()]], store=store)
    await before.initialize()
    made = await created(before)
    before.server.runtime.inner.cut_off()
    await before.server.runtime.inner.stop()

    after = await offer(["whole"], store=store)
    after.session, after.number = before.session, before.number
    found = await result(after, made["taskId"])

    assert found["content"][0]["text"] == "whole"
