"""Streams on which nothing happens; `tests/chaos/test_idle_crowd.py` has four times as many."""

from __future__ import annotations

from typing import Any

import pytest
from tests.processes.idle import Crowd, check_idle_streams

pytestmark = pytest.mark.network


async def test_idle_streams_cost_no_connection_and_no_query(fleet: Any, postgres: Any, eventually: Any) -> None:
    await check_idle_streams(Crowd(readers=500, runs=10), fleet, postgres, eventually)
