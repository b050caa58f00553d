"""Yesterday's code runs on today's schema: a process that is already running lives through a migration."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.stores.frozen.old_code import run_old_code, with_migration

import wakeful.stores.sqlite as room

TODAY = Path(room.__file__).with_name("migrations")


async def test_yesterdays_code_passes_its_suite_on_todays_schema(tmp_path: Path) -> None:
    code, said = await run_old_code(tmp_path, TODAY)

    assert code == 0, said


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("alter table runs add column note text; create table notes (id text primary key) strict;", 0),
        ("alter table runs drop column digest;", 1),
        ("alter table runs rename column last_seq to newest;", 1),
        ("create trigger rule before insert on runs begin select raise(abort, 'a new rule'); end;", 1),
    ],
)
async def test_a_migration_that_old_code_cannot_live_with_is_found(tmp_path: Path, sql: str, expected: int) -> None:
    code, said = await run_old_code(tmp_path, with_migration(tmp_path, TODAY, sql), "-x", "-k", "message")

    assert code == expected, said
