"""What changes is told to who listens: threads, runs and their list, in both eras."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.protocols.mcp.peer import ACCEPT, LEGACY, MODERN, PATH, Peer, _frames

from wakeful.protocols.mcp import session_streams

LIST = "notifications/resources/list_changed"
UPDATED = "notifications/resources/updated"
PATIENCE = 30


@asynccontextmanager
async def hearing(peer: Peer) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """The messages of the session's own stream."""
    headers = {"accept": ACCEPT, "mcp-session-id": peer.session or "", "mcp-protocol-version": LEGACY}
    async with peer.client.stream("GET", PATH, headers=headers, timeout=PATIENCE) as response:
        assert response.status_code == 200
        peer.traffic.complete = False  # what may be told is written before there is any need
        yield (message async for _, message in _frames(response) if message)


@asynccontextmanager
async def listening(peer: Peer, **asked: Any) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    body = peer.asking("subscriptions/listen", {"notifications": asked})
    async with peer.streaming(body, MODERN) as frames:
        yield (message async for _, message in frames if message)


async def until(messages: AsyncIterator[dict[str, Any]], method: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        async for message in messages:
            if message["method"] == method:
                return message
    raise AssertionError(f"the stream ended without {method}")


async def say(peer: Peer, thread: str) -> str:
    """A run on a thread, to its end."""
    found = await peer.call(meta={"wakeful/threadId": thread})
    return found["structuredContent"]["runId"]


async def make_thread(peer: Peer, name: str) -> None:
    assert (await peer.client.post("/v1/threads", json={"id": name})).status_code < 300


async def test_a_session_hears_of_the_threads_and_runs_it_subscribed_to(offer: Any) -> None:
    held = asyncio.Event()
    peer = await offer(["one", [held, "two"], "three"])
    await peer.initialize()
    for name in ("t", "other"):
        await make_thread(peer, name)
    uri = "wakeful://threads/t"

    async with hearing(peer) as messages:
        assert (await peer.request("resources/subscribe", {"uri": uri}))["result"] == {}
        await say(peer, "other")
        talking = asyncio.create_task(say(peer, "t"))
        first = await until(messages, UPDATED)
        held.set()
        run = f"wakeful://runs/{await talking}"
        assert (await peer.request("resources/unsubscribe", {"uri": uri}))["result"] == {}

    assert first["params"] == {"uri": uri}
    assert (await peer.request("resources/subscribe", {"uri": run}))["result"] == {}


async def test_what_was_missed_between_two_streams_is_told_by_the_next(offer: Any) -> None:
    peer = await offer(["one"])
    await peer.initialize()
    await make_thread(peer, "t")
    await peer.request("resources/subscribe", {"uri": "wakeful://threads/t"})

    await say(peer, "t")

    async with hearing(peer) as messages:
        assert (await until(messages, UPDATED))["params"]["uri"] == "wakeful://threads/t"


async def test_a_session_hears_that_threads_came_went_or_were_renamed(offer: Any) -> None:
    peer = await offer()
    await peer.initialize()

    async with hearing(peer) as messages:
        for change in (
            peer.client.post("/v1/threads", json={"id": "t"}),
            peer.client.patch("/v1/threads/t", json={"title": "New"}),
            peer.client.delete("/v1/threads/t"),
        ):
            await asyncio.gather(asyncio.sleep(0), change)
            assert "id" not in await until(messages, LIST)


async def test_a_session_has_one_stream_at_a_time(offer: Any) -> None:
    peer = await offer()
    await peer.initialize()
    headers = {"accept": ACCEPT, "mcp-session-id": peer.session or ""}

    async with hearing(peer) as messages:
        await make_thread(peer, "t")
        assert await until(messages, LIST)
        another = await peer.client.get(PATH, headers=headers)
        await make_thread(peer, "u")
        assert await until(messages, LIST)

    assert another.status_code == 409
    assert another.json()["error"]["code"] == -32600


async def test_of_the_streams_in_several_processes_the_newest_tells_and_the_others_end(
    offer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_streams, "SWEEP_SECONDS", 0.01)
    store = f"sqlite:///{tmp_path / 'store.db'}"
    one, other = await offer(store=store), await offer(store=store)
    await one.initialize()
    other.session = one.session

    async with asyncio.timeout(PATIENCE), hearing(one) as first, hearing(other) as second:
        rest = [message async for message in first]
        await make_thread(one, "t")
        assert await until(second, LIST)

    assert rest == []


async def test_the_stream_of_a_session_ends_with_it(offer: Any) -> None:
    peer = await offer()
    await peer.initialize()

    async with asyncio.timeout(PATIENCE), hearing(peer) as messages:
        assert (await peer.client.delete(PATH, headers={"mcp-session-id": peer.session})).status_code == 204
        assert [message async for message in messages] == []


async def test_a_session_that_outlives_its_process_hears_that_other_things_are_offered(
    offer: Any, tmp_path: Path
) -> None:
    store = f"sqlite:///{tmp_path / 'store.db'}"
    before = await offer(store=store)
    capabilities = (await before.initialize())["capabilities"]
    await before.server.runtime.inner.stop()

    after = await offer(store=store, tools=[], resources=[])
    after.session = before.session
    async with hearing(after) as messages:
        told = [await until(messages, f"notifications/{name}/list_changed") for name in ("tools", "resources")]
    async with hearing(after) as messages:
        await make_thread(after, "t")
        async with asyncio.timeout(PATIENCE):
            again = [await anext(messages)]

    assert len(told) == 2
    assert [one["method"] for one in again] == [LIST]
    assert capabilities["tools"] == capabilities["prompts"] == {"listChanged": True}


async def test_a_subscription_needs_something_that_is_there_and_knows_an_end(offer: Any) -> None:
    peer = await offer()
    await peer.initialize()
    for number in range(65):
        await make_thread(peer, f"t{number}")

    async def subscribed(uri: str) -> Any:
        found = await peer.request("resources/subscribe", {"uri": uri})
        return found.get("result", found.get("error", {}).get("code"))

    assert await subscribed("wakeful://threads/none") == -32002
    assert await subscribed("docs:guide") == {}
    assert [await subscribed(f"wakeful://threads/t{number}") for number in range(64)] == [{}] * 64
    assert await subscribed("wakeful://threads/t64") == -32602
    assert await subscribed("wakeful://threads/t0") == {}


@pytest.mark.parametrize("kind", ["threads", "runs"])
async def test_who_listens_hears_of_threads_and_runs(offer: Any, kind: str) -> None:
    held = asyncio.Event()
    peer = await offer(["one", [held, "two"]])
    await make_thread(peer, "t")
    await say(peer, "t")
    talking = asyncio.create_task(say(peer, "t"))
    async with asyncio.timeout(PATIENCE):
        while len(runs := (await peer.client.get("/v1/runs")).json()["items"]) < 2:
            pass
    uri = {"threads": "wakeful://threads/t", "runs": f"wakeful://runs/{runs[0]['run_id']}"}[kind]

    async with listening(peer, resourceSubscriptions=[uri, "docs:guide", "x"], toolsListChanged=True) as messages:
        acknowledged = await until(messages, "notifications/subscriptions/acknowledged")
        held.set()
        told = await until(messages, UPDATED)
        await talking

    assert acknowledged["params"]["notifications"] == {"resourceSubscriptions": [uri]}
    assert told["params"]["uri"] == uri


async def test_who_listens_hears_of_the_list_where_it_asked_to(offer: Any) -> None:
    peer = await offer()

    async with listening(peer, resourcesListChanged=True, promptsListChanged=True) as messages:
        acknowledged = await until(messages, "notifications/subscriptions/acknowledged")
        await asyncio.sleep(0)
        await make_thread(peer, "t")
        told = await until(messages, LIST)

    assert acknowledged["params"]["notifications"] == {"resourcesListChanged": True}
    assert "io.modelcontextprotocol/subscriptionId" in told["params"]["_meta"]


async def test_a_stream_that_looked_for_subscriptions_often_still_tells(
    offer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_streams, "SWEEP_SECONDS", 0.01)
    peer = await offer()
    await peer.initialize()

    async with hearing(peer) as messages:
        for name in ("t", "u"):
            await make_thread(peer, name)
            assert await until(messages, LIST)
