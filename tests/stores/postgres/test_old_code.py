"""Yesterday's code runs on today's schema: a process that is already running lives through a migration."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.stores.frozen.old_code import run_old_code, with_migration

import wakeful.stores.postgres as room

TODAY = Path(room.__file__).with_name("migrations")


async def test_yesterdays_code_passes_its_suite_on_todays_schema(tmp_path: Path, bare_url: str) -> None:
    code, said = await run_old_code(tmp_path, TODAY, database=bare_url)

    assert code == 0, said


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("alter table runs add column note text; create table notes (id text primary key);", 0),
        ("alter table runs drop column digest;", 1),
        ("alter table runs alter column last_seq type text using last_seq::text;", 1),
        (
            "alter table messages add column note text not null default '';"
            "alter table messages alter column note drop default;",
            1,
        ),
    ],
)
async def test_a_migration_that_old_code_cannot_live_with_is_found(
    tmp_path: Path, bare_url: str, sql: str, expected: int
) -> None:
    migrations = with_migration(tmp_path, TODAY, sql)

    code, said = await run_old_code(tmp_path, migrations, "-x", "-k", "message", database=bare_url)

    assert code == expected, said
