"""A client's view of an event stream while it goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, Self

import httpx

PATIENCE = 60


class Events:
    """Reads a stream in the background. `seen` holds its events, `numbers` their ids where they have one."""

    def __init__(self, client: httpx.AsyncClient, method: str, path: str, request: dict[str, Any]) -> None:
        self._opening = client.stream(method, path, **request)
        self._stack = AsyncExitStack()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.seen: list[dict[str, Any]] = []
        self.numbers: list[int] = []
        self.status = 0

    async def __aenter__(self) -> Self:
        response = await self._stack.enter_async_context(self._opening)
        self.status = response.status_code
        self._task = asyncio.create_task(self._read(response))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._stack.aclose()

    @property
    def open(self) -> bool:
        """Whether the server has not ended it."""
        return self._task is not None and not self._task.done()

    async def until(self, enough: Callable[[list[dict[str, Any]]], object]) -> None:
        """Return when what was seen is enough."""
        async with asyncio.timeout(PATIENCE):
            while not enough(self.seen):
                assert self.open, f"the stream has ended with {self.seen[-3:]}"
                self._news.clear()
                await self._news.wait()

    async def rest(self) -> list[dict[str, Any]]:
        """All events, once the server has ended the stream."""
        assert self._task is not None
        async with asyncio.timeout(PATIENCE):
            await self._task
        return self.seen

    async def _read(self, response: httpx.Response) -> None:
        try:
            async for line in response.aiter_lines():
                if line.startswith("id: "):
                    self.numbers.append(int(line[4:]))
                elif line.startswith("data: ") and line != "data: [DONE]":
                    self.seen.append(json.loads(line[6:]))
                    self._news.set()
        finally:
            self._news.set()


def text_of(events: list[dict[str, Any]]) -> str:
    """What the model said, in any of the three protocols."""
    kinds = ("text_delta", "text-delta", "TEXT_MESSAGE_CONTENT")
    return "".join(event["delta"] for event in events if event["type"] in kinds)
