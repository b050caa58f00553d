"""What a stream says that answers no call: messages on their way, a bounded number of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from wakeful.server.operations import Operations

WAITING = 64
SILENCE_SECONDS = 2
"""How long nothing is sent at most; also how long it takes to notice that the process goes down."""


class Outbox:
    """Filled by what goes on beside a stream, emptied by its client; a client that is slow holds up who fills it."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue(WAITING)

    async def put(self, message: bytes) -> None:
        """One more message; waits for room."""
        await self._waiting.put(message)

    async def close(self) -> None:
        """Let the stream end when all is sent."""
        await self._waiting.put(None)

    async def messages(self) -> AsyncGenerator[bytes]:
        """All of them, empty bytes for silence, until it is closed or the process goes down."""
        while not self._operations.going_down:
            try:
                async with asyncio.timeout(SILENCE_SECONDS):
                    found = await self._waiting.get()
            except TimeoutError:
                found = b""
            if found is None:
                return
            yield found
