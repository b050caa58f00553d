"""Tables of results, results in a file, and how one campaign compares with another."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.machine import differences
from bench.measured import FIGURES, Measured, Result, medians

WORSE = 1.10
"""From this ratio on something counts as worse."""


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table whose columns stand below one another."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    shown = [f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |" for line in lines]
    return "\n".join([shown[0], f"|{'|'.join('-' * (width + 2) for width in widths)}|", *shown[1:]])


def results_table(results: Sequence[Result]) -> str:
    """What was measured, with the columns that anything has."""
    names = [name for name in FIGURES if any(name in result.figures for result in results)]
    rows = ([result.case, result.what, result.unit, *(_cell(result, name) for name in names)] for result in results)
    return table(["case", "what", "each", *(FIGURES[name].heading for name in names)], rows)


def _cell(result: Result, name: str) -> str:
    return f"{result.figures[name]:,.{FIGURES[name].decimals}f}" if name in result.figures else "-"


# -- files


def save(file: Path, facts: Mapping[str, Any], measured: Sequence[Measured]) -> None:
    """Write the medians, and every round's figures."""
    rounds = [{"case": one.case, "what": one.what, "unit": one.unit, "figures": one.figures()} for one in measured]
    saved = {"facts": facts, "results": [one.as_json() for one in medians(measured)], "rounds": rounds}
    file.write_text(json.dumps(saved, indent=1) + "\n", "utf-8")


def load(file: Path) -> tuple[Mapping[str, Any], list[Result]]:
    """The facts and the medians of a file; raises `SystemExit` when it is none of ours."""
    try:
        saved = json.loads(file.read_text("utf-8"))
        return saved["facts"], [Result.from_json(one) for one in saved["results"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SystemExit(f"{file}: expected what --out wrote, found {type(error).__name__}: {error}") from None


# -- comparing


def compared(now: Sequence[Result], then: Sequence[Result]) -> list[tuple[Result, str, float, bool]]:
    """For each figure of both that has a better way: its ratio to then, and whether it is more than 10 % worse."""
    before = {(one.case, one.what): one for one in then}
    found: list[tuple[Result, str, float, bool]] = []
    for result in now:
        old = before.get((result.case, result.what), Result("", "", "", {}))
        for name in result.figures:
            better, was = FIGURES[name].better, old.figures.get(name)
            if better != "neither" and was:
                ratio = result.figures[name] / was
                found.append((result, name, ratio, ratio > WORSE if better == "lower" else ratio < 1 / WORSE))
    return found


def comparison(now: Sequence[Result], then: Sequence[Result], facts: Mapping[str, Any], old: Mapping[str, Any]) -> str:
    """All ratios as a table, and what is worse."""
    ratios = compared(now, then)
    names = [name for name in FIGURES if any(name == found for _, found, _, _ in ratios)]
    cells = {(one.case, one.what, name): f"{ratio:.2f}{' !' if worse else ''}" for one, name, ratio, worse in ratios}
    rows = [
        [one.case, one.what, *(cells.get((one.case, one.what, name), "-") for name in names)]
        for one in now
        if any((one.case, one.what, name) in cells for name in names)
    ]
    lines = [f"ratios to {old.get('commit') or 'what was saved'} of {old.get('at')}; ! is more than 10 % worse"]
    lines += [f"not the same machine: {difference}" for difference in differences(old, facts)]
    lines.append(table(["case", "what", *(FIGURES[name].heading for name in names)], rows))
    worse = sum(one[3] for one in ratios)
    lines.append(f"{worse} of {len(ratios)} figures are more than 10 % worse")
    return "\n".join(lines)
