"""Killed at random moments under load, the server keeps its promise: nothing is lost, nothing is done twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.chaos.alone import alone
from tests.chaos.storm import Plan
from tests.chaos.weather import weather

SEED = int(os.environ.get("CHAOS_SEED", "7"))
SHORT = Plan(seed=SEED, streams=8, postmen=2, kills=3, pace=0.01, life=(0.4, 1.0), limit=60)
LONG = Plan(seed=SEED, streams=100, postmen=10, kills=21, pace=0.03, life=(1.2, 3.5), limit=240)


@pytest.mark.network
@pytest.mark.proves("E16", "R21")
async def test_every_client_ends_with_the_transcript_of_an_uninterrupted_run(tmp_path: Path) -> None:
    async with alone(SHORT, tmp_path) as server:
        verdict = await weather(SHORT, tmp_path, server)

    assert verdict.counted["kills"] == SHORT.kills
    assert not verdict.counted["refusals"]


@pytest.mark.chaos
@pytest.mark.network
@pytest.mark.proves("E16", "R21")
async def test_a_hundred_streams_survive_more_than_twenty_kills(tmp_path: Path) -> None:
    async with alone(LONG, tmp_path) as server:
        verdict = await weather(LONG, tmp_path, server)

    assert verdict.counted["streams"] > LONG.kills * LONG.streams // 2, verdict.counted
    assert verdict.counted["steps begun again"] > 0, verdict.counted
    assert verdict.counted["calls cut off"] > 0, verdict.counted
