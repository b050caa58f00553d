"""Puts messages into a thread's mailbox while the server comes and goes, and remembers which were accepted."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

import httpx
from tests.chaos.clients import AGENT, BREATH, Refused, check_able
from tests.chaos.mortal import Served

BUNDLE = 3
"""Letters sent in a row, so that some wait for their turn."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that the server said it accepted."""

    thread: str
    run: str
    message: str
    question: str


class Postman:
    """One thread of letters. What is not acknowledged is sent again under the same `Idempotency-Key`.

    `pause` is how many seconds pass between two bundles, at least and at most.
    """

    def __init__(
        self, thread: str, server: Served, http: httpx.AsyncClient, seed: int, pause: tuple[float, float]
    ) -> None:
        self.letters: list[Letter] = []
        self.refusals = 0
        self._thread = thread
        self._server = server
        self._http = http
        self._pause = pause
        self._rng = random.Random(f"{thread} {seed}")

    async def walk(self, calm: asyncio.Event) -> None:
        """Post until it is calm, at least one bundle."""
        await self._send("/v1/threads", {"id": self._thread}, accepted=(201, 409), key=None)
        while not self.letters or not calm.is_set():
            for _ in range(BUNDLE):
                await self._post(len(self.letters))
            await asyncio.sleep(self._rng.uniform(*self._pause))

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
                check_able(answer)
            except (httpx.TransportError, Refused) as error:
                self.refusals += isinstance(error, Refused)
                await asyncio.sleep(BREATH)
                continue
            assert answer.status_code in accepted, f"{path}: {answer.status_code} {answer.text[:500]}"
            return
