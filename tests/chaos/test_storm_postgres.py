"""Several processes on one database keep the promise, whichever are killed, paused or stopped, and when it restarts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.chaos.fleet import fleet
from tests.chaos.storm import Plan
from tests.chaos.weather import weather

SEED = int(os.environ.get("CHAOS_SEED", "7"))
SHORT = Plan(
    seed=SEED, streams=8, postmen=2, kills=4, pauses=4, stops=2, restarts=1, pace=0.02, life=(0.8, 2.0), limit=90
)
LONG = Plan(
    seed=SEED,
    streams=40,
    postmen=6,
    kills=20,
    pauses=20,
    stops=6,
    restarts=2,
    pace=0.03,
    life=(1.2, 3.0),
    letters=(4.0, 8.0),
    limit=240,
)


@pytest.mark.network
@pytest.mark.proves("E16", "R21")
async def test_clients_of_any_process_end_with_the_transcript_of_an_uninterrupted_run(tmp_path: Path) -> None:
    async with fleet(SHORT, tmp_path) as processes:
        verdict = await weather(SHORT, tmp_path, processes)

    assert verdict.counted["kills"] == SHORT.kills
    assert verdict.counted["pauses"] == SHORT.pauses
    assert verdict.counted["stops"] == SHORT.stops
    assert verdict.counted["restarts"] == SHORT.restarts


@pytest.mark.chaos
@pytest.mark.network
@pytest.mark.proves("E16", "R21")
async def test_forty_streams_survive_kills_zombies_and_a_database_that_restarts(tmp_path: Path) -> None:
    async with fleet(LONG, tmp_path) as processes:
        verdict = await weather(LONG, tmp_path, processes)
        zombies = processes.losses

    assert zombies > 0
    assert verdict.counted["steps begun again"] > 0, verdict.counted
    assert verdict.counted["calls cut off"] > 0, verdict.counted
