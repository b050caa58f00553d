"""Pages of a thread's messages: order, bounds, filters and cursors."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATH = "/v1/threads/thread/messages"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def talk(serving: Any) -> Any:
    """A thread of three turns, six messages."""
    async with serving() as server:
        for number in (1, 2, 3):
            await server.run(f"say {number}", run=f"r{number}")
        yield server.client


async def seqs(client: Any, query: str = "") -> list[int]:
    response = await client.get(f"{PATH}?{query}")
    assert response.status_code == 200, response.text
    return [message["seq"] for message in response.json()["messages"]]


@pytest.mark.proves("M07")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [1, 2, 3, 4, 5, 6]),
        ("order=desc", [6, 5, 4, 3, 2, 1]),
        ("limit=2", [1, 2]),
        ("limit=0", [1]),
        ("after=2", [3, 4, 5, 6]),
        ("before=3", [1, 2]),
        ("after=1&before=5&limit=2", [2, 3]),
        ("after=1&before=5&limit=2&order=desc", [4, 3]),
        ("run_id=r2", [3, 4]),
        ("runId=r2&after=3", [4]),
        ("run_id=nothing", []),
    ],
)
async def test_messages_are_chosen_by_order_bounds_and_run(talk: Any, query: str, expected: list[int]):
    assert await seqs(talk, query) == expected


@pytest.mark.proves("M07")
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_cursors_walk_all_messages_once(talk: Any, order: str):
    found: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await talk.get(f"{PATH}?limit=4&order={order}&cursor={cursor}")).json()
        found += [message["seq"] for message in page["messages"]]
        cursor = page["next_cursor"]
        assert page["total"] == 6
        assert page["has_more"] == (cursor is not None)

    assert found == sorted(range(1, 7), reverse=order == "desc")


@pytest.mark.proves("M07")
@pytest.mark.parametrize("query", ["order=desc", "after=1", "visibility=all", "run_id=r1"])
async def test_a_cursor_of_another_query_is_400(talk: Any, query: str):
    cursor = (await talk.get(f"{PATH}?limit=1")).json()["next_cursor"]

    response = await talk.get(f"{PATH}?cursor={cursor}&{query}")

    assert response.status_code == 400
    assert "cursor" in response.json()["error"]


@pytest.mark.proves("M07")
@pytest.mark.parametrize("query", ["cursor=junk", "order=sideways", "visibility=secret", "after=x"])
async def test_a_query_that_makes_no_sense_is_400(talk: Any, query: str):
    assert (await talk.get(f"{PATH}?{query}")).status_code == 400
