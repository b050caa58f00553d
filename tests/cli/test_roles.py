"""Processes that only accept, processes that only carry, and several behind one port."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

STORE = ("--store", "sqlite:///wakeful.db")
COUNT = {"thread_id": "t", "messages": [{"content": "count to 30 every 20 ms"}]}
PARENT = """
import logging, pathlib, socket, sys
from wakeful.bootstrap.processes import Processes

CHILD = '''
import pathlib, sys, time
begun = pathlib.Path("begun")
if not begun.exists():
    begun.touch()
    time.sleep(1)
    sys.exit(3)
print("here again", flush=True)
time.sleep(600)
'''
logging.basicConfig(level=logging.INFO)
with socket.create_server(("127.0.0.1", 0)) as shared:
    sys.exit(Processes([sys.executable, "-c", CHILD], 1, shared, settled_seconds=0).run())
"""
pytestmark = [pytest.mark.network, pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX system")]


def client(base: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=base, timeout=30, trust_env=False, verify=False)


def text_of(stream: str) -> str:
    events = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: ")]
    return "".join(event["delta"] for event in events if event["type"] == "text_delta")


async def test_one_process_accepts_and_another_one_carries(wakeful: Any, tmp_path: Path) -> None:
    server = await wakeful("serve", "--no-worker", "--port", "0", *STORE)
    async with client(await server.base()) as http:
        await http.post("/v1/threads", json={"id": "t"})
        accepted = await http.post("/v1/threads/t/messages", json={"messages": COUNT["messages"]})
        run_id = accepted.json()["run_id"]
        waiting = await http.get(f"/v1/runs/{run_id}")
        worker = await wakeful("worker", *STORE)
        await worker.says("carrying runs")
        stream = await http.get(f"/v1/runs/{run_id}/events/stream")

    assert waiting.json()["status"] == "queued"
    assert text_of(stream.text) == " ".join(map(str, range(1, 31)))
    assert await worker.ends() == 0
    assert await server.ends() == 0


async def test_processes_share_a_port_and_one_that_dies_is_replaced(wakeful: Any) -> None:
    parent = await wakeful("serve", "--processes", "2", "--port", "0", *STORE)
    base = (await parent.says(r"Wakeful is on (http://\S+)"))[1]
    pids = [int((await parent.says(r"process (\d+) serves"))[1]) for _ in range(2)]
    async with client(base) as http:
        await answered(http)
        os.kill(pids[0], signal.SIGKILL)
        dead = await parent.says(r"process (\d+) ended with -9; another one takes its place")
        stream = await http.post("/v1/runs", json=COUNT)

    assert dead[1] == str(pids[0])
    assert text_of(stream.text).startswith("1 2 3")
    await parent.ends()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_several_processes_need_a_store_they_share(wakeful: Any) -> None:
    for arguments in (("serve", "--processes", "2"), ("worker",)):
        process = await wakeful(*arguments)
        assert await process.code() == 1
        assert "store that they share" in process.said


async def test_a_process_that_cannot_start_ends_all(wakeful: Any) -> None:
    parent = await wakeful("serve", "--processes", "2", "--port", "0", "--store", "sqlite:///nowhere/at/all.db")

    assert await parent.code() == 1
    assert "as it started; all are stopped" in parent.said


async def test_a_process_that_ends_after_the_command_has_proved_to_start_is_tried_again(start: Any) -> None:
    parent = await start("-c", PARENT)

    await parent.says(r"ended with 3; another one takes its place")
    await parent.says("here again")

    assert await parent.ends() == 0


async def test_processes_that_others_can_reach_are_warned_about_once(wakeful: Any) -> None:
    parent = await wakeful("serve", "--processes", "2", "--host", "0.0.0.0", "--port", "0", *STORE)

    await parent.says("is reachable from other machines")
    for _ in range(2):
        await parent.says("Application startup complete")
    assert await parent.ends() == 0

    assert parent.said.count("is reachable from other machines") == 1


async def test_a_store_that_cannot_be_used_is_told_in_words(wakeful: Any, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "wakeful.db")) as database:
        database.execute("pragma user_version = 99")

    for role in ("serve", "worker"):
        process = await wakeful(role, *STORE)
        assert await process.code() == 1
        assert "has schema 99" in process.said
        assert "Traceback" not in process.said


async def answered(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                if (await http.get("/health")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)


async def test_the_help_names_the_roles(wakeful: Any) -> None:
    process = await wakeful("--help")

    assert await process.code() == 0
    assert re.search(r"worker\s+Carry the runs", process.said)
