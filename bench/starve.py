"""The case `starve`: what waits while many streams take all there is, `/health` and the renewals of leases."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, closing
from pathlib import Path

from bench.client import Answer, Connection
from bench.lab import Lab, laboratory
from bench.machine import allow_open_files
from bench.measured import Measured, Spent
from bench.plan import Ids, Plan

LEASE_SECONDS = 3
RENEWALS = 3
"""How often the server renews a lease in its life."""
LOOK_SECONDS = 0.05
HEALTH_PAUSE_SECONDS = 0.02
LEASES = "select key, due_at from dispatches where status = 'leased'"
LOST = "select key, attempt from runs where attempt > 1"
FILES_PER_STREAM = 2
BEGINNING_SECONDS = 20
"""How long the floods have to begin; those that have not by then wait for their first event throughout."""
PATIENCE = 60
"""Seconds after which `/health` counts as not answered at all."""


class Leases:
    """Looks at the leases of all runs, from outside of the server, and notes when each was renewed."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._until: dict[int, int] = {}
        self.late: list[float] = []
        """Milliseconds by which each renewal began late."""
        self.slow: list[float] = []
        """Milliseconds from the beginning of each renewal until it could be seen."""

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.note(await self._read(LEASES), time.time() * 1000)

    async def lost(self) -> int:
        """How many runs were claimed again because their lease had run out."""
        return len(await self._read(LOST))

    def note(self, leases: Mapping[int, int], now: float) -> None:
        """Take in the time until which each lease is held, in milliseconds since the epoch."""
        for key, until in leases.items():
            before = self._until.get(key)
            if before is not None and until > before:
                self.late.append(max(0.0, until - before - 1000 * LEASE_SECONDS / RENEWALS))
                self.slow.append(max(0.0, now - (until - 1000 * LEASE_SECONDS)))
        self._until = dict(leases)

    async def _read(self, question: str) -> Mapping[int, int]:
        if self._lab.database is not None:
            return {row[0]: row[1] for row in await self._lab.database.sql("postgres", question)}
        return await asyncio.to_thread(pairs_in, self._lab.folder / "bench.db", question)


def held_in(file: Path) -> dict[int, int]:
    """The leases in a SQLite file: until when (ms) each dispatch is held."""
    return pairs_in(file, LEASES)


def pairs_in(file: Path, question: str) -> dict[int, int]:
    """The rows of a query with two columns."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        return dict(connection.execute(question).fetchall())


async def starve(plan: Plan) -> Sequence[Measured]:
    """`/health` and renewals while so many models say as much as is read."""
    floods = min(plan.floods, allow_open_files(FILES_PER_STREAM * plan.floods) // FILES_PER_STREAM)
    async with laboratory(plan.store, WAKEFUL_LEASE_SECONDS=str(LEASE_SECONDS)) as lab, AsyncExitStack() as stack:
        resting = await health(lab, plan.seconds, "/health at rest")
        connections = [await stack.enter_async_context(await Connection.open(lab.port)) for _ in range(floods)]
        ids = Ids.fresh()
        beginning = [asyncio.create_task(_flood(connection, plan, ids.next())) for connection in connections]
        begun, waiting = await asyncio.wait(beginning, timeout=BEGINNING_SECONDS)
        answers = [task.result() for task in begun]
        leases = Leases(lab)
        watching = asyncio.create_task(leases.watch(), name="leases")
        before, clock = sum(answer.events for answer in answers), lab.spent()
        pressed = await health(lab, plan.seconds + LEASE_SECONDS, f"/health beside {floods} floods")
        spent = clock.spent()
        for task in (watching, *waiting):
            task.cancel()
        lost = await leases.lost()
        events = sum(answer.events for answer in answers) - before
    return [
        resting,
        pressed,
        _leases("floods that began", "flood", pressed.spent, [answer.first_ms for answer in answers], len(answers)),
        Measured(case="starve", what=f"{floods} floods, {plan.wire.name}", unit="event", units=events, spent=spent),
        _leases("renewals: lateness", "renewal", pressed.spent, leases.late, len(leases.late)),
        _leases("renewals: until written", "renewal", pressed.spent, leases.slow, len(leases.slow)),
        _leases("leases lost", "lease", pressed.spent, (), lost),
    ]


def _leases(what: str, unit: str, spent: Spent, latency: Sequence[float], count: int) -> Measured:
    return Measured(
        case="starve", what=what, unit=unit, units=max(1, count), spent=spent, latency=latency, count=count, rated=False
    )


async def _flood(connection: Connection, plan: Plan, run: str) -> Answer:
    return await connection.begin("POST", plan.wire.path, plan.wire.body(run, run, "flood"))


async def health(lab: Lab, seconds: float, what: str) -> Measured:
    """One question after the other for so long; counts those that are not answered with 200."""
    asked: list[float] = []
    refused = 0
    began = time.monotonic()
    async with await Connection.open(lab.port) as connection:
        while time.monotonic() < began + seconds:
            async with asyncio.timeout(PATIENCE):
                answer = await connection.ask("GET", "/health")
            refused += answer.status != 200
            asked.append(answer.whole_ms)
            await asyncio.sleep(HEALTH_PAUSE_SECONDS)
    passed = Spent(time.monotonic() - began)
    return Measured(
        case="starve", what=what, unit="answer", units=len(asked), spent=passed, latency=asked, count=refused
    )
