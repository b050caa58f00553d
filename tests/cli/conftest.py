"""The command line as a process of its own."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest


@pytest.fixture
def wakeful(start: Any) -> Any:
    """Starts `python -m wakeful` with these arguments in an empty folder."""
    return partial(start, "-m", "wakeful")
