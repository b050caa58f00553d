"""Killed at random moments under load, the server keeps its promise: nothing is lost, nothing is done twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.chaos.storm import Plan, weathered
from tests.chaos.verdict import Verdict, judge

SEED = int(os.environ.get("CHAOS_SEED", "7"))
SHORT = Plan(seed=SEED, streams=8, postmen=2, kills=3, pace=0.01, life=(0.4, 1.0), limit=60)
LONG = Plan(seed=SEED, streams=100, postmen=10, kills=21, pace=0.03, life=(1.2, 3.5), limit=240)


@pytest.mark.network
@pytest.mark.proves("E16", "R21")
async def test_every_client_ends_with_the_transcript_of_an_uninterrupted_run(tmp_path: Path) -> None:
    verdict = await _weather(SHORT, tmp_path)

    assert verdict.counted["kills"] == SHORT.kills


@pytest.mark.chaos
@pytest.mark.network
@pytest.mark.proves("E16", "R21")
async def test_a_hundred_streams_survive_more_than_twenty_kills(tmp_path: Path) -> None:
    verdict = await _weather(LONG, tmp_path)

    assert verdict.counted["streams"] > LONG.kills * LONG.streams // 2, verdict.counted
    assert verdict.counted["steps begun again"] > 0, verdict.counted
    assert verdict.counted["calls cut off"] > 0, verdict.counted


async def _weather(plan: Plan, folder: Path) -> Verdict:
    """The storm's verdict, in which nothing is wrong."""
    async with weathered(plan, folder) as aftermath:
        verdict = await judge(aftermath, folder)
    print(f"seed {plan.seed}: {dict(verdict.counted)}")
    shown = "\n".join(verdict.wrong[:20])
    assert not verdict.wrong, f"seed {plan.seed}, {len(verdict.wrong)} things are wrong:\n{shown}"
    return verdict
