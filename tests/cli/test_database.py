"""`wakeful db`: how much a store holds, and making it smaller."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from wakeful.cli.main import main

STORE = ("--store", "sqlite:///wakeful.db")


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `wakeful db` in a folder whose store has two finished runs."""
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(main, ["chat", *STORE, "--thread", "t"], input="count to 300\nhello\n", catch_exceptions=False)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["db", *arguments])

    return invoke


def sizes(db: Any) -> dict[str, int]:
    return json.loads(db("sizes", *STORE, "--json").output)


def test_sizes_are_a_table_for_people_and_json_for_programs(db: Any):
    table = db("sizes", *STORE)

    rows = {line.rsplit("  ", 1)[0].split("  ")[0]: line for line in table.output.splitlines()}
    found = sizes(db)
    assert (table.exit_code, found["threads"], found["runs"], found["messages"]) == (0, 1, 2, 4)
    assert rows["threads"].split() == ["threads", "1"]
    assert rows["messages"].split()[:2] == ["messages", "4"]
    assert "KiB" in rows["on disk"]


def test_compacting_packs_logs_and_pruning_removes_them(db: Any):
    before = sizes(db)

    packed = db("compact", *STORE)
    middle = sizes(db)
    pruned = db("prune", *STORE, "--older-than", "0s")
    after = sizes(db)

    assert (packed.output, pruned.output) == ("packed the logs of 2 runs\n", "removed the logs of 2 runs\n")
    assert (middle["packed_events"], middle["events"]) == (before["events"], 0)
    assert middle["pack_bytes"] < before["event_bytes"]
    assert (after["events"], after["packed_events"]) == (0, 0)
    assert (after["runs"], after["messages"]) == (2, 4)


@pytest.mark.parametrize("command", ["compact", "prune"])
def test_what_is_younger_than_asked_for_stays(db: Any, command: str):
    before = sizes(db)

    result = db(command, *STORE, "--older-than", "30d", "--json")

    assert json.loads(result.output) == {"compacted" if command == "compact" else "pruned": 0}
    assert sizes(db) == before


def test_reclaiming_gives_space_back_to_the_disk(db: Any):
    db("prune", *STORE, "--older-than", "0s")
    before = sizes(db)

    result = db("reclaim", *STORE, "--json")

    assert json.loads(result.output)["reclaimed_bytes"] > 0
    assert sizes(db)["file_bytes"] < before["file_bytes"]


def test_pruning_wants_to_be_told_how_old(db: Any):
    result = db("prune", *STORE)

    assert result.exit_code == 2
    assert "--older-than" in result.output


@pytest.mark.parametrize("age", ["30", "d", "-1d", "1.5h", "3 weeks", "1y", ""])
@pytest.mark.parametrize("command", ["compact", "prune"])
def test_an_age_that_makes_no_sense_is_refused(db: Any, command: str, age: str):
    before = sizes(db)

    result = db(command, *STORE, "--older-than", age)

    assert result.exit_code == 2
    assert "such as 30d or 12h" in result.output
    assert sizes(db) == before


@pytest.mark.parametrize("command", [["sizes"], ["compact"], ["prune", "--older-than", "1d"], ["reclaim"]])
def test_a_store_that_cannot_be_opened_is_told_in_one_line(db: Any, tmp_path: Path, command: list[str]):
    (tmp_path / "other.db").write_text("this is no database" * 100)

    result = db(*command, "--store", "sqlite:///other.db")

    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert isinstance(result.exception, SystemExit)
