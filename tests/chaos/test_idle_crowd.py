"""Two thousand streams over three processes, on which nothing happens."""

from __future__ import annotations

from typing import Any

import pytest
from tests.processes.idle import Crowd, check_idle_streams


@pytest.mark.chaos
@pytest.mark.network
async def test_two_thousand_idle_streams_cost_no_connection_and_no_query(
    fleet: Any, postgres: Any, eventually: Any
) -> None:
    await check_idle_streams(Crowd(readers=2000, runs=200), fleet, postgres, eventually)
