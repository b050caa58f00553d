"""The cases: each starts what it measures anew and says what it came to. `python -m bench` runs them."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack

from bench.client import Answer, Connection
from bench.commits import commits
from bench.idle import idle
from bench.lab import Lab, laboratory
from bench.measured import Measured, Spent
from bench.plan import Ids, Plan
from bench.starve import starve
from bench.wires import AI_SDK, WIRES, Wire

Case = Callable[[Plan], Awaitable[Sequence[Measured]]]
PACED = "say 60 every 25 ms"
FAN_PAUSE_MS = 4
LOOK_SECONDS = 0.05
REPLAYS = 5
"""Runs that `replay` reads over each protocol."""
FAILED = "expected the stream of a run that completes, found {status} and its end {end!r}"


async def ask(connection: Connection, wire: Wire, run: str, text: str) -> Answer:
    """A run on a thread of its own, to its end; raises `SystemExit` when it does not complete."""
    return completed(await connection.ask("POST", wire.path, wire.body(run, run, text)), wire)


def completed(answer: Answer, wire: Wire) -> Answer:
    """The same answer; raises `SystemExit` when it is not of a run that completed."""
    if answer.status != 200 or wire.end not in answer.newest:
        raise SystemExit(FAILED.format(status=answer.status, end=answer.newest[-400:]))
    return answer


# -- one run after the other, by many clients


async def drive(lab: Lab, plan: Plan, text: str, ids: Ids, seconds: float) -> list[Answer]:
    """Clients that ask the same thing again and again for so long."""
    until = time.monotonic() + seconds
    asked = await asyncio.gather(*(_keep_asking(lab, plan, text, ids, until) for _ in range(plan.clients)))
    return [answer for answers in asked for answer in answers]


async def _keep_asking(lab: Lab, plan: Plan, text: str, ids: Ids, until: float) -> list[Answer]:
    answers: list[Answer] = []
    async with await Connection.open(lab.port) as connection:
        while not answers or time.monotonic() < until:
            answers.append(await ask(connection, plan.wire, ids.next(), text))
    return answers


async def _crowd(plan: Plan, case: str, text: str, unit: str, each: int) -> Sequence[Measured]:
    """So many units in each run, measured over all runs of the time."""
    ids = Ids.fresh()
    async with laboratory(plan.store) as lab:
        await drive(lab, plan, text, ids, plan.warm)
        clock = lab.spent()
        answers = await drive(lab, plan, text, ids, plan.seconds)
        spent = clock.spent()
    first, whole = [answer.first_ms for answer in answers], [answer.whole_ms for answer in answers]
    what = f"{plan.clients} clients, {plan.wire.name}"
    return [
        Measured(case=case, what=what, unit=unit, units=each * len(answers), spent=spent, first=first, latency=whole)
    ]


async def short(plan: Plan) -> Sequence[Measured]:
    """Runs of one word."""
    return await _crowd(plan, "short", "say 1", "run", 1)


async def stream(plan: Plan) -> Sequence[Measured]:
    """Runs of many words, as fast as they can be had."""
    return await _crowd(plan, "stream", f"say {plan.deltas}", "delta", plan.deltas)


async def tool(plan: Plan) -> Sequence[Measured]:
    """Runs that call a tool and then say one word."""
    return await _crowd(plan, "tool", "call look_up then say 1", "run", 1)


# -- words at a pace


async def paced(plan: Plan) -> Sequence[Measured]:
    """How old a word is when it is read, well below what the server could do."""
    ids = Ids.fresh()
    async with laboratory(plan.store) as lab:
        await _listen_to_all(lab, plan, ids)
        clock = lab.spent()
        ages = await _listen_to_all(lab, plan, ids)
        spent = clock.spent()
    what = f"{plan.clients} streams, {plan.wire.name}"
    return [Measured(case="paced", what=what, unit="delta", units=len(ages), spent=spent, latency=ages)]


async def _listen_to_all(lab: Lab, plan: Plan, ids: Ids) -> list[float]:
    heard = await asyncio.gather(*(_listen(lab, plan.wire, ids.next()) for _ in range(plan.clients)))
    return [age for ages in heard for age in ages]


async def _listen(lab: Lab, wire: Wire, run: str) -> list[float]:
    """The milliseconds since each word was said."""
    ages: list[float] = []
    async with await Connection.open(lab.port) as connection:
        async for event in connection.stream("POST", wire.path, wire.body(run, run, PACED)):
            now = time.monotonic_ns()
            ages += [(now - int(said)) / 1e6 for said in re.findall(rb'"(\d{6,});', event)]
    return ages


# -- many readers of one run


async def fan_out(plan: Plan) -> Sequence[Measured]:
    """What one reader more costs for each event of a run that goes on."""
    alone, many = [await _read_by(plan, readers) for readers in (1, plan.readers)]
    more = many.spent.less(alone.spent)
    units = many.units * max(1, plan.readers - 1)
    what = f"each reader more, {plan.wire.name}"
    extra = Measured(case="fan-out", what=what, unit="event", units=units, spent=more, rated=False)
    return [alone, many, extra]


async def _read_by(plan: Plan, readers: int) -> Measured:
    ids, words = Ids.fresh(), max(1, round(1000 * plan.seconds / FAN_PAUSE_MS))
    async with laboratory(plan.store) as lab, AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(await Connection.open(lab.port)) for _ in range(readers)]
        await ask(connections[0], plan.wire, ids.next(), f"say {words}")
        run, clock = ids.next(), lab.spent()
        text = f"say {words} every {FAN_PAUSE_MS} ms"
        await connections[0].begin("POST", plan.wire.path, plan.wire.body(run, run, text))
        again = plan.wire.again(run, run)
        answers = [await connection.begin("GET", again) for connection in connections[1:]]
        await asyncio.gather(*(connection.rest() for connection in connections))
        spent = clock.spent()
    for answer in answers:
        completed(answer, plan.wire)
    what = f"{readers} reader{'s' if readers > 1 else ''}, {plan.wire.name}"
    return Measured(case="fan-out", what=what, unit="event", units=words, spent=spent, rated=False)


# -- finished runs, read again


async def replay(plan: Plan) -> Sequence[Measured]:
    """A long finished run, read from its beginning over each protocol."""
    ids = Ids.fresh()
    async with laboratory(plan.store) as lab, await Connection.open(lab.port) as connection:
        runs = [await _finished_unwatched(connection, ids.next(), plan.events) for _ in range(REPLAYS)]
        # Over the AI SDK an answer is shown again only until somebody has read its end.
        return [await _read_again(lab, connection, wire, runs) for wire in sorted(WIRES.values(), key=_ai_sdk_first)]


def _ai_sdk_first(wire: Wire) -> tuple[bool, str]:
    return wire is not AI_SDK, wire.name


async def _finished_unwatched(connection: Connection, run: str, words: int) -> str:
    body = {"agent_id": "bench", "run_id": run, "messages": [{"content": f"say {words}"}]}
    await connection.ask("POST", "/v1/threads", {"id": run})
    await connection.ask("POST", f"/v1/threads/{run}/messages", body)
    status = None
    while status != "completed":
        await asyncio.sleep(LOOK_SECONDS)
        status = (await connection.ask("GET", f"/v1/runs/{run}")).json()["status"]
    return run


async def _read_again(lab: Lab, connection: Connection, wire: Wire, runs: Sequence[str]) -> Measured:
    clock = lab.spent()
    answers = [completed(await connection.ask("GET", wire.again(run, run)), wire) for run in runs]
    spent: Spent = clock.spent()
    events = sum(answer.events for answer in answers)
    latency = [answer.whole_ms for answer in answers]
    return Measured(case="replay", what=wire.name, unit="event", units=events, spent=spent, latency=latency)


CASES: Mapping[str, Case] = {
    "short": short,
    "stream": stream,
    "tool": tool,
    "paced": paced,
    "idle": idle,
    "fan-out": fan_out,
    "replay": replay,
    "commits": commits,
    "starve": starve,
}
