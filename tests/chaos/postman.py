"""Puts messages into a thread's mailbox while the server comes and goes, and remembers which were accepted."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

import httpx
from tests.chaos.clients import AGENT, BREATH
from tests.chaos.mortal import Mortal

BUNDLE = 3
"""Letters sent in a row, so that some wait for their turn."""
PAUSE = (1.0, 3.0)
"""Seconds between two bundles."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that the server said it accepted."""

    thread: str
    run: str
    message: str
    question: str


class Postman:
    """One thread of letters. What is not acknowledged is sent again under the same `Idempotency-Key`."""

    def __init__(self, thread: str, server: Mortal, http: httpx.AsyncClient, seed: int) -> None:
        self.letters: list[Letter] = []
        self._thread = thread
        self._server = server
        self._http = http
        self._rng = random.Random(f"{thread} {seed}")

    async def walk(self, calm: asyncio.Event) -> None:
        """Post until it is calm, at least one bundle."""
        await self._send("/v1/threads", {"id": self._thread}, accepted=(201, 409), key=None)
        while not self.letters or not calm.is_set():
            for _ in range(BUNDLE):
                await self._post(len(self.letters))
            await asyncio.sleep(self._rng.uniform(*PAUSE))

    async def _post(self, number: int) -> None:
        name = f"{self._thread}-{number}"
        letter = Letter(self._thread, name, f"{name}-question", f"letter {self._rng.randrange(10**9)}")
        body = {
            "agent_id": AGENT,
            "run_id": letter.run,
            "messages": [{"id": letter.message, "content": letter.question}],
        }
        await self._send(f"/v1/threads/{self._thread}/messages", body, accepted=(202,), key=letter.run)
        self.letters.append(letter)

    async def _send(self, path: str, body: dict[str, object], *, accepted: tuple[int, ...], key: str | None) -> None:
        headers = {"idempotency-key": key} if key else {}
        while True:
            try:
                answer = await self._http.post(f"{await self._server.base()}{path}", json=body, headers=headers)
            except httpx.TransportError:
                await asyncio.sleep(BREATH)
                continue
            assert answer.status_code in accepted, f"{path}: {answer.status_code} {answer.text[:500]}"
            return
