"""The named SQL: well formed, complete, and always answered from an index."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import product
from pathlib import Path

import pytest

import wakeful.stores.sqlite as room
from wakeful.contracts.portable import KINDS
from wakeful.stores.named_sql import Query, load_queries
from wakeful.stores.sqlite.database import Database
from wakeful.stores.sqlite.runs import ORDERS

QUERIES = load_queries("wakeful.stores.sqlite")
SOURCES = Path(room.__file__).parent
OPTIONAL = {
    **{f"take_out_{kind.name}": ("sizing",) for kind in KINDS},
    "find_submission": ("idempotency_key",),
    "reserve_messages": ("at",),
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
    "count_messages_of_run": ("visibility",),
    "dead_letters": ("id",),
    "advance_run": ("voids",),
    "rest_run": ("voids",),
    "release_dispatch": ("error",),
    "end_dispatch": ("failures",),
}
BOUNDED = {
    "holdings": ["SCAN runs USING INDEX runs_unfinished"],
    "numbers_given": ["SCAN sqlite_sequence"],  # one row per table
    "count_unfinished": ["SCAN runs USING INDEX runs_unfinished"],  # holds what is unfinished only
    "list_changed_runs": ["SCAN runs USING INDEX runs_unfinished"],
    "count_changed_runs": ["SCAN runs USING INDEX runs_unfinished"],
    "free_bytes": ["SCAN pragma_freelist_count VIRTUAL TABLE INDEX 0:", "SCAN pragma_page_size VIRTUAL TABLE INDEX 0:"],
}
NO_TABLES = r"json_each|ancestor\b|descendant\b|changed\b|page\b|\(subquery|CONSTANT ROW"
SORTED = {"list_changed_runs"}  # what is unfinished, or of one thread
WHOLE_TABLES = {"sizes"}
MOVING = {f"{verb}_{kind.name}" for verb in ("take_out", "take_in") for kind in KINDS}


class Anything(dict[str, int]):
    """Holds a value for every parameter."""

    def __missing__(self, name: str) -> int:
        return 1


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(Database(":memory:", synchronous="normal", busy_timeout=0).open_writing()) as connection:
        yield connection


def plan(connection: sqlite3.Connection, sql: str) -> list[str]:
    values = (1,) * sql.count("?") if "?" in sql else Anything()
    return [row["detail"] for row in connection.execute(f"explain query plan {sql}", values)]


def variants() -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in sorted(QUERIES.keys() - WHOLE_TABLES):
        optional = OPTIONAL.get(name, ())
        for given in product((False, True), repeat=len(optional)):
            yield name, tuple(argument for argument, wanted in zip(optional, given, strict=True) if wanted)


@pytest.mark.parametrize(("name", "given"), list(variants()), ids=str)
def test_no_query_scans_or_sorts_a_table(connection: sqlite3.Connection, name: str, given: tuple[str, ...]) -> None:
    sql = QUERIES[name].text(dict.fromkeys(given, 1))

    steps = plan(connection, sql)

    scanned = [step for step in steps if re.match(rf"SCAN (?!{NO_TABLES})", step)]
    assert [step for step in scanned if step not in BOUNDED.get(name, [])] == []
    assert name in SORTED or [step for step in steps if "TEMP B-TREE FOR ORDER BY" in step] == []


@pytest.mark.parametrize(
    ("name", "given", "index"),
    [
        ("due_dispatches", (), "dispatches_due"),
        ("promote_next", (), "runs_unfinished"),
        ("active_run", (), "runs_unfinished"),
        ("mailbox", (), "runs_unfinished"),
        ("backlog_is_full", (), "runs_unfinished"),
        ("claimed_run", (), "runs_steering"),
        ("break_leases", (), "dispatches_due"),
        ("pull_near", (), "dispatches_due"),
        ("dead_letters", (), "dispatches_dead"),
        ("expired_interrupts", (), "interrupts_by_expiry"),
        ("runs_to_pack", (), "runs_by_end"),
        ("runs_to_prune", (), "runs_by_end"),
        ("in_the_way", (), "runs_unfinished"),
        ("unfinished_runs", (), "runs_unfinished"),
        ("running_within", (), "runs_unfinished"),
        ("find_submission", ("idempotency_key",), "runs_by_idempotency_key"),
        ("list_runs", (), "runs_by_age"),
        ("list_runs", ("thread_id",), "runs_of_thread"),
        ("list_runs", ("parent_run_id",), "runs_by_parent"),
        ("list_changed_runs", (), "runs_unfinished"),
        ("list_changed_runs", (), "COVERING INDEX runs_by_finish (scope=? AND finished_at>?)"),
        ("list_changed_runs", ("after_key",), "runs_by_finish (scope=? AND finished_at>? AND finished_at<?)"),
        ("list_changed_runs", ("thread_id",), "runs_of_thread"),
        ("count_changed_runs", ("statuses",), "COVERING INDEX runs_by_finish"),
        ("due_documents", (), "documents_due"),
        ("latest_run", (), "runs_of_thread"),
        ("list_threads", (), "threads_by_activity"),
        ("list_threads", ("resource_id",), "threads_by_resource"),
        ("list_threads", ("parent_thread_id",), "threads_by_parent"),
        ("descendants", (), "threads_by_parent"),
        ("list_messages", ("run_id",), "messages_by_run"),
    ],
)
def test_a_query_uses_the_index_made_for_it(
    connection: sqlite3.Connection, name: str, given: tuple[str, ...], index: str
) -> None:
    steps = plan(connection, QUERIES[name].text(dict.fromkeys(given, 1)))

    assert any(index in step for step in steps), steps


@pytest.mark.parametrize("given", [(), ("after_key",), ("updated_from", "statuses")])
def test_finished_runs_are_read_in_the_order_of_their_ends(
    connection: sqlite3.Connection, given: tuple[str, ...]
) -> None:
    steps = plan(connection, QUERIES["list_changed_runs"].text(dict.fromkeys(given, 1)))

    finished = next(number for number, step in enumerate(steps) if "runs_by_finish" in step)
    merged = steps.index("SCAN changed")
    assert not [step for step in steps[finished:merged] if "TEMP B-TREE" in step]


def test_the_code_and_the_files_name_the_same_queries() -> None:
    code = "".join(file.read_text("utf-8") for file in SOURCES.glob("*.py"))

    called = set(re.findall(r'session\.(?:row|rows|value|count|changes|must_change|many)\(\s*"(\w+)"', code))

    assert called | MOVING | {name for names in ORDERS.values() for name in names} == set(QUERIES)


def test_optional_arguments_are_listed_above() -> None:
    files = "".join(file.read_text("utf-8") for file in (SOURCES / "queries").glob("*.sql"))

    named = set(re.findall(r"-- (?:if|unless) (\w+)$", files, re.MULTILINE))

    equal = {"agent_id", "origin", "created_to", "updated_to"}  # to statuses, created_from and updated_from
    assert named - {one for many in OPTIONAL.values() for one in many} == equal


def test_conditional_lines_follow_their_argument() -> None:
    query = Query(["select a", "from b", "where c = :c -- if c", "where d -- unless c"])

    assert query.text({"c": 0}) == "select a\nfrom b\nwhere c = :c"
    assert query.text({"c": None}) == "select a\nfrom b\nwhere d"
