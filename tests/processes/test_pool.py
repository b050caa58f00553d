"""A process has so many connections and no more."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.stores.postgres.conftest import connected

pytestmark = pytest.mark.network
SMALL = "&pool_size=1&pool_timeout=0.5"
SAY = [{"id": "m", "role": "user", "content": "hello"}]
REQUESTS: dict[str, dict[str, Any]] = {
    "/v1/runs": {"thread_id": "t", "messages": SAY},
    "/v1/ai-sdk/agents/assistant/runs": {"id": "t", "messages": SAY},
    "/v1/ag-ui/agents/assistant/runs": {"threadId": "t", "runId": "r", "messages": SAY},
}
READER_WAITS = """
select count(*)
from pg_stat_activity
where datname = current_database() and wait_event_type = 'Lock' and query not like '%for no key update%'
"""


async def test_who_finds_all_connections_in_use_is_told_when_to_come_back(fleet: Any, eventually: Any) -> None:
    server = await fleet.serve("--no-worker", at=fleet.url + SMALL)

    async def taken() -> bool:
        return (await fleet.sql(READER_WAITS))[0][0] > 0

    async with connected(fleet.url) as other:
        await other.execute("begin; lock table threads")
        reading = asyncio.create_task(server.client.get("/v1/threads/t"))
        await eventually(taken)
        refused = await asyncio.gather(*(server.client.post(path, json=body) for path, body in REQUESTS.items()))
        await other.execute("rollback")
    await reading
    accepted = await server.client.post("/v1/threads", json={"id": "t"})

    for response in refused:
        assert (response.status_code, response.headers.get("retry-after")) == (503, "1"), response.text
        assert response.json()["code"] == "store_busy"
    assert accepted.status_code in (200, 201)


async def test_a_process_says_how_many_connections_it_may_open(fleet: Any) -> None:
    server = await fleet.serve(at=fleet.url + "&pool_size=7")

    assert "at most 8 connections: 7 for work, 1 to listen" in server.command.said
