"""Short runs on one process and on two that share a PostgreSQL: `python -m bench.processes --rounds 3`.

Each round measures one process, then two, each on an empty database: A B A B. A run is one request, five words of its
model at once, and its end. Afterwards runs on one process are watched on the other.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from statistics import median

from bench.client import Connection, run
from bench.lab import Postgres, Served, postgres, serving
from bench.machine import busy_seconds, cpu_seconds, readable, state_of_machine
from bench.measured import percentile

WARM_SECONDS = 1.5
AGENT = "metronome"
SHORT = "say 5 every 0 ms"
PACED, WATCHED = "say 40 every 25 ms", 8
numbers = count(1)

TABLES = """
select relname as name, n_live_tup as rows, pg_total_relation_size(relid) as bytes
from pg_stat_user_tables
where n_live_tup > 0
order by 3 desc
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What was measured of short runs: seconds of CPU are totals, `first` are the milliseconds to each first event."""

    processes: int
    seconds: float
    runs: int
    server_cpu: float
    database_cpu: float
    others_cpu: float
    first: tuple[float, ...]
    afar: tuple[float, ...]
    near: tuple[float, ...]

    def row(self) -> str:
        """As a row of a table."""
        cells = (
            f"{self.processes}",
            f"{self.runs / self.seconds:.0f}",
            f"{1000 * self.server_cpu / self.runs:.2f}",
            f"{1000 * self.database_cpu / self.runs:.2f}",
            f"{self.server_cpu / self.seconds / self.processes:.2f}",
            f"{self.others_cpu / self.seconds:.2f}",
            f"{median(self.first):.0f} / {percentile(self.first, 0.99):.0f}",
            _spread(self.near),
            _spread(self.afar),
        )
        return f"| {' | '.join(cells)} |"


HEAD = """| processes | runs/s | server CPU ms/run | PostgreSQL CPU ms/run | cores busy per process | \
cores busy elsewhere | first event ms p50/p99 | word seen here ms p50/p99 | word seen afar ms p50/p99 |
|---|---|---|---|---|---|---|---|---|"""


def _spread(values: Sequence[float]) -> str:
    return f"{median(values):.1f} / {percentile(values, 0.99):.1f}" if values else "-"


async def measure(processes: int, clients: int, seconds: float, database: Postgres) -> Load:
    """Short runs for so long, then a few watched ones."""
    name = f"bench_{next(numbers)}"
    await database.sql("postgres", f"create database {name}")
    async with serving(processes, database.url(name)) as servers:
        await _drive(servers, clients, WARM_SECONDS)
        before, began = _taken(servers, database), time.monotonic()
        first = await _drive(servers, clients, seconds)
        passed = time.monotonic() - began
        ours, its, client, everything = (
            now - then for now, then in zip(_taken(servers, database), before, strict=True)
        )
        near, afar = await _watch(servers) if processes > 1 else ((), ())
    if processes > 1:
        await _show_size(database, name)
    await database.sql("postgres", f"drop database {name} with (force)")
    others = max(0.0, everything - ours - its - client)
    return Load(processes, passed, len(first), ours, its, others, tuple(first), tuple(afar), tuple(near))


def _taken(servers: Sequence[Served], database: Postgres) -> tuple[float, float, float, float]:
    """Seconds of CPU so far: of the servers, of PostgreSQL, of this client, and of the machine with what it lost."""
    servers_took = sum(cpu_seconds(server.pid) or 0.0 for server in servers)
    return servers_took, cpu_seconds(database.pid) or 0.0, time.process_time(), busy_seconds() or 0.0


async def _drive(servers: Sequence[Served], clients: int, seconds: float) -> list[float]:
    """Clients that ask one thing after the other; the milliseconds each waited for its first event."""
    until = time.monotonic() + seconds
    found = await asyncio.gather(*(_ask(servers[number % len(servers)], until) for number in range(clients)))
    return [one for some in found for one in some]


async def _ask(server: Served, until: float) -> list[float]:
    found: list[float] = []
    async with await Connection.open(server.port) as connection:
        while (began := time.monotonic()) < until:
            first, newest = 0.0, b""
            async with run(connection, f"r{next(numbers)}", SHORT, AGENT) as events:
                async for event in events:
                    first, newest = first or time.monotonic() - began, event
            if b'"run_finished"' not in newest:
                raise SystemExit(f"a run ended with {newest.decode()}")
            found.append(1000 * first)
    return found


async def _watch(servers: Sequence[Served]) -> tuple[list[float], list[float]]:
    """How old a word is, in milliseconds, when it is seen on the process that carries its run, and on another one."""
    near: list[float] = []
    afar: list[float] = []
    async with asyncio.TaskGroup() as tasks:
        for _ in range(WATCHED):
            tasks.create_task(_watch_one(servers[0], servers[1], near, afar))
    return near, afar


async def _watch_one(here: Served, there: Served, near: list[float], afar: list[float]) -> None:
    run_id = f"r{next(numbers)}"
    async with (
        await Connection.open(here.port) as first,
        await Connection.open(there.port) as second,
        asyncio.TaskGroup() as tasks,
        run(first, run_id, PACED, AGENT) as events,
    ):
        begun = False
        async for event in events:
            if not begun:
                tasks.create_task(_follow(second, run_id, afar))
                begun = True
            _note(event, near)


async def _follow(connection: Connection, run_id: str, ages: list[float]) -> None:
    async for event in connection.stream("GET", f"/v1/runs/{run_id}/events/stream"):
        _note(event, ages)


def _note(event: bytes, ages: list[float]) -> None:
    """Note the age of each word; several may have become one event."""
    if b'"text_delta"' in event:
        now = time.monotonic_ns()
        ages.extend((now - int(word)) / 1e6 for word in re.findall(r"(\d+);", json.loads(event)["delta"]))


async def _show_size(database: Postgres, name: str) -> None:
    """What the database holds per run, before logs are packed."""
    await database.sql(name, "analyze")
    tables = await database.sql(name, TABLES)
    runs = next(table["rows"] for table in tables if table["name"] == "runs")
    parts = ", ".join(f"{t['name']} {t['rows'] / runs:.1f} rows {t['bytes'] / runs:.0f} B" for t in tables)
    say(f"  per run of {runs}: {sum(table['bytes'] for table in tables) / runs:.0f} B with indexes: {parts}")


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def compare(rounds: int, clients: int, seconds: float) -> None:
    """One process, two processes, and again; then their ratio."""
    loads: list[Load] = []
    with postgres() as database:
        server = (await database.sql("postgres", "show server_version"))[0][0]
        say(f"{state_of_machine()}, PostgreSQL {server}; {clients} clients, {seconds:g} s each\n{HEAD}")
        for _ in range(rounds):
            for processes in (1, 2):
                loads.append(await measure(processes, clients, seconds, database))
                say(loads[-1].row())
        say(f"{state_of_machine()} at the end")
    rates = {n: median(load.runs / load.seconds for load in loads if load.processes == n) for n in (1, 2)}
    cost = {n: median(load.server_cpu / load.runs for load in loads if load.processes == n) for n in (1, 2)}
    say(f"two processes beside one, medians: {rates[2] / rates[1]:.2f} times the runs/s, "
        f"{cost[2] / cost[1]:.2f} times the server CPU per run")  # fmt: skip


def main() -> None:
    """Read the command line and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=6)
    options = parser.parse_args()
    if not readable():
        raise SystemExit("this compares CPU, which is read from /proc: run it on Linux")
    asyncio.run(compare(options.rounds, options.clients, options.seconds))


if __name__ == "__main__":
    main()
