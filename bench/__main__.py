"""`python -m bench`: measures the server on this machine. `docs/performance.md` says what the columns mean."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from bench.cases import CASES
from bench.machine import cores, facts, pin, readable, run, state_of_machine
from bench.measured import Measured, medians
from bench.plan import Plan
from bench.report import comparison, load, results_table, save, say
from bench.wires import WIRES


async def campaign(names: Sequence[str], rounds: int, plan: Plan) -> list[Measured]:
    """All cases one after the other, and again: A B C A B C."""
    found: list[Measured] = []
    for number in range(1, rounds + 1):
        for name in names:
            measured = await CASES[name](plan)
            found += measured
            say(f"\nround {number} of {rounds}, {state_of_machine()}\n{results_table(medians(measured))}")
    return found


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    plan = Plan()
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--cases", default=",".join(CASES), help=f"which, by commas (default: {','.join(CASES)})")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="save the results as JSON")
    parser.add_argument("--compare", type=Path, help="print ratios to results that were saved before")
    parser.add_argument("--store", choices=("sqlite", "postgres"), default=plan.store)
    parser.add_argument("--protocol", choices=tuple(WIRES), default=plan.wire.name)
    parser.add_argument("--seconds", type=float, default=plan.seconds, help="of each measurement of traffic")
    parser.add_argument("--warm", type=float, default=plan.warm, help="seconds of the same before it")
    parser.add_argument("--clients", type=int, default=plan.clients)
    parser.add_argument("--deltas", type=int, default=plan.deltas, help="words of a reply in stream")
    parser.add_argument("--streams", type=int, default=plan.streams, help="open streams in idle")
    parser.add_argument("--quiet", type=float, default=plan.quiet, help="seconds in which nothing happens to them")
    parser.add_argument("--readers", type=int, default=plan.readers, help="readers of one run in fan-out")
    parser.add_argument("--events", type=int, default=plan.events, help="words of the runs that replay reads")
    parser.add_argument("--floods", type=int, default=plan.floods, help="streams without a pause in starve")
    return parser


def planned(options: argparse.Namespace) -> Plan:
    """The sizes of a command line."""
    return Plan(
        seconds=options.seconds,
        warm=options.warm,
        clients=options.clients,
        deltas=options.deltas,
        streams=options.streams,
        quiet=options.quiet,
        readers=options.readers,
        events=options.events,
        floods=options.floods,
        store=options.store,
        wire=WIRES[options.protocol],
    )


def chosen(cases: str) -> list[str]:
    """The cases of a list; raises `SystemExit` naming one that does not exist."""
    names = [name.strip() for name in cases.split(",")]
    for name in names:
        if name not in CASES:
            raise SystemExit(f"there is no case {name!r}; there are {', '.join(CASES)}")
    return names


def main(given: Sequence[str] | None = None) -> None:
    """Measure, print, save, compare."""
    options = arguments().parse_args(given)
    names = chosen(options.cases)
    then = load(options.compare) if options.compare else None
    pin(os.getpid(), cores()[1])
    found = facts(pinned=True)
    if not readable():
        say("this system has no /proc: CPU and memory are not measured, so their columns are missing")
    measured = run(campaign(names, options.rounds, planned(options)))
    results = medians(measured)
    say(f"\nmedians of {options.rounds} rounds\n{results_table(results)}")
    if options.out:
        save(options.out, found, measured)
    if then:
        say(f"\n{comparison(results, then[1], found, then[0])}")


if __name__ == "__main__":
    main()
