"""`wakeful db`: how much a store holds, and making it smaller."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from wakeful.cli.main import main

STORE = ("--store", "sqlite:///wakeful.db")
OLD, NEW = "sqlite:///wakeful.db", "sqlite:///new.db"
DYING = """
import asyncio, os, signal, sys
from wakeful.cli import moving
from wakeful.stores.sqlite.store import SQLiteStore

def tell(now):
    if now == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    old, new = SQLiteStore("wakeful.db"), SQLiteStore("new.db")
    await old.open()
    await new.open()
    await moving.copy(old, new, force=False, tell=tell)

asyncio.run(main())
"""


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


def test_a_copy_is_counted_and_summed_for_people_and_for_programs(db: Any):
    copied = db("copy", OLD, NEW)
    again = db("copy", OLD, "sqlite:///again.db", "--json")

    assert copied.exit_code == 0, copied.output
    rows = {line.split()[0]: line.split()[1:] for line in copied.stdout.splitlines()[:-1]}
    summed = json.loads(again.stdout)
    assert rows == {kind: [f"{one['rows']:,}", one["sha256"]] for kind, one in summed.items()}
    assert (rows["threads"][0], rows["runs"][0], rows["messages"][0]) == ("1", "2", "4")
    assert "both stores hold the same" in copied.stdout
    assert "copying events" in copied.stderr
    assert sizes(db)["events"] == summed["events"]["rows"]


def test_a_finished_copy_is_a_store_like_others_and_no_target(db: Any):
    db("copy", OLD, NEW)

    again = db("copy", OLD, NEW)
    unused = db("copy", "sqlite:///nothing.db", "sqlite:///again.db")

    assert (again.exit_code, unused.exit_code) == (1, 1)
    assert "copy into an empty database" in again.output
    assert "is its URL right?" in unused.output
    CliRunner().invoke(main, ["chat", "--store", NEW, "--thread", "t"], input="hello\n", catch_exceptions=False)
    assert json.loads(db("sizes", "--store", NEW, "--json").output)["messages"] == 6


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX system")
@pytest.mark.parametrize("moment", ["copying messages", "copying dispatches", "comparing runs"])
async def test_a_copy_that_was_killed_goes_on(db: Any, start: Any, moment: str):
    killed = await start("-c", DYING, moment)
    assert await killed.code() == -signal.SIGKILL

    rest = await start("-m", "wakeful", "db", "copy", OLD, NEW, "--json")
    whole = await start("-m", "wakeful", "db", "copy", OLD, "sqlite:///whole.db", "--json")

    assert (await rest.code(), await whole.code()) == (0, 0)
    assert rest.said.splitlines()[-1] == whole.said.splitlines()[-1]
    assert len(rest.said.splitlines()) <= len(whole.said.splitlines())
