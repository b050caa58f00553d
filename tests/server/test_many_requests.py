"""Many at once: whatever comes in together is stored, whole and apart."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

LARGE = "日本👩‍🚀 " * 5_000


def body(number: int, text: str) -> dict[str, Any]:
    return {"id": f"t{number}", "messages": [{"id": f"m{number}", "role": "user", "content": text}]}


@pytest.mark.proves("S29")
@pytest.mark.parametrize(
    "texts",
    [[f"hello {number}" for number in range(48)], [f"{number} {LARGE if number % 2 else ''}" for number in range(64)]],
    ids=["48 small ones", "64 small and large ones"],
)
async def test_requests_that_come_together_are_all_stored(client: Any, texts: list[str]):
    async with asyncio.timeout(60):
        answers = await asyncio.gather(
            *(client.post("/v1/ai-sdk/chat", json=body(number, text)) for number, text in enumerate(texts))
        )

    assert [answer.status_code for answer in answers] == [200] * len(texts)
    assert all(answer.text.endswith("data: [DONE]\n\n") for answer in answers)
    for number, text in enumerate(texts):
        stored = (await client.get(f"/v1/threads/t{number}/messages")).json()["messages"]
        assert [message["role"] for message in stored] == ["user", "assistant"]
        assert stored[0]["parts"] == [{"type": "text", "text": text}]
