"""Reads Server-Sent Events as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame with data; `id` is its sequence number, if it has one."""

    id: int | None
    data: bytes


async def frames(response: httpx.Response) -> AsyncIterator[Frame]:
    """The frames of a stream; comments and hints to come back are left out, half a frame at a cut is too."""
    rest = b""
    async for data in response.aiter_bytes():
        *parts, rest = (rest + data).split(b"\n\n")
        for part in parts:
            fields = dict(line.split(b": ", 1) for line in part.split(b"\n") if not line.startswith(b":"))
            if b"data" in fields:
                yield Frame(int(fields[b"id"]) if b"id" in fields else None, fields[b"data"])
