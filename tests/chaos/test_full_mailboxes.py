"""Mailboxes that are filled to the brim refuse what does not fit and lose nothing of what they took."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator

import httpx
import pytest

from wakeful.contracts.event import TextDelta
from wakeful.contracts.model import ModelChunk, ModelRequest, ReplyFinished
from wakeful.sdk.agent import Agent

pytestmark = pytest.mark.network


class Gated:
    """Answers nobody before the gate is open."""

    name = "gated"

    def __init__(self) -> None:
        self.gate = asyncio.Event()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[list[ModelChunk]]:
        """The question again."""
        await self.gate.wait()
        yield [TextDelta(f"re: {request.messages[-1].text}"), ReplyFinished("stop")]

    async def aclose(self) -> None:
        """Nothing to release."""


@pytest.mark.parametrize(
    ("threads", "each"), [(10, 50), pytest.param(40, 250, marks=pytest.mark.chaos, id="ten thousand")]
)
@pytest.mark.proves("R18")
async def test_what_was_accepted_is_answered_once_and_what_does_not_fit_is_refused(
    serve, monkeypatch: pytest.MonkeyPatch, threads: int, each: int
) -> None:
    monkeypatch.setenv("WAKEFUL_MAX_BACKLOG", str(each))
    model = Gated()
    client = (await serve(agents=[Agent("assistant", model="gated:m")], providers=[model])).client
    names = [f"thread-{i}" for i in range(threads)]

    refusals = await asyncio.gather(*(_fill(client, name, each) for name in names))
    model.gate.set()
    await asyncio.gather(*(_drained(client, name, each) for name in names))

    for refused in refusals:
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
    for name in names:
        expected = [(role, text) for i in range(each) for role, text in (("user", f"{i}"), ("assistant", f"re: {i}"))]
        assert await _said(client, name) == expected
    assert Counter((await client.get("/v1/runs/summary")).json().values()) == Counter({0: 3})


async def _fill(client: httpx.AsyncClient, thread: str, each: int) -> httpx.Response:
    """Post as many messages as fit; the answer to one more."""
    await client.post("/v1/threads", json={"id": thread})
    for number in range(each):
        answer = await _post(client, thread, number)
        assert answer.status_code == 202, answer.text
    return await _post(client, thread, each)


async def _post(client: httpx.AsyncClient, thread: str, number: int) -> httpx.Response:
    body = {"run_id": f"{thread}-{number}", "messages": [{"content": f"{number}"}]}
    return await client.post(f"/v1/threads/{thread}/messages", json=body, timeout=60)


async def _drained(client: httpx.AsyncClient, thread: str, each: int) -> None:
    await client.get(f"/v1/runs/{thread}-{each - 1}/events/stream", timeout=240)


async def _said(client: httpx.AsyncClient, thread: str) -> list[tuple[str, str]]:
    said: list[tuple[str, str]] = []
    query: dict[str, str | int] = {"limit": 200}
    while True:
        page = (await client.get(f"/v1/threads/{thread}/messages", params=query)).json()
        said += [(message["role"], message["parts"][0]["text"]) for message in page["messages"]]
        if not page["has_more"]:
            return said
        query["cursor"] = page["next_cursor"]
