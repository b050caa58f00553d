"""One conversation, without its messages."""

from __future__ import annotations

import msgspec

from wakeful.contracts.json import JsonObject

MAX_STATE_BYTES = 256 * 1024
"""How long a thread's shared state may be, as JSON."""


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """A thread as stored.

    `key` is the store's own number for it and never leaves the process; clients know `id` within `scope`.
    Times are milliseconds since the epoch. `generation` grows with every request that
    ends what the thread did before.
    """

    key: int
    scope: str
    id: str
    created_at: int
    updated_at: int
    title: str | None = None
    resource_id: str | None = None
    parent_thread_id: str | None = None
    custom: JsonObject = {}
    message_count: int = 0
    latest_agent_id: str | None = None
    generation: int = 0
