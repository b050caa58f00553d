"""A storm and its verdict, in which nothing may be wrong."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.storm import Harmed, Plan, weathered
from tests.chaos.verdict import Verdict, judge


async def weather(plan: Plan, folder: Path, harmed: Harmed) -> Verdict:
    """What the storm left, after it was judged."""
    async with weathered(plan, folder, harmed) as aftermath:
        verdict = await judge(aftermath, folder)
    print(f"seed {plan.seed}: {dict(verdict.counted)}")
    shown = "\n".join(verdict.wrong[:20])
    assert not verdict.wrong, f"seed {plan.seed}, {len(verdict.wrong)} things are wrong:\n{shown}"
    return verdict
