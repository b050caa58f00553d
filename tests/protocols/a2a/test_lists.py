"""Lists of tasks: every filter, the order, and pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.protocols.a2a.talking import ROOT, Talk, state

Serve = Callable[..., Awaitable[Any]]


async def test_pages_bring_every_task_once_the_newest_status_first(talk: Talk) -> None:
    made = [(await talk.send(f"hello {n}")).id for n in range(5)]

    found: list[str] = []
    token = ""
    while True:
        page = await talk.list(pageSize=2, pageToken=token)
        assert (page.page_size, page.total_size) == (2, 5)
        found += [task.id for task in page.tasks]
        token = page.next_page_token
        if not token:
            break

    assert found == made[::-1]


async def test_the_last_page_says_so_and_the_fields_are_always_there(working: Any) -> None:
    talk = Talk(working.client, rpc=True)
    response = await talk.call("GET", "/tasks", "ListTasks", {})

    assert response.json()["result"] == {"tasks": [], "nextPageToken": "", "pageSize": 50, "totalSize": 0}


async def test_a_task_that_was_answered_last_is_first(talk: Talk) -> None:
    older = await talk.send("ask")
    newer = await talk.send("hello")
    assert [task.id for task in (await talk.list()).tasks] == [newer.id, older.id]

    await talk.send("Paris", taskId=older.id)

    assert [task.id for task in (await talk.list()).tasks] == [older.id, newer.id]


async def test_tasks_are_found_by_state(talk: Talk) -> None:
    for words in ("hello", "ask", "login", "refuse", "fail"):
        await talk.send(words)

    found = {
        name: [task.history[0].parts[0].text for task in (await talk.list(status=f"TASK_STATE_{name}")).tasks]
        for name in ("COMPLETED", "INPUT_REQUIRED", "AUTH_REQUIRED", "REJECTED", "FAILED", "CANCELED", "WORKING")
    }

    assert found == {
        "COMPLETED": ["hello"],
        "INPUT_REQUIRED": ["ask"],
        "AUTH_REQUIRED": ["login"],
        "REJECTED": ["refuse"],
        "FAILED": ["fail"],
        "CANCELED": [],
        "WORKING": [],
    }
    assert (await talk.list(status="TASK_STATE_REJECTED")).total_size == 1


async def test_tasks_are_found_by_context_and_by_the_time_of_their_status(talk: Talk) -> None:
    first = await talk.send("hello", contextId="a")
    second = await talk.send("hello", contextId="b")
    moment = (second.status.timestamp.ToJsonString()).replace("Z", "+00:00")

    assert [task.id for task in (await talk.list(contextId="a")).tasks] == [first.id]
    since = (await talk.list(statusTimestampAfter=moment)).tasks
    assert second.id in {task.id for task in since}
    assert not (await talk.list(statusTimestampAfter="2999-01-01T00:00:00Z")).tasks


async def test_artifacts_and_history_are_shown_where_asked_for(talk: Talk) -> None:
    task = await talk.send("hello")

    plain, full = (await talk.list(historyLength=0)).tasks[0], (await talk.list(includeArtifacts="true")).tasks[0]

    assert not plain.artifacts
    assert not plain.history
    assert state(plain) == "COMPLETED"
    assert full == task


async def test_runs_of_other_protocols_are_no_tasks_of_the_list(working: Any) -> None:
    talk = Talk(working.client, rpc=True)
    body = {"agent_id": "worker", "run_id": "native", "messages": [{"content": "hello"}]}
    await working.client.post("/v1/runs", json=body)

    assert not (await talk.list()).tasks
    assert state(await talk.get("native")) == "COMPLETED", "but they are tasks"


@pytest.mark.parametrize(
    "asked",
    [
        {"status": "DONE"},
        {"pageToken": "junk"},
        {"pageToken": "5"},
        {"historyLength": -1},
        {"statusTimestampAfter": "yesterday"},
    ],
)
async def test_a_bad_filter_is_refused(talk: Talk, asked: dict[str, Any]) -> None:
    assert (await talk.fault("GET", "/tasks", "ListTasks", asked))[1] == "INVALID_PARAMS"


async def test_a_token_is_good_for_its_own_filters_only(talk: Talk, working: Any) -> None:
    for _ in range(2):
        await talk.send("hello", contextId="a")
    token = (await talk.list(pageSize=1, contextId="a")).next_page_token
    second = Talk(working.client, rpc=talk.rpc, root=f"{ROOT}/second")

    assert (await talk.fault("GET", "/tasks", "ListTasks", {"pageToken": token}))[1] == "INVALID_PARAMS"
    asked = {"pageToken": token, "contextId": "a"}
    assert (await second.fault("GET", "/tasks", "ListTasks", asked))[1] == "INVALID_PARAMS"


@pytest.mark.parametrize(("size", "taken"), [(1, True), (100, True), (0, False), (-1, False), (101, False)])
async def test_a_page_has_1_to_100_tasks(talk: Talk, size: int, taken: bool) -> None:
    if taken:
        assert (await talk.list(pageSize=size)).page_size == size
    else:
        refused = await talk.call("GET", "/tasks", "ListTasks", {"pageSize": size})
        assert talk.fault_in(refused) == (-32602 if talk.rpc else 400, "INVALID_PARAMS")
        details = refused.json()["error"]["data" if talk.rpc else "details"]
        assert details[1]["fieldViolations"][0]["field"] == "pageSize"


async def test_a_listed_task_has_the_status_it_has_by_itself(talk: Talk) -> None:
    for words in ("hello", "ask", "fail"):
        task = await talk.send(words)

        assert (await talk.list()).tasks[0].status == (await talk.get(task.id)).status
