"""`wakeful db` on PostgreSQL, as processes of their own."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import httpx

from wakeful.stores.postgres.schema import load_migrations


def with_password(url: str) -> str:
    """The tests' server believes everybody, so that any password will do."""
    return url.replace("postgres@", "postgres:sw0rd%3Afish%2F%40@", 1)


def assert_masked(said: str) -> None:
    assert "sw0rd" not in said
    assert "fish" not in said


async def test_upgrade_makes_the_schema_and_shows_no_password(start: Any, bare_url: str) -> None:
    url = with_password(bare_url)

    for _ in range(2):
        command = await start("-m", "wakeful", "db", "upgrade", "--store", url)
        assert await command.code() == 0
        assert command.said.startswith("postgresql://postgres:***@/bare")
        assert_masked(command.said)
    doctor = await start("-m", "wakeful", "doctor", "--store", url)
    assert await doctor.code() == 0
    assert "store: postgresql://postgres:***@/bare" in doctor.said
    assert_masked(doctor.said)

    connection = await asyncpg.connect(bare_url)
    applied = await connection.fetch("select number from schema_migrations order by number")
    await connection.close()
    assert [row["number"] for row in applied] == [migration.number for migration in load_migrations()]


async def test_upgrade_migrates_also_where_servers_may_not(start: Any, bare_url: str) -> None:
    may_not = {"WAKEFUL_MIGRATE": "false"}
    for arguments in (("db", "sizes"), ("doctor",), ("worker",), ("serve", "--port", "0")):
        refused = await start("-m", "wakeful", *arguments, "--store", bare_url, **may_not)
        assert await refused.code() != 0
        assert "run `wakeful db upgrade`" in refused.said

    upgraded = await start("-m", "wakeful", "db", "upgrade", "--store", bare_url, **may_not)
    assert await upgraded.code() == 0, upgraded.said

    sizes = await start("-m", "wakeful", "db", "sizes", "--store", bare_url, **may_not)
    assert await sizes.code() == 0
    serve = await start("-m", "wakeful", "serve", "--port", "0", "--store", bare_url, **may_not)
    await serve.base()
    assert await serve.ends() == 0


async def test_a_house_is_moved_by_command(start: Any, url: str) -> None:
    serve = await start("-m", "wakeful", "serve", "--port", "0", "--store", "sqlite:///old.db")
    async with httpx.AsyncClient(base_url=await serve.base(), trust_env=False, timeout=30) as http:
        await http.post("/v1/runs", json={"thread_id": "t", "messages": [{"content": "hello"}]})
    await serve.ends()

    there = await start("-m", "wakeful", "db", "copy", "sqlite:///old.db", with_password(url), "--json")
    assert await there.code() == 0, there.said
    back = await start("-m", "wakeful", "db", "copy", with_password(url), "sqlite:///new.db", "--json")
    assert await back.code() == 0, back.said

    first, second = (json.loads(command.said.splitlines()[-1]) for command in (there, back))
    assert first == second
    assert (first["threads"]["rows"], first["runs"]["rows"], first["messages"]["rows"]) == (1, 1, 2)
    assert_masked(there.said + back.said)


async def test_no_command_shows_a_password_when_it_fails(start: Any, url: str) -> None:
    missing = with_password(url).replace("/wakeful?", "/nowhere?", 1)
    hidden = f"{missing}&password=sw0rdfish&pgbouncer=maybe"

    for arguments in (
        ("db", "upgrade", "--store", missing),
        ("db", "sizes", "--store", hidden),
        ("db", "copy", "sqlite:///:memory:", missing),
        ("doctor", "--store", missing),
        ("serve", "--store", missing, "--port", "0"),
        ("worker", "--store", missing),
    ):
        command = await start("-m", "wakeful", *arguments)
        assert await command.code() != 0
        assert_masked(command.said)
