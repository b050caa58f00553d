"""What is measured becomes figures, medians, tables and ratios, and says so where something cannot be measured."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from bench.machine import busy_seconds, cpu_seconds, facts, memory_bytes, open_files
from bench.measured import Measured, Result, Spent, medians, percentile
from bench.report import compared, comparison, load, results_table, save


def measured(cpu: float | None = 0.5, **changes: Any) -> Measured:
    """A hundred runs in two seconds."""
    given: dict[str, Any] = {
        "case": "short",
        "what": "32 clients",
        "unit": "run",
        "units": 100,
        "spent": Spent(2.0, cpu),
    }
    return Measured(**given | changes)


def result(**figures: float) -> Result:
    return Result("short", "32 clients", "run", figures)


def test_a_unit_costs_the_cpu_of_all_divided_by_their_number() -> None:
    figures = measured(memory=1024 * 100.0).figures()

    assert figures["rate"] == 50
    assert figures["cpu"] == 5000
    assert figures["per_cpu"] == 200
    assert figures["cores"] == 0.25
    assert figures["memory"] == 1


def test_percentiles_are_values_that_were_seen() -> None:
    values = [float(number) for number in range(1, 101)]

    assert (percentile(values, 0.5), percentile(values, 0.99), percentile([7.0], 0.99)) == (51, 100, 7)


def test_without_proc_nothing_is_read_and_the_columns_are_missing(tmp_path: Path) -> None:
    assert cpu_seconds(os.getpid(), tmp_path) is None
    assert busy_seconds(tmp_path) is None
    assert memory_bytes(os.getpid(), tmp_path) is None
    assert open_files(os.getpid(), tmp_path) is None

    figures = measured(cpu=None).figures()

    assert set(figures) == {"rate"}
    assert "CPU" not in results_table(medians([measured(cpu=None)]))


def test_what_was_measured_says_on_what() -> None:
    found = facts(pinned=True)

    assert {"python", "wakeful", "system", "cores", "commit", "load", "at", "cpu_and_memory"} <= set(found)
    assert json.dumps(found)


def test_several_rounds_become_their_median() -> None:
    rounds = [measured(cpu) for cpu in (0.5, 9.0, 0.7)]

    (found,) = medians(rounds)

    assert found.figures["cpu"] == pytest.approx(7000)


@pytest.mark.parametrize(
    ("figure", "then", "now", "worse"),
    [
        ("cpu", 100.0, 109.0, False),
        ("cpu", 100.0, 111.0, True),
        ("cpu", 100.0, 50.0, False),
        ("rate", 100.0, 92.0, False),
        ("rate", 100.0, 90.0, True),
        ("rate", 100.0, 200.0, False),
        ("latency_p99", 10.0, 12.0, True),
    ],
)
def test_more_than_a_tenth_worse_is_flagged(figure: str, then: float, now: float, worse: bool) -> None:
    ((_, name, ratio, flagged),) = compared([result(**{figure: now})], [result(**{figure: then})])

    assert (name, flagged) == (figure, worse)
    assert ratio == pytest.approx(now / then)


def test_what_is_neither_good_nor_bad_or_was_not_measured_then_is_not_compared() -> None:
    now = [result(cores=1.0, cpu=5.0), Result("tool", "32 clients", "run", {"cpu": 5.0})]

    assert compared(now, [result(cores=0.1)]) == []


def test_saved_results_come_back_and_their_comparison_names_what_is_worse(tmp_path: Path) -> None:
    file, about = tmp_path / "saved.json", facts(pinned=True)
    save(file, about, [measured(0.5), measured(0.5)])

    then, saved = load(file)
    shown = comparison(medians([measured(0.8)]), saved, about | {"python": "another"}, then)

    assert saved == medians([measured(0.5)])
    assert "1.60 !" in shown
    assert "not the same machine: python" in shown
    assert "2 of 3 figures are more than 10 % worse" in shown


@pytest.mark.parametrize("text", ["", "[]", '{"facts": {}}'])
def test_a_file_that_holds_no_results_is_refused_by_name(tmp_path: Path, text: str) -> None:
    file = tmp_path / "other.json"
    file.write_text(text)

    with pytest.raises(SystemExit, match="expected what --out wrote"):
        load(file)
