"""The long tests here run only when they are asked for: `pytest tests/chaos -m chaos`."""

from __future__ import annotations

import pytest
from tests.processes.conftest import database, eventually, fleet, postgres

__all__ = ["database", "eventually", "fleet", "postgres"]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "chaos: minutes of kills and load; run with -m chaos")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "chaos" in (config.option.markexpr or ""):
        return
    long = [item for item in items if item.get_closest_marker("chaos")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]
