"""How costs grow with streams, history, log and threads: `python -m bench.growth --what history,log`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.client import Answer, Connection
from bench.filling import SCOPE, fill, thread_id
from bench.idle import FILES_PER_STREAM, Streams, opening
from bench.lab import Lab, laboratory
from bench.machine import allow_open_files, cores, facts, pin, run, state_of_machine
from bench.report import say
from bench.series import Point, Series, series_table
from bench.wires import AG_UI, NATIVE
from wakeful.contracts.query import RunQuery, ThreadQuery
from wakeful.stores.sqlite.store import SQLiteStore
from wakeful.testing.store_cases.builders import submission, worker

STREAMS = (1, 10, 100, 1000, 5000)
HISTORY = (10, 100, 1000, 10_000)
LOG = (100, 1000, 10_000, 100_000)
THREADS = (1000, 10_000, 100_000)
WARM = 50
MESSAGES = 2_000
"""How many messages the runs of one size have before them together, so that small ones are many."""
DELTAS = 20_000
"""The same for words of runs."""
FEWEST = 5
READS = 20
CLAIM_MS = 30_000


@dataclass(frozen=True, slots=True)
class Extent:
    """Which sizes are measured, and for how many seconds open streams are left alone."""

    sizes: Sequence[int]
    quiet: float = 10


Measure = Callable[[Extent], Awaitable[Sequence[Series]]]


# -- open streams


async def streams(extent: Extent) -> Sequence[Series]:
    """Runs whose model says nothing, each with a reader: what they take to open, hold and keep alive."""
    files = allow_open_files(FILES_PER_STREAM * max(extent.sizes)) // FILES_PER_STREAM
    found = [await _open_streams(size, extent.quiet) for size in extent.sizes if size <= files]
    named = (("opening streams", "CPU ms"), ("open streams", "MiB"), ("quiet streams", "CPU ms a second"))
    return [
        Series(what, "streams", unit, [Point(size, costs[place]) for size, costs in found])
        for place, (what, unit) in enumerate(named)
    ]


async def _open_streams(size: int, seconds: float) -> tuple[int, tuple[float, float, float]]:
    async with laboratory() as lab, AsyncExitStack() as stack:
        opened = Streams(stack, lab, AG_UI)
        await opened.start(WARM)
        quiet = await _quiet(lab, seconds)
        taken = await opening(lab, "streams", size, opened.start(size))
        more = max(0.0, await _quiet(lab, seconds) - quiet)
    return size, (1000 * (taken.spent.server or 0.0), (taken.memory or 0.0) / 2**20, more)


async def _quiet(lab: Lab, seconds: float) -> float:
    """Milliseconds of CPU in a second."""
    clock = lab.spent()
    await asyncio.sleep(seconds)
    spent = clock.spent()
    return 1000 * (spent.server or 0.0) / spent.seconds


# -- messages of a thread


async def history(extent: Extent) -> Sequence[Series]:
    """A run of one word on a thread that has so many messages."""
    found = [await _run_after(size) for size in extent.sizes]
    return [
        Series("a short run", "messages before it", "server CPU ms", [Point(size, cpu) for size, cpu, _ in found]),
        Series("its first event", "messages before it", "ms", [Point(size, first) for size, _, first in found]),
    ]


async def _run_after(size: int) -> tuple[int, float, float]:
    threads = max(FEWEST, MESSAGES // size)
    with tempfile.TemporaryDirectory(prefix="wakeful-bench-") as folder:
        file = Path(folder) / "filled.db"
        store = SQLiteStore(file)
        await store.open()
        await fill(store, threads=threads + 1, messages=size)
        await store.aclose()
        async with laboratory(filled=file) as lab, await Connection.open(lab.port) as connection:
            await _say_on(connection, 1)
            clock = lab.spent()
            answers = [await _say_on(connection, number) for number in range(2, threads + 2)]
            spent = clock.spent()
    return size, 1000 * (spent.server or 0.0) / threads, median(answer.first_ms for answer in answers)


async def _say_on(connection: Connection, number: int) -> Answer:
    return _answered(await connection.ask("POST", NATIVE.path, NATIVE.body(thread_id(number), f"n{number}", "say 1")))


def _answered(answer: Answer) -> Answer:
    """The same; raises `SystemExit` when it is no success."""
    if answer.status != 200:
        raise SystemExit(f"expected 200, found {answer.status}: {answer.newest.decode()}")
    return answer


# -- events of a run


async def log(extent: Extent) -> Sequence[Series]:
    """A run of so many words: what it takes, what late words cost beside early ones, and reading its end."""
    found: list[tuple[int, list[float]]] = []
    async with laboratory() as lab, await Connection.open(lab.port) as connection:
        await _run_of(connection, "warm", 1000)
        for size in extent.sizes:
            runs = max(1, DELTAS // size)
            clock = lab.spent()
            for number in range(runs):
                await _run_of(connection, f"r{size}-{number}", size)
            cpu = 1000 * (clock.spent().server or 0.0) / runs
            reads = [await _ms(connection, path, **headers) for path, headers in _ends(f"r{size}-0", size)]
            found.append((size, [cpu, *reads]))
    flat = ("the last page", "resuming near the end, native", "resuming near the end, ag-ui", "its run's state")
    runs_of = [Point(size, costs[0]) for size, costs in found]
    return [
        Series("a run", "words", "server CPU ms", runs_of),
        Series("each of its later words", "words", "server CPU µs", _marginal(runs_of), flat=True),
        *(
            Series(what, "events", "ms", [Point(size, costs[place]) for size, costs in found], flat=True)
            for place, what in enumerate(flat, 1)
        ),
    ]


def _ends(run_id: str, size: int) -> list[tuple[str, dict[str, str]]]:
    """What is read of the end of a log."""
    near = {"last_event_id": str(size)}
    return [
        (f"/v1/runs/{run_id}/events?after={size}&limit=50", {}),
        (NATIVE.again(run_id, run_id), near),
        (AG_UI.again(run_id, run_id), near),
        (f"/v1/runs/{run_id}", {}),
    ]


async def _run_of(connection: Connection, run_id: str, words: int) -> Answer:
    return _answered(await connection.ask("POST", NATIVE.path, NATIVE.body(run_id, run_id, f"say {words}")))


async def _ms(connection: Connection, path: str, **headers: str) -> float:
    """Milliseconds of one read, of several the median."""
    return median([_answered(await connection.ask("GET", path, **headers)).whole_ms for _ in range(READS)])


def _marginal(points: Sequence[Point]) -> list[Point]:
    """Microseconds for each word beyond the size before: what late words cost beside early ones."""
    return [
        Point(now.size, max(0.0, 1000 * (now.cost - before.cost) / (now.size - before.size)))
        for before, now in zip([Point(0, 0.0), *points], points, strict=False)
    ]


# -- threads of a store


async def threads(extent: Extent) -> Sequence[Series]:
    """A store alone that holds so many threads: lists, a request, a claim."""
    found = [(size, await _store_of(size)) for size in extent.sizes]
    return [
        Series(what, "threads", "ms", [Point(size, costs[what]) for size, costs in found], flat=True)
        for what in found[0][1]
    ]


async def _store_of(size: int) -> Mapping[str, float]:
    with tempfile.TemporaryDirectory(prefix="wakeful-bench-") as folder:
        store = SQLiteStore(Path(folder) / "filled.db")
        await store.open()
        await fill(store, threads=size, messages=2)
        found = {name: await _median_ms(step) for name, step in _steps(store, size).items()}
        await store.aclose()
    return found


def _steps(store: SQLiteStore, size: int) -> Mapping[str, Callable[[int], Awaitable[object]]]:
    """What is done, each time with another number."""

    async def accept(number: int) -> None:
        await store.accept(submission(f"a{number}", scope=SCOPE, thread_id=f"new {number}", at=size + number))

    async def claim(number: int) -> None:
        request = worker(now=size + number + CLAIM_MS)
        if len(await store.claim(request, 1)) != 1:
            raise SystemExit("a run that was accepted could not be claimed")

    return {
        "the first page of threads": lambda _: store.list_threads(ThreadQuery(scope=SCOPE)),
        "a later page of threads": lambda n: store.list_threads(
            ThreadQuery(scope=SCOPE, after=(size // 2 + n, thread_id(size // 2 + n)))
        ),
        "the first page of runs": lambda _: store.list_runs(RunQuery(scope=SCOPE)),
        "the newest changed runs": lambda _: store.list_runs(RunQuery(scope=SCOPE, order="updated")),
        "runs of one thread": lambda n: store.list_runs(RunQuery(scope=SCOPE, thread_id=thread_id(n + 1))),
        "a thread": lambda n: store.get_thread(SCOPE, thread_id(size - n)),
        "counting unfinished runs": lambda _: store.count_runs(SCOPE),
        "accepting": accept,
        "claiming": claim,
    }


async def _median_ms(step: Callable[[int], Awaitable[object]]) -> float:
    taken: list[float] = []
    for number in range(READS):
        began = time.perf_counter()
        await step(number)
        taken.append(1000 * (time.perf_counter() - began))
    return median(taken)


MEASURES: Mapping[str, tuple[Measure, tuple[int, ...]]] = {
    "streams": (streams, STREAMS),
    "history": (history, HISTORY),
    "log": (log, LOG),
    "threads": (threads, THREADS),
}


async def grow(names: Sequence[str], largest: int, quiet: float) -> list[Series]:
    """Measure each up to a size, and print it."""
    found: list[Series] = []
    for name in names:
        measure, sizes = MEASURES[name]
        series = await measure(Extent([size for size in sizes if size <= largest] or sizes[:1], quiet))
        say(f"\n{state_of_machine()}\n{series_table(series)}")
        found += series
    return found


def main(given: Sequence[str] | None = None) -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--what", default=",".join(MEASURES), help="by commas (default: all)")
    parser.add_argument("--largest", type=int, default=100_000, help="leave larger sizes out")
    parser.add_argument("--quiet", type=float, default=10, help="seconds in which open streams are left alone")
    parser.add_argument("--out", type=Path, help="save the points as JSON")
    options = parser.parse_args(given)
    names = options.what.split(",")
    if unknown := [name for name in names if name not in MEASURES]:
        raise SystemExit(f"there is no {unknown[0]!r}; there are {', '.join(MEASURES)}")
    pin(os.getpid(), cores()[1])
    about = facts(pinned=True)
    found = run(grow(names, options.largest, options.quiet))
    if options.out:
        options.out.write_text(
            json.dumps({"facts": about, "series": [one.as_json() for one in found]}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
