"""A thousand threads that wait for four places in two workers."""

from __future__ import annotations

from typing import Any

import pytest
from tests.processes.fairness import Plan, check_fairness


@pytest.mark.chaos
@pytest.mark.network
async def test_no_thread_of_a_thousand_waits_twice_as_long_as_the_median(fleet: Any, eventually: Any) -> None:
    await check_fairness(Plan(threads=1000, runs=4), fleet, eventually)
