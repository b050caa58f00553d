"""Long calls as tasks: stored before they are announced, polled, answered and cancelled on any process."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.protocols.mcp.peer import MODERN, TASKS, WITH_TASKS, Peer

from wakeful.providers.scripted import call, say

YES = {"action": "accept", "content": {"approved": True}}


async def get(peer: Peer, task: str) -> dict[str, Any]:
    return (await peer.ask("tasks/get", {"taskId": task}, can=WITH_TASKS))["result"]


async def ended(peer: Peer, task: str, status: str) -> dict[str, Any]:
    """The task when it is over: then the stream of its run's events ends."""
    async with asyncio.timeout(10):
        await peer.client.get(f"/v1/runs/{task}/events/stream")
    found = await get(peer, task)
    assert found["status"] == status
    return found


async def test_a_call_that_takes_long_is_a_task_that_ends_with_its_result(offer: Any) -> None:
    held = asyncio.Event()
    peer = await offer([[held, "done"]], task_after_seconds=0)

    made = await peer.call(can=WITH_TASKS)
    working = await get(peer, made["taskId"])
    held.set()
    found = await ended(peer, made["taskId"], "completed")

    assert (made["resultType"], made["status"]) == ("task", "working")
    assert made["ttlMs"] is None
    assert made["pollIntervalMs"] > 0
    assert (working["resultType"], working["status"]) == ("complete", "working")
    assert found["result"]["content"] == [{"type": "text", "text": "done"}]
    assert (await peer.client.get(f"/v1/runs/{made['taskId']}")).json()["status"] == "completed"


async def test_a_call_that_is_done_at_once_is_no_task(offer: Any) -> None:
    peer = await offer(["done"], task_after_seconds=60)

    found = await peer.call(can=WITH_TASKS)

    assert found["resultType"] == "complete"
    assert found["content"][0]["text"] == "done"


async def test_a_task_that_asks_is_answered_by_an_update(offer: Any) -> None:
    two = [call("launch", {"name": "x"}), call("launch", {"name": "y"})]
    peer = await offer([two, "done"], task_after_seconds=60)

    made = await peer.call(can=WITH_TASKS)
    asked = await get(peer, made["taskId"])
    first, second = asked["inputRequests"]
    answers = {first: YES, "unknown": YES}
    partly = await peer.ask("tasks/update", {"taskId": made["taskId"], "inputResponses": answers}, can=WITH_TASKS)
    left = await get(peer, made["taskId"])
    rest = {"taskId": made["taskId"], "inputResponses": {second: YES}}
    await peer.ask("tasks/update", rest, can=WITH_TASKS)
    found = await ended(peer, made["taskId"], "completed")

    assert made["status"] == asked["status"] == left["status"] == "input_required"
    assert partly["result"].keys() == {"resultType", "_meta"}
    assert [*left["inputRequests"]] == [second]
    assert found["result"]["content"][0]["text"] == "done"


async def test_a_task_can_be_cancelled(offer: Any) -> None:
    peer = await offer([[say("one "), asyncio.Event()]], task_after_seconds=0)

    made = await peer.call(can=WITH_TASKS)
    await peer.ask("tasks/cancel", {"taskId": made["taskId"]}, can=WITH_TASKS)
    found = await ended(peer, made["taskId"], "cancelled")

    assert "result" not in found


async def test_an_agent_that_fails_completes_its_task_with_a_failed_result(offer: Any) -> None:
    held = asyncio.Event()
    peer = await offer([[held, RuntimeError("secret")]], task_after_seconds=0)

    made = await peer.call(can=WITH_TASKS)
    held.set()
    found = await ended(peer, made["taskId"], "completed")

    assert found["result"]["isError"]
    assert "secret" not in str(found)


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
async def test_tasks_need_their_extension_and_have_to_exist(offer: Any, method: str) -> None:
    peer = await offer()

    without = await peer.ask(method, {"taskId": "none"})
    unknown = await peer.ask(method, {"taskId": "none"}, can=WITH_TASKS)

    assert without["error"]["code"] == -32021
    assert without["error"]["data"]["requiredCapabilities"] == {"extensions": {TASKS: {}}}
    assert unknown["error"]["code"] == -32602


async def test_a_run_that_began_elsewhere_is_a_task_too(offer: Any) -> None:
    peer = await offer(["done"])
    body = {"agent_id": "assistant", "run_id": "mine", "messages": [{"content": "hi"}]}
    await peer.client.post("/v1/runs", json=body)

    found = await get(peer, "mine")

    assert found["result"]["structuredContent"]["text"] == "done"


async def test_a_task_outlives_the_process_that_announced_it(offer: Any, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'store.db'}"
    before = await offer([call("launch", {"name": "x"}), "never"], store=store, task_after_seconds=60)
    made = await before.call(can=WITH_TASKS)
    await before.server.runtime.inner.stop()

    after = await offer(["done"], store=store)
    asked = await get(after, made["taskId"])
    (key,) = asked["inputRequests"]
    answer = {"taskId": made["taskId"], "inputResponses": {key: YES}}
    await after.ask("tasks/update", answer, can=WITH_TASKS)
    found = await ended(after, made["taskId"], "completed")

    assert found["result"]["content"][0]["text"] == "done"


async def test_a_running_task_goes_on_in_the_next_process(offer: Any, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'store.db'}"
    before = await offer([[say("half "), asyncio.Event()]], store=store, task_after_seconds=0)
    made = await before.call(can=WITH_TASKS)
    before.server.runtime.inner.cut_off()
    await before.server.runtime.inner.stop()

    after = await offer(["whole"], store=store)
    found = await ended(after, made["taskId"], "completed")

    assert found["result"]["content"][0]["text"] == "whole"


async def test_who_listens_is_told_what_becomes_of_a_task(offer: Any) -> None:
    held = asyncio.Event()
    peer = await offer([[held, call("launch")], "done"], task_after_seconds=0)
    made = (await peer.call(can=WITH_TASKS))["taskId"]
    filters = {
        "taskIds": [made, "unknown"],
        "toolsListChanged": True,
        "resourceSubscriptions": [f"wakeful://runs/{made}"],
    }
    body = peer.asking("subscriptions/listen", {"notifications": filters}, can=WITH_TASKS)

    told: list[dict[str, Any]] = []
    async with asyncio.timeout(20), peer.streaming(body, MODERN) as frames:
        async for _, message in frames:
            assert message is not None
            told.append(message)
            if len(told) == 1:
                held.set()
            if message["params"].get("status") == "input_required":
                answers = dict.fromkeys(message["params"]["inputRequests"], YES)
                await peer.ask("tasks/update", {"taskId": made, "inputResponses": answers}, can=WITH_TASKS)
            if message["params"].get("status") == "completed":
                break

    assert told[0]["method"] == "notifications/subscriptions/acknowledged"
    honoured = {"taskIds": [made], "resourceSubscriptions": [f"wakeful://runs/{made}"]}
    assert told[0]["params"]["notifications"] == honoured
    key = "io.modelcontextprotocol/subscriptionId"
    assert {message["params"]["_meta"][key] for message in told} == {body["id"]}
    assert told[-1]["params"]["result"]["content"][0]["text"] == "done"
    assert "notifications/resources/updated" in {message["method"] for message in told}
