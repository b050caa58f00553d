"""Lists as SQLite takes them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


def json_list(values: Sequence[str] | Sequence[int]) -> str:
    """A list for `json_each`, which wants text."""
    return msgspec.json.encode(values).decode()
