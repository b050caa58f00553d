"""What a process that serves does about its garbage."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import gc, json
from wakeful.bootstrap import garbage

def state():
    return {"searches": gc.isenabled(), "kept": gc.get_freeze_count() > 0, "young": gc.get_threshold()[0]}

before = state()
garbage.hold()
held = state()
garbage.let_go()
print(json.dumps([before, held, state()]))
"""


def test_the_collector_is_held_until_the_server_is_built_and_leaves_it_alone_afterwards(tmp_path: Path):
    finished = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, cwd=tmp_path)
    before, held, after = json.loads(finished.stdout)

    assert before["searches"]
    assert held == {**before, "searches": False}
    assert after["searches"]
    assert after["kept"]
    assert after["young"] > before["young"]
