"""Mixed traffic on one server for a long time, and whether anything grows: `python -m bench.soak --minutes 10`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

from bench.client import Connection
from bench.lab import Lab, laboratory
from bench.machine import allow_open_files, cores, facts, memory_bytes, open_files, pin, readable, run, thread_count
from bench.mix import Mix, at_rest, gauges_of
from bench.report import say, table

SAMPLE_SECONDS = 5
WARM_PART = 0.3
"""What counts as warming up: of all samples."""
FEW_PART = 0.05
"""Growth after warming up, as a part of the memory, that still counts as flat: as much as samples differ by anyway."""
COMPACT_AFTER_SECONDS = 60
"""So that packing is part of it."""
SPARE_FILES = 2000
POOL_SECONDS = 32
"""After so long without traffic the server has let go of the connections it kept for later, those to its model."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the server had at a moment. `memory`, `database` and `write_ahead` are bytes, `seconds` since the start."""

    seconds: float
    runs: int
    memory: int
    files: int
    threads: int
    streams: int
    active: int
    database: int
    write_ahead: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the memory stayed flat after warming up, and whether everything at rest is as it was at rest before."""

    slope: float
    """Bytes an hour."""
    growth: float
    """The part of the memory that the slope adds over the time after warming up."""
    per_run: float
    """Bytes for each run."""
    left_over: dict[str, int]
    """By how much more there is at the end than after the first round, both at rest; empty when nothing is."""

    @property
    def flat(self) -> bool:
        """Nothing grows, nothing is left over."""
        return self.growth <= FEW_PART and not self.left_over


def slope(points: Sequence[tuple[float, float]]) -> float:
    """The rise of the straight line that lies closest to the points; 0 for fewer than two."""
    if len(points) < 2:
        return 0.0
    x, y = mean(one for one, _ in points), mean(one for _, one in points)
    spread = sum((one - x) ** 2 for one, _ in points)
    return sum((one - x) * (other - y) for one, other in points) / spread if spread else 0.0


def judge(samples: Sequence[Sample], before: Sample, after: Sample) -> Verdict:
    """From the samples of the traffic, and one at rest before and after it."""
    warm = samples[int(len(samples) * WARM_PART) :] or samples
    rise = slope([(one.seconds, float(one.memory)) for one in warm])
    seconds = warm[-1].seconds - warm[0].seconds
    usual = median(one.memory for one in warm)
    left_over = {
        name: getattr(after, name) - getattr(before, name)
        for name in ("files", "threads", "streams", "active")
        if getattr(after, name) > getattr(before, name)
    }
    per_run = slope([(float(one.runs), float(one.memory)) for one in warm])
    return Verdict(3600 * rise, rise * seconds / usual if usual else 0.0, per_run, left_over)


class Soak:
    """The traffic, and what is seen of the server meanwhile."""

    def __init__(self, lab: Lab, clients: int, rest: float) -> None:
        self._lab = lab
        self._rest = rest
        self._mixes = [Mix(lab.port, name=f"mix{number}") for number in range(clients)]
        self._began = time.monotonic()
        self.samples: list[Sample] = []

    @property
    def visits(self) -> dict[str, int]:
        """How many there were of each kind."""
        kinds = sorted({kind for mix in self._mixes for kind in mix.visits})
        return {kind: sum(mix.visits[kind] for mix in self._mixes) for kind in kinds}

    async def go_on(self, seconds: float) -> None:
        """Let all clients visit for so long, and look now and then. Raises `Mistreated` in a group."""
        until = time.monotonic() + seconds
        async with asyncio.TaskGroup() as tasks:
            looking = tasks.create_task(self._look(), name="samples")
            async with asyncio.TaskGroup() as traffic:
                for mix in self._mixes:
                    traffic.create_task(_visit_until(mix, until), name="mix")
            looking.cancel()

    async def rested(self) -> Sample:
        """Wait until nothing goes on; a sample then."""
        await at_rest(self._lab.port)
        await asyncio.sleep(self._rest)
        return await self.sample()

    async def sample(self) -> Sample:
        """The server as it is now."""
        async with await Connection.open(self._lab.port) as connection:
            gauges = await gauges_of(connection)
        pid, file = self._lab.server.pid, self._lab.folder / "bench.db"
        sizes = [one.stat().st_size if one.exists() else 0 for one in (file, Path(f"{file}-wal"))]
        return Sample(
            seconds=round(time.monotonic() - self._began, 1),
            runs=sum(self.visits.values()),
            memory=memory_bytes(pid) or 0,
            files=open_files(pid) or 0,
            threads=thread_count(pid) or 0,
            streams=int(gauges["wakeful_sse_connections"]),
            active=int(gauges["wakeful_active_runs"]),
            database=sizes[0],
            write_ahead=sizes[1],
        )

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(SAMPLE_SECONDS)
            self.samples.append(await self.sample())


async def _visit_until(mix: Mix, until: float) -> None:
    while time.monotonic() < until:
        await mix.round()


async def soak(minutes: float, clients: int, rest: float) -> tuple[list[Sample], Verdict, dict[str, int]]:
    """The samples, first and last of them at rest; what they say; and the visits by kind."""
    async with laboratory(WAKEFUL_COMPACT_AFTER_SECONDS=str(COMPACT_AFTER_SECONDS)) as lab:
        soaking = Soak(lab, clients, rest)
        await soaking.go_on(min(SAMPLE_SECONDS, 6 * minutes))
        before = await soaking.rested()
        soaking.samples.clear()
        await soaking.go_on(60 * minutes)
        samples = soaking.samples or [await soaking.sample()]
        after = await soaking.rested()
    return [before, *samples, after], judge(samples, before, after), soaking.visits


def shown(samples: Sequence[Sample], verdict: Verdict, visits: dict[str, int]) -> str:
    """A table of some of the samples, the visits and the verdict."""
    step = max(1, len(samples) // 12)
    chosen = [*samples[:-1:step], samples[-1]]
    head = ["s", "visits", "memory MiB", "files", "threads", "streams", "runs", "database MiB", "WAL MiB"]
    rows = [
        [f"{one.seconds:.0f}", f"{one.runs}", f"{one.memory / 2**20:.1f}", f"{one.files}", f"{one.threads}",
         f"{one.streams}", f"{one.active}", f"{one.database / 2**20:.1f}", f"{one.write_ahead / 2**20:.1f}"]
        for one in chosen
    ]  # fmt: skip
    left_over = ", ".join(f"{name} {more}" for name, more in verdict.left_over.items()) or "nothing"
    return (
        f"{table(head, rows)}\nvisits: {', '.join(f'{kind} {number}' for kind, number in visits.items())}\n"
        f"memory after warming up: {verdict.slope / 2**20:+.1f} MiB an hour, "
        f"{100 * verdict.growth:+.1f} % over the time, "
        f"{verdict.per_run:+.0f} bytes for each visit; left over at rest: {left_over}\n"
        f"verdict: {'flat' if verdict.flat else 'NOT FLAT'}"
    )


def main(given: Sequence[str] | None = None) -> None:
    """Read the command line, soak, print, save; the exit status is 1 when something grows."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=2, help="how many go through all kinds of visits side by side")
    parser.add_argument("--rest", type=float, default=POOL_SECONDS, help="seconds without traffic before it is judged")
    parser.add_argument("--out", type=Path, help="save the samples and the verdict as JSON")
    options = parser.parse_args(given)
    if not readable():
        raise SystemExit("this looks at memory and open files, which are read from /proc: run it on Linux")
    allow_open_files(SPARE_FILES)
    pin(os.getpid(), cores()[1])
    about = facts(pinned=True)
    samples, verdict, visits = run(soak(options.minutes, options.clients, options.rest))
    say(shown(samples, verdict, visits))
    if options.out:
        saved: dict[str, Any] = {"facts": about, "visits": visits, "verdict": asdict(verdict), "flat": verdict.flat}
        saved["samples"] = [asdict(one) for one in samples]
        options.out.write_text(json.dumps(saved, indent=1) + "\n", "utf-8")
    sys.exit(0 if verdict.flat else 1)


if __name__ == "__main__":
    main()
