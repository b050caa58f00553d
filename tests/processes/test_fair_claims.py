"""Many threads with a few runs each, and little room for them; `tests/chaos/test_fair_crowd.py` has five times as many.

The waits are counted by `tests/processes/fairness.py`, whose counting is tested here too.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.processes.fairness import Plan, check_fairness, longest_waits, overtakings


@pytest.mark.network
async def test_every_thread_gets_its_turn_and_keeps_its_order(fleet: Any, eventually: Any) -> None:
    await check_fairness(Plan(threads=200, runs=3), fleet, eventually)


def test_a_wait_is_the_turns_of_others_between_two_of_ones_own():
    assert longest_waits(["a", "b", "a", "c", "c", "c", "b"]) == {"a": 2, "b": 5, "c": 4}


@pytest.mark.parametrize(("begun", "worst"), [([1, 2, 3], 0), ([2, 1, 3], 1), ([2, 3, 4, 1], 3), ([3, 2, 1], 2)])
def test_who_is_overtaken_is_who_came_earlier_and_went_later(begun: list[int], worst: int):
    assert overtakings(begun) == worst
