"""Operators at two processes that share PostgreSQL."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytestmark = pytest.mark.network
OPERATOR = {"authorization": "Bearer s3cret"}
HELPER = {"id": "helper", "model": "gated:words", "instructions": "one"}


async def changed(process: Any, body: Any, **headers: str) -> Any:
    sent = {**OPERATOR, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await process.client.patch("/v1/config/agents/helper", json=body, headers=sent)


@pytest.mark.proves("K03")
async def test_a_change_at_one_process_counts_at_the_other_and_of_two_at_once_one_is_refused(
    fleet: Any, eventually: Any
) -> None:
    a, b = await fleet.serve_all(2, WAKEFUL_ADMIN_TOKEN="s3cret")
    known = (await b.client.get("/v1/config/agents", headers=OPERATOR)).json()["items"][0]
    await a.client.post("/v1/config/agents", json={**HELPER, "model": known["spec"]["model"]}, headers=OPERATOR)

    async def answers() -> bool:
        body = {"agent_id": "helper", "messages": [{"content": "hello"}]}
        return (await b.client.post("/v1/runs", json=body)).status_code == 200

    await eventually(answers)
    outcomes = await asyncio.gather(
        changed(a, {"instructions": "two"}, if_match='"1"'), changed(b, {"description": "three"}, if_match='"1"')
    )
    assert sorted(outcome.status_code for outcome in outcomes) == [200, 412]
    [first] = [outcome.json() for outcome in outcomes if outcome.status_code == 200]
    [late] = [process for process, outcome in zip((a, b), outcomes, strict=True) if outcome.status_code == 412]

    again = await changed(late, {"max_steps": 3}, if_match='"2"')

    assert again.json()["spec"] == {**first["spec"], "max_steps": 3}
    for process in (a, b):
        found = (await process.client.get("/v1/config/agents/helper", headers=OPERATOR)).json()
        assert (found["version"], found["spec"]) == (3, again.json()["spec"])
