"""What a browser sees of a run whose step began again: the process went down, or the model failed in mid-text."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from wakeful.contracts.model_errors import Overloaded
from wakeful.providers.scripted import ScriptedProvider
from wakeful.sdk.agent import Agent

AI_SDK = "/v1/ai-sdk/agents/assistant/runs"
AG_UI = "/v1/ag-ui/agents/assistant/runs"
CHAT = {"id": "t", "runId": "r", "messages": [{"id": "u", "role": "user", "parts": [{"type": "text", "text": "tell"}]}]}
INPUT = {"threadId": "t", "runId": "r", "messages": [{"id": "u", "role": "user", "content": "tell"}]}


def payloads(text: str) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def streamed(events: list[dict[str, Any]]) -> str:
    return "".join(event["delta"] for event in events if event["type"] in {"text-delta", "TEXT_MESSAGE_CONTENT"})


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


def scripted(*replies: Any) -> dict[str, Any]:
    return {"agents": [Agent("assistant", model="scripted:any")], "providers": [ScriptedProvider(replies)]}


class Restarted:
    """A run that is carried again after it was cut off in mid-text; `seen` is the last id shown before."""

    def __init__(self, server: Any, seen: int, go_on: asyncio.Event) -> None:
        self.server = server
        self.seen = seen
        self._go_on = go_on

    async def replay(self, path: str, **request: Any) -> list[dict[str, Any]]:
        """What a client that comes back is sent. The new attempt goes on once it has shown its first word."""
        found: list[dict[str, Any]] = []
        async with self.server.stream("GET", path, **request) as frames:
            async for frame in frames:
                if frame.data and frame.data != "[DONE]":
                    found.append(frame.json)
                if "Again" in (frame.data or ""):
                    self._go_on.set()
        return found


Restart = Callable[[str, Any], AbstractAsyncContextManager[Restarted]]


async def first(frames: AsyncIterator[Any], word: str) -> int:
    """The id of the first frame that has `word`."""
    return await anext(frame.id async for frame in frames if frame.id and word in (frame.data or ""))


@pytest.fixture
def restart(serving: Any, tmp_path: Path) -> Restart:
    """`async with restart(path, body) as run`: the run that was asked for there began again; five seconds for all."""

    @asynccontextmanager
    async def block(path: str, body: Any) -> AsyncIterator[Restarted]:
        store, go_on = f"sqlite:///{tmp_path / 'runs.db'}", asyncio.Event()
        before = serving(store=store, **scripted(["Once upon", asyncio.Event()]))
        async with before as server, asyncio.timeout(5), server.stream("POST", path, json=body) as frames:
            seen = await first(frames, "upon")
        async with serving(store=store, **scripted(["Again", go_on, "."])) as server, asyncio.timeout(5):
            yield Restarted(server, seen, go_on)

    return block


async def test_a_replay_over_the_ai_sdk_shows_only_what_counts_in_one_message(restart: Restart) -> None:
    async with restart(AI_SDK, CHAT) as run:
        found = await run.replay("/v1/ai-sdk/threads/t/stream")
        history = (await run.server.client.get("/v1/ai-sdk/threads/t/messages")).json()["messages"]

    assert streamed(found) == "Again."
    assert (kinds(found).count("start"), kinds(found).count("start-step")) == (1, 1)
    assert found[-1]["finishReason"] == "stop"
    assert found[0]["messageId"] == history[-1]["id"]


@pytest.mark.parametrize(
    "path", ["/v1/ag-ui/runs/r/stream", "/v1/ag-ui/agents/assistant/runs/r/stream", "/v1/ag-ui/threads/t/stream"]
)
async def test_a_replay_over_ag_ui_gives_the_messages_before_and_only_what_counts(path: str, restart: Restart) -> None:
    async with restart(AG_UI, INPUT) as run:
        found = await run.replay(path, params={"protocolVersion": "1.0"})

    assert kinds(found)[:2] == ["RUN_STARTED", "MESSAGES_SNAPSHOT"]
    assert found[1]["messages"] == [{"id": "u", "role": "user", "content": "tell"}]
    assert streamed(found) == "Again."
    assert kinds(found).count("RUN_STARTED") == 1
    assert found[-1]["outcome"] == {"type": "success"}


async def test_a_client_of_ag_ui_that_saw_a_part_is_told_that_it_is_void(restart: Restart) -> None:
    async with restart(AG_UI, INPUT) as run:
        found = await run.replay("/v1/ag-ui/runs/r/stream", headers={"last-event-id": str(run.seen)})

    (notice,) = [event["value"] for event in found if event.get("name") == "step_restarted"]
    starts = [event["messageId"] for event in found if event["type"] == "TEXT_MESSAGE_START"]
    assert "RUN_STARTED" not in kinds(found)
    assert starts == [f"{notice['messageId']}:a2"]
    assert kinds(found)[-1] == "RUN_FINISHED"


async def test_the_run_id_a_client_of_ag_ui_asks_under_is_echoed(serve: Callable[..., Awaitable[Any]]) -> None:
    server = await serve(**scripted("Hello."))
    await server.client.post(AG_UI, json=INPUT)

    found = payloads((await server.client.get("/v1/ag-ui/runs/r/stream", params={"runId": "mine"})).text)

    assert {event["runId"] for event in found if "runId" in event} == {"mine"}


async def test_a_client_of_ag_ui_is_shown_the_last_run_of_an_idle_thread_as_often_as_it_asks(
    serve: Callable[..., Awaitable[Any]],
) -> None:
    server = await serve(**scripted("Hello.", "Bye."))
    await server.client.post(AG_UI, json=INPUT)
    more = {"id": "u2", "role": "user", "content": "and?"}
    await server.client.post(AG_UI, json=INPUT | {"runId": "r2", "messages": [more]})

    once, again = [await server.client.get("/v1/ag-ui/threads/t/stream") for _ in range(2)]

    found = payloads(once.text)
    assert [message["content"] for message in found[1]["messages"]] == ["tell", "Hello.", "and?"]
    assert streamed(found) == "Bye."
    assert again.text == once.text


async def test_what_is_not_there_cannot_be_shown_again(serve: Callable[..., Awaitable[Any]]) -> None:
    server = await serve(**scripted("Hello."))
    await server.client.post(AG_UI, json=INPUT)

    unknown = await server.client.get("/v1/ag-ui/runs/nobody/stream")
    elsewhere = await server.client.get("/v1/ag-ui/agents/other/runs/r/stream")
    no_thread = await server.client.get("/v1/ag-ui/threads/nowhere/stream")

    assert (unknown.status_code, elsewhere.status_code) == (404, 404)
    assert (no_thread.status_code, payloads(no_thread.text)) == (200, [])


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({}, "data-step-restarted"),
        ({"x-wakeful-ai-sdk": "6"}, "data-step-restarted"),
        ({"x-wakeful-ai-sdk": "7"}, "reset-step"),
    ],
)
async def test_only_a_client_that_asked_for_major_7_is_sent_its_chunks(
    headers: dict[str, str], told: str, serve: Callable[..., Awaitable[Any]]
) -> None:
    server = await serve(**scripted(["Once upon", Overloaded("try later")], "Once more."))

    response = await server.client.post(AI_SDK, json=CHAT, headers=headers)

    found = kinds(payloads(response.text))
    assert {"data-step-restarted", "reset-step"} & set(found) == {told}
    assert "error" not in found
    assert found.index("data-retry") < found.index(told)
