"""What every client of the storm does: ask, keep coming back until the run has ended, answer its questions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from tests.chaos.mortal import Served
from tests.chaos.transcript import Transcript

AGENT = "teller"
BREATH = 0.05
"""Seconds between two attempts."""
MAY_PASS = ("store_unavailable", "store_busy", "unavailable")
"""What the store answers while it is away or busy, and a process that ends."""


class CutOff(Exception):
    """The connection ended before the stream did."""


class Refused(Exception):
    """The server cannot answer now: come back."""


class Client:
    """One client with a thread of its own. `run` is what is asked at the moment; `waiting`: it has no answer yet."""

    def __init__(self, name: str, server: Served, http: httpx.AsyncClient) -> None:
        self.thread = name
        self.server = server
        self.http = http
        self.run = ""
        self.acknowledged = False
        self.waiting = False
        self.attaches = 0
        self.refusals = 0
        self._asked: dict[str, str] = {}

    async def ask(self, run: str, question: str) -> Transcript:
        """Ask, and return what was assembled when the run has ended."""
        self.run, self.acknowledged, self.waiting = run, False, True
        self.forget()
        while True:
            try:
                if await self.attach(await self.server.base(), question):
                    self.waiting = False
                    return self.assembled()
            except (httpx.TransportError, CutOff, Refused) as error:
                self.refusals += isinstance(error, Refused)
                await asyncio.sleep(BREATH)
            self.attaches += 1

    # -- what a protocol fills in

    def forget(self) -> None:
        """A new run begins."""
        raise NotImplementedError

    async def attach(self, base: str, question: str) -> bool:
        """Open one stream, or what stands for it, and read it to its end; whether the run has ended."""
        raise NotImplementedError

    def assembled(self) -> Transcript:
        """What the client shows now."""
        raise NotImplementedError

    # -- what they share

    @asynccontextmanager
    async def stream(self, method: str, url: str, **request: Any) -> AsyncIterator[httpx.Response]:
        """A stream that was accepted."""
        async with self.http.stream(method, url, **request) as response:
            if response.status_code not in (200, 204):
                await response.aread()
                check_able(response)
                raise AssertionError(f"{method} {url}: {response.status_code} {response.text[:500]}")
            yield response

    async def get(self, url: str, **query: Any) -> Any:
        """The JSON at a URL."""
        return (await self._sent(await self.http.get(url, params=query))).json()

    async def decide(self, base: str, interrupts: list[tuple[str, str]]) -> None:
        """Answer questions, given as (interrupt id, call id): yes at first, no when a call is asked about again."""
        for interrupt, call in interrupts:
            first = self._asked.setdefault(call, interrupt)
            body = {"interrupt_id": interrupt, "approved": first == interrupt, "decision_id": f"d-{interrupt}"}
            await self._sent(await self.http.post(f"{base}/v1/runs/{self.run}/decision", json=body))

    async def rests(self, base: str) -> bool:
        """Whether the run has ended. If it waits, its questions are answered."""
        status = (await self.get(f"{base}/v1/runs/{self.run}"))["status"]
        if status == "waiting":
            active = await self.get(f"{base}/v1/threads/{self.thread}/runs/active")
            await self.decide(base, [(asked["id"], asked["call_id"]) for asked in active["interrupts"]])
        return status in ("completed", "failed", "cancelled")

    async def _sent(self, response: httpx.Response) -> httpx.Response:
        if response.is_error:
            check_able(response)
            raise AssertionError(f"{response.request.url}: {response.status_code} {response.text[:500]}")
        return response


def check_able(response: httpx.Response) -> None:
    """Raises `Refused` when an error says that it may pass."""
    if response.is_server_error and response.json()["code"] in MAY_PASS:
        raise Refused
