"""Linked files over HTTP: refused unless the operator lists their host, and never fetched from a private address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Serve


def bringing(url: str) -> dict[str, object]:
    file = {"type": "file", "url": url, "media_type": "image/png"}
    return {"thread_id": "t", "messages": [{"content": [{"type": "text", "text": "look"}, file]}]}


async def test_without_a_list_files_come_inline(serve: Serve):
    client = (await serve()).client

    answer = await client.post("/v1/runs", json=bringing("https://files.example.com/a.png"))

    assert answer.status_code == 400
    assert "inline" in answer.json()["error"]


@pytest.mark.parametrize(
    ("url", "because"),
    [
        ("https://other.example.com/a.png", "files.example.com"),
        ("http://files.example.com/a.png", "https"),
        ("https://localhost/a.png", "localhost"),
    ],
)
async def test_what_cannot_be_looked_at_is_refused_and_nothing_is_stored(serve: Serve, url: str, because: str):
    client = (await serve(file_hosts=("files.example.com", "localhost"))).client

    run = await client.post("/v1/runs", json=bringing(url))
    queued = await client.post("/v1/threads", json={"id": "u"})
    later = await client.post("/v1/threads/u/messages", json={"messages": bringing(url)["messages"]})

    assert (run.status_code, queued.status_code, later.status_code) == (400, 201, 400)
    assert because in run.json()["error"]
    assert (await client.get("/v1/threads/t")).status_code == 404
    assert (await client.get("/v1/threads/u/messages")).json()["messages"] == []
