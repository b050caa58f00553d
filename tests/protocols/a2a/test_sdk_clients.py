"""The Python SDK's own client, over each binding and version, does what people do with agents."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from a2a.client import ClientConfig, ClientFactory
from a2a.client.client import Client
from a2a.types import a2a_pb2 as pb
from a2a.utils.errors import TaskNotCancelableError, TaskNotFoundError, UnsupportedOperationError
from tests.protocols.a2a.talking import Gate, state, states, text

PATIENCE = 20
WAYS = {
    "JSON-RPC 1.0": ("JSONRPC", "1.0"),
    "HTTP+JSON 1.0": ("HTTP+JSON", "1.0"),
    "JSON-RPC 0.3": ("JSONRPC", "0.3"),
    "HTTP+JSON 0.3": ("HTTP+JSON", "0.3"),
}


@pytest.fixture(params=WAYS)
async def official(request: pytest.FixtureRequest, working: Any) -> AsyncIterator[Client]:
    """The official client, made from the card that the server shows."""
    binding, version = WAYS[request.param]
    async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as http:
        config = ClientConfig(httpx_client=http, streaming=True, supported_protocol_bindings=[binding])
        factory = ClientFactory(config)
        card = await factory_card(http, str(working.client.base_url))
        only = [
            one
            for one in card.supported_interfaces
            if (one.protocol_binding, one.protocol_version) == (binding, version)
        ]
        del card.supported_interfaces[:]
        card.supported_interfaces.extend(only)
        if version == "0.3":
            http.headers.pop("a2a-version", None)
        yield factory.create(card)


async def factory_card(http: httpx.AsyncClient, base: str) -> Any:
    from a2a.client.card_resolver import A2ACardResolver

    return await A2ACardResolver(http, base).get_agent_card()


def asking(words: str, **fields: Any) -> Any:
    sent = pb.Message(message_id=f"sdk-{id(object())}-{words}", role="ROLE_USER", parts=[pb.Part(text=words)], **fields)
    return pb.SendMessageRequest(message=sent)


async def all_of(stream: Any) -> list[Any]:
    async with asyncio.timeout(PATIENCE):
        return [item async for item in stream]


async def test_text_streams_and_the_task_is_kept(official: Client) -> None:
    stream = await all_of(official.send_message(asking("report")))

    assert states(stream)[-1] == "COMPLETED"
    task = await official.get_task(pb.GetTaskRequest(id=stream[0].task.id))
    assert {text(artifact) for artifact in task.artifacts} == {"Here it is.", "Chapter one. Chapter two."}


async def test_a_question_is_asked_and_answered(official: Client) -> None:
    waiting = (await all_of(official.send_message(asking("ask"))))[0].task

    stream = await all_of(official.send_message(asking("Bern", task_id=waiting.id, context_id=waiting.context_id)))

    assert states(stream)[-1] == "COMPLETED"
    assert any("Bern" in text(item.artifact_update.artifact) for item in stream if item.HasField("artifact_update"))


async def test_a_long_task_is_left_watched_again_and_cancelled(official: Client, gate: Gate) -> None:
    request = asking("slow")
    stream = official.send_message(request)
    task_id = (await anext(stream)).task.id
    await stream.aclose()
    async with asyncio.timeout(PATIENCE):
        await gate.reached.wait()

    watching = official.subscribe(pb.SubscribeToTaskRequest(id=task_id))
    first = await anext(watching)
    cancelled = await official.cancel_task(pb.CancelTaskRequest(id=task_id))
    rest = await all_of(watching)

    assert state(first.task) == "WORKING"
    assert state(cancelled) == "CANCELED"
    assert states(rest)[-1] == "CANCELED"


async def test_errors_are_the_sdks_own(official: Client) -> None:
    done = (await all_of(official.send_message(asking("hello"))))[0].task

    with pytest.raises(TaskNotFoundError):
        await official.get_task(pb.GetTaskRequest(id="nobody"))
    with pytest.raises(TaskNotCancelableError):
        await official.cancel_task(pb.CancelTaskRequest(id=done.id))
    with pytest.raises(UnsupportedOperationError):
        await all_of(official.subscribe(pb.SubscribeToTaskRequest(id=done.id)))


@pytest.mark.parametrize("official", ["JSON-RPC 1.0", "HTTP+JSON 1.0", "JSON-RPC 0.3"], indirect=True)
async def test_notifications_are_asked_for_and_listed(official: Client) -> None:
    task = (await all_of(official.send_message(asking("ask"))))[0].task
    config = pb.TaskPushNotificationConfig(task_id=task.id, id="mine", url="http://127.0.0.1:9/hook")

    made = await official.create_task_push_notification_config(config)
    listed = await official.list_task_push_notification_configs(
        pb.ListTaskPushNotificationConfigsRequest(task_id=task.id)
    )
    await official.delete_task_push_notification_config(
        pb.DeleteTaskPushNotificationConfigRequest(task_id=task.id, id="mine")
    )

    assert made == config
    assert list(listed.configs) == [config]


@pytest.mark.parametrize("official", ["JSON-RPC 1.0", "HTTP+JSON 1.0"], indirect=True)
async def test_tasks_are_listed(official: Client) -> None:
    await all_of(official.send_message(asking("hello")))

    found = await official.list_tasks(pb.ListTasksRequest(status="TASK_STATE_COMPLETED", page_size=1))

    assert found.total_size == 1
