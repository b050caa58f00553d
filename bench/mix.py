"""Mixed traffic: what clients do to a server, the rude things too; each visit looks whether it was treated right."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from itertools import count
from typing import Any

from bench.client import Answer, Connection
from bench.wires import AI_SDK, NATIVE, WIRES, Wire

PATIENCE = 60
"""Seconds after which a visit has failed."""
PAUSE_SECONDS = 0.05
READ_BEFORE_LEAVING = 5
LONG = "say 3000"
SLOW = "say 200 every 5 ms"
BAD: tuple[tuple[str, str, bytes | None, int], ...] = (
    ("POST", "/v1/runs", b"{", 400),
    ("POST", "/v1/runs", b"{}", 400),
    ("POST", "/v1/runs", b'{"agent_id": "nobody", "messages": [{"content": "say 1"}]}', 404),
    ("POST", AI_SDK.path, b"[]", 400),
    ("GET", "/v1/runs/unknown", None, 404),
    ("GET", "/v1/runs/unknown/events/stream", None, 404),
    ("GET", "/nowhere", None, 404),
    ("PUT", "/v1/runs", b"{}", 405),
)


class Mistreated(Exception):
    """A client did not get what it is promised; the message says what it expected and what it found."""


class Mix:
    """Visits to the server at a port, whose agent `bench` is that of `bench.served`. `visits` counts them by kind."""

    def __init__(self, port: int, *, name: str = "mix") -> None:
        self._port = port
        self._name = name
        self._numbers = count(1)
        self.visits: Counter[str] = Counter()

    async def round(self) -> None:
        """Every kind of visit over every protocol it is for, side by side. Raises `Mistreated` in a group."""
        async with asyncio.TaskGroup() as tasks:
            for wire in WIRES.values():
                for kind in ASKING:
                    tasks.create_task(self._visit(kind, wire), name=kind)
            for kind in NATIVE_ONLY:
                tasks.create_task(self._visit(kind, NATIVE), name=kind)

    async def _visit(self, kind: str, wire: Wire) -> None:
        async with asyncio.timeout(PATIENCE), await Connection.open(self._port) as connection:
            await KINDS[kind](self, connection, wire)
        self.visits[kind] += 1

    # -- kinds of visits

    async def short(self, connection: Connection, wire: Wire) -> None:
        await self._whole(connection, wire, "say 1")

    async def stream(self, connection: Connection, wire: Wire) -> None:
        await self._whole(connection, wire, "say 200")

    async def tool(self, connection: Connection, wire: Wire) -> None:
        await self._whole(connection, wire, "call look_up then say 3")

    async def stall(self, connection: Connection, wire: Wire) -> None:
        """Read nothing for a while in the middle, then the rest."""
        run = self._next()
        answer = await connection.begin("POST", wire.path, wire.body(run, run, LONG))
        connection.stall()
        await asyncio.sleep(PAUSE_SECONDS)
        connection.go_on()
        await connection.rest()
        _expect_end(answer, wire)

    async def vanish(self, connection: Connection, wire: Wire) -> None:
        """Go away in the middle; the run goes on."""
        run = self._next()
        await connection.begin("POST", wire.path, wire.body(run, run, LONG))

    async def approve(self, connection: Connection, wire: Wire) -> None:
        """A run that waits for a decision, and goes on with it."""
        run = self._next()
        asked = await connection.ask("POST", wire.path, wire.body(run, run, "call send_letter then say 2"))
        _expect(asked, 200, "an approval is asked for")
        waiting = await self._json(connection, "GET", f"/v1/threads/{run}/runs/active")
        interrupt, run_id = waiting["interrupts"][0]["id"], waiting["active_run"]["run_id"]
        decision = {"interrupt_id": interrupt, "approved": True}
        _expect(await connection.ask("POST", f"/v1/runs/{run_id}/decision", decision), 202, "an approval is given")
        again = await connection.ask("GET", NATIVE.again(run, run_id))
        _expect_end(again, NATIVE)

    async def cancel(self, connection: Connection, wire: Wire) -> None:
        """A run that is stopped while it is read."""
        run = self._next()
        answer = await connection.begin("POST", wire.path, wire.body(run, run, "say 100000 every 10 ms"))
        async with await Connection.open(self._port) as other:
            _expect(await other.ask("POST", f"/v1/threads/{run}/cancel", {}), 202, "a cancel")
        await connection.rest()
        _expect(answer, 200, "a stream that is cancelled ends")

    async def resume(self, connection: Connection, wire: Wire) -> None:
        """Leave in the middle and come back with the number of the last event; none is missed or seen twice."""
        run = self._next()
        seen: list[int] = []
        async with aclosing(connection.stream("POST", wire.path, wire.body(run, run, SLOW))) as events:
            async for event in events:
                seen.append(json.loads(event)["seq"])
                if len(seen) == READ_BEFORE_LEAVING:
                    break
        connection.vanish()
        async with await Connection.open(self._port) as later:
            async for event in later.stream("GET", wire.again(run, run), last_event_id=str(seen[-1])):
                seen.append(json.loads(event)["seq"])
        if seen != list(range(seen[0], seen[0] + len(seen))):
            raise Mistreated(f"expected every event of {run} once and in order, found {seen}")

    async def bad(self, connection: Connection, wire: Wire) -> None:
        """Requests that are refused."""
        for method, path, body, status in BAD:
            _expect(await connection.ask(method, path, body), status, f"{method} {path} with {body!r}")

    async def read(self, connection: Connection, wire: Wire) -> None:
        """Lists and histories."""
        for path in ("/v1/threads?limit=5", "/v1/runs?limit=5", "/v1/runs/summary", "/health"):
            _expect(await connection.ask("GET", path), 200, path)

    # -- what they share

    async def _whole(self, connection: Connection, wire: Wire, text: str) -> None:
        run = self._next()
        _expect_end(await connection.ask("POST", wire.path, wire.body(run, run, text)), wire)

    async def _json(self, connection: Connection, method: str, path: str) -> Any:
        answer = await connection.ask(method, path)
        _expect(answer, 200, path)
        return answer.json()

    def _next(self) -> str:
        return f"{self._name}-{next(self._numbers)}"


KINDS: Mapping[str, Callable[[Mix, Connection, Wire], Awaitable[None]]] = {
    "short": Mix.short,
    "stream": Mix.stream,
    "tool": Mix.tool,
    "stall": Mix.stall,
    "vanish": Mix.vanish,
    "approve": Mix.approve,
    "cancel": Mix.cancel,
    "resume": Mix.resume,
    "bad": Mix.bad,
    "read": Mix.read,
}
NATIVE_ONLY = ("resume", "bad", "read")
"""What is the same whatever is spoken, or needs the numbers that only native events show."""
ASKING = tuple(kind for kind in KINDS if kind not in NATIVE_ONLY)


def _expect(answer: Answer, status: int, what: str) -> None:
    if answer.status != status:
        raise Mistreated(f"{what}: expected {status}, found {answer.status} {answer.newest[-300:]!r}")


def _expect_end(answer: Answer, wire: Wire) -> None:
    if answer.status != 200 or wire.end not in answer.newest:
        raise Mistreated(f"expected a whole {wire.name} stream, found {answer.status} {answer.newest[-300:]!r}")


async def at_rest(port: int) -> Mapping[str, float]:
    """Wait until the server carries no run and shows no stream; its gauges then, by name."""
    async with asyncio.timeout(PATIENCE), await Connection.open(port) as connection:
        while True:
            gauges = await gauges_of(connection)
            if not gauges["wakeful_active_runs"] and not gauges["wakeful_sse_connections"]:
                return gauges
            await asyncio.sleep(PAUSE_SECONDS)


async def gauges_of(connection: Connection) -> Mapping[str, float]:
    """What `/metrics` shows without labels."""
    text = (await connection.ask("GET", "/metrics")).newest
    return {name.decode(): float(value) for name, value in re.findall(rb"^(\w+) ([\d.e+]+)$", text, re.MULTILINE)}
