"""The named SQL: complete, understood by the server in every variant, and always answered from an index."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import asyncpg
import pytest

import wakeful.stores.postgres as room
from wakeful.contracts.portable import KINDS
from wakeful.stores.named_sql import load_queries
from wakeful.stores.postgres.runs import ORDERS
from wakeful.stores.postgres.session import Statements

QUERIES = load_queries("wakeful.stores.postgres")
SOURCES = Path(room.__file__).parent
OPTIONAL = {
    **{f"take_out_{kind.name}": ("sizing",) for kind in KINDS},
    "list_threads": ("parent_thread_id", "root", "resource_id", "after_id"),
    "count_threads": ("parent_thread_id", "root", "resource_id"),
    "list_runs": ("thread_id", "statuses", "parent_run_id", "created_from", "after_key"),
    "count_runs": ("thread_id", "statuses", "parent_run_id", "created_from"),
    "list_changed_runs": ("thread_id", "statuses", "parent_run_id", "updated_from", "after_key"),
    "count_changed_runs": ("thread_id", "statuses", "parent_run_id", "updated_from"),
    "list_documents": ("after", "next_prefix"),
    "put_document": ("expected",),
    "delete_document": ("expected",),
    "list_messages": ("run_id", "visibility", "after", "before", "descending"),
    "list_replaced_messages": ("visibility", "after", "before", "descending"),
    "count_messages_of_run": ("visibility",),
    "count_replaced_messages": ("visibility",),
    "dead_letters": ("id",),
    "rest_run": ("voids",),
    "release_dispatch": ("error",),
    "end_dispatch": ("failures",),
}
WHOLE_TABLES = {"sizes"}
MOVING = {f"{verb}_{kind.name}" for verb in ("take_out", "take_in") for kind in KINDS}


class Anything(dict[str, Any]):
    """Holds a value for every parameter."""

    def __missing__(self, name: str) -> None:
        return None


@pytest.fixture
async def connection(server: Any) -> AsyncIterator[Any]:
    """Where a whole table is read only when there is no other way."""
    connection = await asyncpg.connect(server.url("unused"), statement_cache_size=0)
    await connection.execute("set plan_cache_mode = force_generic_plan; set enable_seqscan = off")
    yield connection
    await connection.close()


async def plan(connection: Any, name: str, given: tuple[str, ...]) -> list[str]:
    values = Anything(dict.fromkeys(given, 1))
    sql, arguments = Statements(QUERIES).prepare(name, values)
    await connection.execute(f"deallocate all; prepare planned as {sql}")
    nothing = f"({', '.join('null' for _ in arguments)})" if arguments else ""
    return [row[0] for row in await connection.fetch(f"explain execute planned{nothing}")]


def variants() -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in sorted(QUERIES.keys() - WHOLE_TABLES):
        optional = OPTIONAL.get(name, ())
        for given in product((False, True), repeat=len(optional)):
            yield name, tuple(argument for argument, wanted in zip(optional, given, strict=True) if wanted)


async def test_no_query_reads_a_whole_table(connection: Any) -> None:
    plans = [(name, given, await plan(connection, name, given)) for name, given in variants()]

    assert [found for found in plans if any("Seq Scan" in step for step in found[2])] == []


@pytest.mark.parametrize(
    ("name", "given", "index"),
    [
        ("due_dispatches", (), "runs_unfinished"),
        ("lock_due_threads", (), "dispatches_due"),
        ("promote_next", (), "runs_unfinished"),
        ("active_run", (), "runs_unfinished"),
        ("mailbox", (), "runs_unfinished"),
        ("backlog_is_full", (), "runs_unfinished"),
        ("claimed_run", (), "runs_steering"),
        ("break_own_leases", (), "dispatches_due"),
        ("pull_near", (), "dispatches_due"),
        ("dead_letters", (), "dispatches_dead"),
        ("expired_interrupts", (), "interrupts_by_expiry"),
        ("runs_to_pack", (), "runs_by_end"),
        ("runs_to_prune", (), "runs_by_end"),
        ("in_the_way", (), "runs_unfinished"),
        ("unfinished_runs", (), "runs_unfinished"),
        ("count_unfinished", (), "runs_unfinished"),
        ("list_runs", (), "runs_by_age"),
        ("list_runs", ("thread_id",), "runs_of_thread"),
        ("list_runs", ("parent_run_id",), "runs_by_parent"),
        ("list_changed_runs", (), "runs_unfinished"),
        ("list_changed_runs", ("after_key", "updated_from"), "runs_by_finish"),
        ("count_changed_runs", ("statuses",), "runs_by_finish"),
        ("due_documents", (), "documents_due"),
        ("latest_run", (), "runs_of_thread"),
        ("list_threads", (), "threads_by_activity"),
        ("list_threads", ("resource_id",), "threads_by_resource"),
        ("list_threads", ("parent_thread_id",), "threads_by_parent"),
        ("lock_family", (), "threads_by_parent"),
        ("list_messages", ("run_id",), "messages_by_run"),
        ("run_ids_by_idempotency_key", (), "runs_by_idempotency_key"),
    ],
)
async def test_a_query_can_use_the_index_made_for_it(
    connection: Any, name: str, given: tuple[str, ...], index: str
) -> None:
    steps = await plan(connection, name, given)

    assert any(index in step for step in steps), steps


@pytest.mark.parametrize(
    "name", ["list_runs", "list_threads", "list_messages", "latest_run", "active_run", "read_events"]
)
async def test_a_page_is_read_in_its_order_and_not_sorted(connection: Any, name: str) -> None:
    await connection.execute("set enable_sort = off")

    steps = await plan(connection, name, ())

    assert not any(re.search(r"\bSort\b", step) for step in steps), steps


def test_the_code_and_the_files_name_the_same_queries() -> None:
    code = "".join(file.read_text("utf-8") for file in SOURCES.glob("*.py"))

    called = set(re.findall(r'session\.(?:row|rows|value|count|changes|must_change)\(\s*"(\w+)"', code))

    assert called | MOVING | {name for names in ORDERS.values() for name in names} == set(QUERIES)


def test_optional_arguments_are_listed_above() -> None:
    files = "".join(file.read_text("utf-8") for file in (SOURCES / "queries").glob("*.sql"))

    named = set(re.findall(r"-- (?:if|unless) (\w+)$", files, re.MULTILINE))

    equal = {"agent_id", "origin", "created_to", "updated_to"}  # to statuses, created_from and updated_from
    assert named - {one for many in OPTIONAL.values() for one in many} == equal


def test_casts_are_no_parameters() -> None:
    text = QUERIES["lock_family"].text({})

    sql, values = Statements(QUERIES).prepare("lock_family", {"key": 7})

    assert ":key::bigint" in text
    assert "$1::bigint" in sql
    assert values == [7]
