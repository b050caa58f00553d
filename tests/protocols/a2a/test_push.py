"""Notifications: kept, brought out in order and at least once, never to where they must not go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from a2a.compat.v0_3 import types as old
from a2a.types import a2a_pb2 as pb
from google.protobuf.json_format import ParseDict
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from tests.protocols.a2a.talking import Gate, Talk, agents, message, old_call, old_message, state, states, text

from wakeful.bootstrap.plugs import open_store

Serve = Callable[..., Awaitable[Any]]
PATIENCE = 30
PATH = "/tasks/{taskId}/pushNotificationConfigs"


class Receiver:
    """A web hook: an ASGI app that remembers what it was told, and refuses what it is told to refuse."""

    def __init__(self) -> None:
        self.told: list[tuple[dict[str, str], Any]] = []
        self.refusals: list[int] = []
        self.news = asyncio.Condition()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await _no_lifespan(receive, send)
            return
        request = Request(scope, receive)
        if scope["path"] == "/moved":
            await RedirectResponse("/hook", 307)(scope, receive, send)
            return
        status = self.refusals.pop(0) if self.refusals else 204
        async with self.news:
            if status == 204:
                self.told.append((dict(request.headers), await request.json()))
            self.news.notify_all()
        await Response(status_code=status)(scope, receive, send)

    @property
    def bodies(self) -> list[Any]:
        return [ParseDict(body, pb.StreamResponse()) for _, body in self.told]

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE), self.news:
            await self.news.wait_for(done)


async def _no_lifespan(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


@pytest.fixture
async def receiver(listen: Any) -> AsyncIterator[tuple[Receiver, str]]:
    """A web hook and its URL."""
    hook = Receiver()
    async with listen(hook) as port:
        yield hook, f"http://127.0.0.1:{port}/hook"


def told_states(hook: Receiver) -> list[str]:
    return states([body for body in hook.bodies if body.HasField("status_update")])


@pytest.mark.proves("A10")
async def test_a_task_tells_its_receiver_what_changes_with_token_and_authorization(
    talk: Talk, receiver: tuple[Receiver, str]
) -> None:
    hook, url = receiver
    config = {"url": url, "token": "tok", "authentication": {"scheme": "Bearer", "credentials": "cred"}}

    await talk.send("report", configuration={"taskPushNotificationConfig": config, "returnImmediately": True})
    await hook.until(lambda: told_states(hook)[-1:] == ["COMPLETED"])

    assert told_states(hook) == ["SUBMITTED", "WORKING", "WORKING", "COMPLETED"]
    artifacts = [body.artifact_update for body in hook.bodies if body.HasField("artifact_update")]
    assert {text(update.artifact) for update in artifacts} == {"Here it is.", "Chapter one. Chapter two."}
    assert all(update.last_chunk and not update.append for update in artifacts)
    assert hook.bodies[-1].HasField("status_update")
    for headers, _ in hook.told:
        assert headers["x-a2a-notification-token"] == "tok"
        assert headers["authorization"] == "Bearer cred"
        assert headers["content-type"] == "application/a2a+json"


@pytest.mark.proves("A10")
async def test_a_receiver_that_refuses_is_told_again_and_misses_nothing(
    talk: Talk, receiver: tuple[Receiver, str]
) -> None:
    hook, url = receiver
    hook.refusals = [500, 302]

    await talk.send("hello", configuration={"taskPushNotificationConfig": {"url": url}})
    await hook.until(lambda: told_states(hook)[-1:] == ["COMPLETED"])

    assert told_states(hook) == ["SUBMITTED", "WORKING", "COMPLETED"]


@pytest.mark.proves("A10")
async def test_another_process_goes_on_where_the_first_one_stopped(
    serving: Any, receiver: tuple[Receiver, str], tmp_path: Path
) -> None:
    hook, url = receiver
    store = f"sqlite:///{tmp_path}/a.db"
    async with serving(agents=agents(Gate()), store=store, push_to_loopback=True) as server:
        talk = Talk(server.client, rpc=True)
        task = await talk.send("ask", configuration={"taskPushNotificationConfig": {"url": url}})
        await hook.until(lambda: told_states(hook)[-1:] == ["INPUT_REQUIRED"])
    async with serving(agents=agents(Gate()), store=store, push_to_loopback=True) as server:
        talk = Talk(server.client, rpc=True)
        kept = await talk.get(task.id)
        config = await talk.result(
            "GET",
            "",
            "GetTaskPushNotificationConfig",
            {"taskId": task.id, "id": task.id},
            pb.TaskPushNotificationConfig,
        )
        await talk.send("Bern", taskId=task.id)
        await hook.until(lambda: told_states(hook)[-1:] == ["COMPLETED"])

    assert state(kept) == "INPUT_REQUIRED"
    assert config.url == url
    once = [name for name, _ in groupby(told_states(hook))]
    assert once == ["SUBMITTED", "WORKING", "INPUT_REQUIRED", "WORKING", "COMPLETED"]


async def test_a_process_that_stops_leaves_what_it_held_due_at_once(
    serving: Any, receiver: tuple[Receiver, str], tmp_path: Path
) -> None:
    hook, url = receiver
    store = f"sqlite:///{tmp_path}/a.db"
    async with serving(agents=agents(Gate()), store=store, push_to_loopback=True) as server:
        asked = {"taskPushNotificationConfig": {"url": url}, "returnImmediately": True}
        await Talk(server.client, rpc=True).send("slow", configuration=asked)
        await hook.until(lambda: told_states(hook)[-1:] == ["WORKING"])

    left = open_store(store)
    await left.open()
    (document,) = await left.list_documents("default", "a2a-push", prefix="", after="", limit=2)
    await left.aclose()

    assert document.due_at == document.updated_at


async def test_whoever_subscribes_to_a_task_at_rest_is_told_where_it_is(
    talk: Talk, receiver: tuple[Receiver, str]
) -> None:
    hook, url = receiver
    done = await talk.send("hello")

    await talk.result(
        "POST", PATH, "CreateTaskPushNotificationConfig", {"taskId": done.id, "url": url}, pb.TaskPushNotificationConfig
    )
    await hook.until(lambda: bool(hook.told))

    assert told_states(hook) == ["COMPLETED"]


async def test_a_receiver_of_0_3_is_told_the_whole_task(working: Any, receiver: tuple[Receiver, str]) -> None:
    hook, url = receiver
    asked = {"message": old_message("hello"), "configuration": {"pushNotificationConfig": {"url": url}}}

    await old_call(working.client, "message/send", asked)
    await hook.until(lambda: hook.told != [] and hook.told[-1][1]["status"]["state"] == "completed")

    task = old.Task.model_validate(hook.told[-1][1])
    assert task.artifacts is not None
    assert task.artifacts[0].parts[0].root.text == "You said: hello"


@pytest.mark.proves("A10")
async def test_subscriptions_are_made_read_listed_and_removed(talk: Talk) -> None:
    task, other = await talk.send("ask"), await talk.send("ask")
    url = "http://127.0.0.1:9/hook"
    shape = pb.TaskPushNotificationConfig
    for one in (task, other):
        for name in ("b", "a"):
            asked = {"taskId": one.id, "id": name, "url": f"{url}/{one.id}", "token": "SECRET"}
            await talk.result("POST", PATH, "CreateTaskPushNotificationConfig", asked, shape)

    got = await talk.result(
        "GET", f"{PATH}/{{id}}", "GetTaskPushNotificationConfig", {"taskId": task.id, "id": "a"}, shape
    )
    page = await _list(talk, task.id, pageSize=1)
    rest = await _list(talk, task.id, pageSize=1, pageToken=page.next_page_token)
    for _ in range(2):
        await talk.call("DELETE", f"{PATH}/{{id}}", "DeleteTaskPushNotificationConfig", {"taskId": task.id, "id": "a"})
    left, untouched = await _list(talk, task.id), await _list(talk, other.id)
    missing = await talk.fault("GET", f"{PATH}/{{id}}", "GetTaskPushNotificationConfig", {"taskId": task.id, "id": "a"})

    assert (got.task_id, got.id, got.url, got.token) == (task.id, "a", f"{url}/{task.id}", "")
    assert [one.id for one in (*page.configs, *rest.configs)] == ["a", "b"]
    assert not rest.next_page_token
    assert [one.id for one in left.configs] == ["b"]
    assert [one.id for one in untouched.configs] == ["a", "b"]
    assert missing == (-32001 if talk.rpc else 404, "TASK_NOT_FOUND")


async def _list(talk: Talk, task_id: str, **more: Any) -> Any:
    asked = {"taskId": task_id, **more}
    return await talk.result(
        "GET", PATH, "ListTaskPushNotificationConfigs", asked, pb.ListTaskPushNotificationConfigsResponse
    )


HOSTILE = [
    "http://127.0.0.1/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://10.0.0.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://[::ffff:10.0.0.1]/",
    "https://localhost/",
    "http://8.8.8.8/",
    "ftp://8.8.8.8/",
    "https://user:password@8.8.8.8/",
    "file:///etc/passwd",
    "https://8.8.8.8\\@10.0.0.1/",
    "",
]


@pytest.mark.parametrize("url", HOSTILE)
async def test_nothing_is_sent_to_private_addresses_or_in_clear_text(serve: Serve, gate: Gate, url: str) -> None:
    server = await serve(agents=agents(gate))
    talk = Talk(server.client, rpc=False)
    task = await talk.send("ask")

    config = await talk.fault("POST", PATH, "", {"taskId": task.id, "url": url})
    asked = {"message": message("hi"), "configuration": {"taskPushNotificationConfig": {"url": url}}}
    inline = await talk.fault("POST", "/message:send", "", asked)

    assert config == inline == (400, "INVALID_PARAMS")
    assert (await talk.list()).total_size == 1, "the message was not taken"


async def test_secrets_that_fit_no_header_are_refused_and_so_are_too_many(talk: Talk) -> None:
    task = await talk.send("ask")
    url = "http://127.0.0.1:9/hook"

    async def make(**config: Any) -> Any:
        asked = {"taskId": task.id, "url": url, **config}
        return await talk.call("POST", PATH, "CreateTaskPushNotificationConfig", asked)

    assert talk.fault_in(await make(token="a\r\nb: c"))[1] == "INVALID_PARAMS"
    assert talk.fault_in(await make(id="a/b"))[1] == "INVALID_PARAMS"
    for n in range(10):
        assert "error" not in (await make(id=f"c{n}")).json()
    assert talk.fault_in(await make(id="one-more"))[1] == "INVALID_PARAMS"
    assert "error" not in (await make(id="c0")).json(), "it takes the place of the one before"


async def test_subscriptions_go_with_their_context(working: Any) -> None:
    talk = Talk(working.client, rpc=False)
    url = "http://127.0.0.1:9/hook"
    task = await talk.send("hello", contextId="gone", configuration={"taskPushNotificationConfig": {"url": url}})

    removed = await working.client.delete("/v1/threads/gone")

    assert removed.status_code < 300
    documents = await working.store.list_documents("default", "a2a-push", prefix="", after="", limit=10)
    assert documents == ()
    assert (await talk.fault("GET", "/tasks/{id}", "", {"id": task.id}))[1] == "TASK_NOT_FOUND"
